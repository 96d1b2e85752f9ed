"""What access registers with others: its menu entry and its option."""

from django.utils.translation import gettext_lazy as _

from apps.core.menu import MenuEntry, register
from apps.core.options import Option, declare

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
