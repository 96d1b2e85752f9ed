"""The ways in which alerts reach the portal, and what they are called; receivers register theirs."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.registries import Registry

TRAP_SOURCE, EVENT_SOURCE = "snmp-trap", "redfish"

sources: Registry[Promise | str] = Registry("source of alerts")
sources.add(TRAP_SOURCE, _("SNMP trap"))
sources.add(EVENT_SOURCE, _("Redfish event"))
sources.add("portal", _("The portal itself"))


def label_of(source: str) -> str:
    """Give what a source is called; one that nobody registered is called by its word."""
    return str(sources.get(source)) if source in sources else source
