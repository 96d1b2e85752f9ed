"""Tells management controllers that their platform events were heard, so that they do not repeat them (IPMI 2.0 §30.8).

Only who is registered as a controller is told: a datagram whose sender was made up must not make us send to others.
"""

import logging
import socket
from collections.abc import Collection, Mapping

from apps.components.models import ManagementInterface
from apps.drivers import registry
from apps.protocols.ipmi.platform_event import PlatformEvent, acknowledgement

log = logging.getLogger(__name__)

DRIVER = "bmc"


def ports_of(component_ids: Collection[int]) -> Mapping[int, int]:
    """Give the ports on which the controllers of these components listen; those without a controller are left out."""
    rows = ManagementInterface.objects.filter(driver=DRIVER, component__in=component_ids).order_by("-pk")
    default = registry.specs()[DRIVER].default_port or 0
    return {component: port or default for component, port in rows.values_list("component", "port")}


def acknowledge(event: PlatformEvent, address: str, port: int) -> None:
    """Tell one controller; when that gets lost, it repeats its event."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as through:
            through.setblocking(False)
            through.sendto(acknowledgement(event), (address, port))
    except OSError as error:
        log.debug("an acknowledgement to %s did not get away: %s", address, error)
