"""What groups registers with others: its menu entry, and who knows how groups hold each other."""

from django.utils.translation import gettext_lazy as _

from apps.core import scoping
from apps.core.menu import MenuEntry, register
from apps.groups.models import Group

scoping.register_enclosing(lambda groups: Group.objects.all().tree().enclosing(groups))
register(
    MenuEntry(
        label=_("Groups"), url_name="groups:list", icon="folders", section="manage", order=10, permission="groups"
    )
)
