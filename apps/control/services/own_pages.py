"""Where the web page of a component's own controller is."""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from apps.components.models import Component, ManagementInterface
from apps.drivers import registry
from apps.drivers.contract import OWN_PAGE


def of(component: Component, interfaces: Sequence[ManagementInterface] | None = None) -> str | None:
    """Give its address; None where no way of managing has one. Only http and https are followed."""
    rows = component.interfaces.filter(enabled=True).order_by("pk") if interfaces is None else interfaces
    specs = registry.specs()
    for row in rows:
        spec = specs.get(row.driver)
        if spec is None or not spec.own_page or not row.enabled:
            continue
        said = str(row.parameters.get(OWN_PAGE) or "").strip()
        address = said or f"https://{_host(row.address)}/"
        if is_web(address):
            return address
    return None


def is_web(address: str) -> bool:
    """Say whether a browser may be led there."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _host(address: str) -> str:
    try:
        return f"[{address}]" if isinstance(ip_address(address), IPv6Address) else address
    except ValueError:
        return address
