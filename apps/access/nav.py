"""What access registers with others: its menu entry, its options, and where a user is shown."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.access.services import hosts
from apps.accounts.models import User
from apps.core import objects, scoping
from apps.core.menu import MenuEntry, register
from apps.core.options import Option, declare

declare(
    Option(
        hosts.OPTION,
        list,
        [],
        _("Further names of the portal"),
        _(
            "Host names under which browsers and programs may call it, such as that of a proxy or of a virtual "
            "computer, with commas between; “.example.net” is all names below it, “*” is any name. Addresses, the "
            "machine's own name and the names of its certificate are known."
        ),
        section=_("HTTPS"),
        environment=hosts.VARIABLE,
        check=hosts.check,
    ),
)


def _user(pk: int, asks: Any) -> objects.Link | None:
    found = User.objects.filter(pk=pk).first() if scoping.may(asks, "access") else None
    return objects.Link(found.username, reverse("access:user", args=[pk])) if found is not None else None


objects.links.add("accounts.user", _user)

register(
    MenuEntry(
        label=_("Users and access"),
        url_name="access:users",
        icon="users",
        section="manage",
        order=800,
        permission="access",
    )
)
declare(
    Option(
        "token_retention",
        int,
        30,
        _("Keep expired API tokens"),
        _("An expired token opens nothing. It stays in the list for so long, so that one sees why a program stopped."),
        section=_("Sign-in"),
        minimum=1,
        maximum=3650,
        unit=_("days"),
    ),
)
