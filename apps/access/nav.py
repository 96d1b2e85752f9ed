"""What access registers with others: its menu entry, and where a user is shown."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import objects, scoping
from apps.core.menu import MenuEntry, register


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
