"""What groups registers with others: its menu entry."""

from django.utils.translation import gettext_lazy as _

from apps.core.menu import MenuEntry, register

register(
    MenuEntry(
        label=_("Groups"), url_name="groups:list", icon="folders", section="manage", order=10, permission="groups"
    )
)
