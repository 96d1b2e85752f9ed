"""What the guide warns of, said only where it applies: a server that is off, and whose controller is silent then."""

from collections.abc import Collection

from django.utils.translation import gettext, gettext_noop

from apps.components.models import ManagementInterface, PowerSwitch
from apps.components.services import identity
from apps.components.services.needs import Lack
from apps.core.phrases import Phrase
from apps.drivers.contract import LAN_TYPE, LOST_WHILE_OFF, Capability, DriverSpec
from apps.protocols.errors import Unreachable

SILENT_WHILE_OFF = gettext_noop("The server was off when it was seen last, and now its controller does not answer.")
LET_IT_BE_FOUND = gettext_noop(
    "Allow gratuitous ARP at the switch or router, turn spanning tree off at the port, and use automatic negotiation. "
    "A controller at the server's standard LAN port, or on a remote management card, may not be reachable at all while "
    "the server is off."
)
REMEDY_WHILE_OFF = Phrase(LET_IT_BE_FOUND)


def lost_while_off(component_ids: Collection[int]) -> set[int]:
    """Give the components that no controller may be reached of while they are off, by the LAN port that was entered."""
    rows = ManagementInterface.objects.filter(
        component__in=list(component_ids), enabled=True, driver__in=identity.controllers()
    )
    found: dict[int, bool] = {}
    for component, parameters in rows.order_by().values_list("component", "parameters"):
        found[component] = found.get(component, True) and parameters.get(LAN_TYPE) in LOST_WHILE_OFF
    return {component for component, lost in found.items() if lost}


def lacks_of(row: ManagementInterface, spec: DriverSpec) -> list[Lack]:
    """Say at a controller that fell silent with its server what the network has to allow."""
    if row.last_error_code != Unreachable.code or Capability.POWER not in spec.capabilities:
        return []
    if row.component.power_state != PowerSwitch.OFF:
        return []
    return [Lack(gettext(SILENT_WHILE_OFF), gettext(LET_IT_BE_FOUND))]
