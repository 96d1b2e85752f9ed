"""What access registers with others: its menu entry."""

from django.utils.translation import gettext_lazy as _

from apps.core.menu import MenuEntry, register

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
