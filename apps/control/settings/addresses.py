"""The addresses of the portal as devices see them."""

from contextlib import suppress
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.alerts.subscriptions import here
from apps.components.models import ManagementInterface
from apps.core import options


def own_address(interface: ManagementInterface) -> str:
    """Give the address to which a device reports: that of the option, else the one by which we reach it."""
    if entered := options.get("report_address"):
        return str(entered)
    found = ""
    with suppress(here.Nowhere):
        found = here.towards(interface.address)
    if "." not in found:  # destinations of traps are of IPv4
        raise ValidationError(
            _("Set the option “Address for alerts”: it is not known by which address %(address)s reaches the portal.")
            % {"address": interface.address}
        )
    return found


def own_addresses(interface: ManagementInterface) -> set[str]:
    """Give all addresses by which a device may know the portal: of the options, and the one by which we reach it."""
    found = {str(options.get("report_address") or "")}
    with suppress(here.Nowhere):
        found.add(here.towards(interface.address))
        found.add(urlsplit(here.place_for(interface.address)).hostname or "")
    return found - {""}
