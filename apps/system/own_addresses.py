"""Whether the addresses by which devices know this portal stay: a leased one may be another one tomorrow.

Devices are told to which address they send their alerts, and agents know their manager by its address. What is leased,
``ip`` of iproute2 knows; where there is no such program nobody is warned.
"""

import ipaddress
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.alerts.subscriptions import here
from apps.components.models import ManagementInterface
from apps.core import options
from apps.core.cautions import Caution

RESERVED = "reserved_addresses"
FOREVER = 0xFFFFFFFF  # seconds: how the kernel says that an address has no end
PLACES = "/usr/sbin:/sbin:/usr/bin:/bin"  # a service may run without the folders of the administrator's programs
LISTING = ("-json", "address", "show")
PATIENCE = 2.0  # seconds
SOMEWHERE = "192.0.2.1"  # nothing is sent: it goes wherever the default route leads
MOST_LOOKED_AT = 200  # networks of devices


@dataclass(frozen=True, slots=True)
class Leased:
    """An address of this machine that somebody gave for a time."""

    address: str
    device: str


def leased(listing: str) -> list[Leased]:
    """Read what ``ip -json address show`` wrote; what cannot be read names nothing.

    An address of IPv6 that is made of a router's announcement stays as long as its network is called the same, unless
    it is a temporary one.
    """
    try:
        links: Any = json.loads(listing)
    except ValueError:
        return []
    found = []
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, dict):
            continue
        for one in _parts(link.get("addr_info")):
            if _is_leased(one) and isinstance(one.get("local"), str):
                found.append(Leased(one["local"], str(link.get("ifname", ""))))
    return found


def _parts(rows: Any) -> Iterator[dict[str, Any]]:
    yield from (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict))


def _is_leased(one: dict[str, Any]) -> bool:
    lifetime = one.get("valid_life_time", FOREVER)
    ends = one.get("dynamic") is True or (isinstance(lifetime, int) and lifetime < FOREVER)
    announced = one.get("mngtmpaddr") is True or one.get("protocol") == "kernel_ra"
    return ends and (one.get("temporary") is True or not announced)


def listing() -> str:
    """Ask ``ip`` for the addresses of this machine; nothing where it is not there or does not answer in time."""
    program = shutil.which("ip", path=PLACES) or shutil.which("ip")
    if program is None:
        return ""
    try:
        done = subprocess.run([program, *LISTING], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def known_by() -> set[str]:
    """Give the addresses of ours that devices know: those we listen at, or by which we reach them, and the entered."""
    binds = {word.strip().strip("[]") for word in settings.BIND.split(",") if word.strip()}
    outside = {bind for bind in binds if not _is_loopback(bind)}
    if not outside:
        return set()  # nothing reaches the portal but this machine itself
    entered = {here.chosen_host(), str(options.get("report_address") or "")} - {""}
    if not outside & here.EVERYWHERE:
        return outside | entered
    return entered | _towards(_devices() or [SOMEWHERE])


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _devices() -> list[str]:
    """Give an address of each network in which devices are managed: one tells the way to all of it."""
    found: dict[str, str] = {}
    rows = ManagementInterface.objects.managed().order_by().values_list("address", flat=True).distinct()
    for address in rows.iterator():
        with suppress(ValueError):
            number = ipaddress.ip_address(address)
            network = ipaddress.ip_network(f"{address}/{24 if number.version == 4 else 64}", strict=False)
            if not number.is_loopback:
                found.setdefault(str(network), address)
        if len(found) >= MOST_LOOKED_AT:
            break
    return list(found.values())


def _towards(addresses: Iterable[str]) -> set[str]:
    found = set()
    for address in addresses:
        with suppress(here.Nowhere):
            found.add(here.towards(address))
    return found


def check(words: Sequence[str]) -> None:
    """Refuse what is no address in the one form in which addresses are compared."""
    for word in words:
        try:
            same = str(ipaddress.ip_address(word)) == word
        except ValueError:
            same = False
        if not same:
            raise ValidationError(_("%(word)s is not an IP address.") % {"word": word[:60]})


def cautions() -> Iterable[Caution]:
    """Give the addresses that devices know and that are only leased, unless somebody says that they are reserved."""
    known = known_by() - set(options.get(RESERVED))
    if not known:
        return []
    sentence = _(
        "Devices know this portal by %(address)s (%(device)s), which is leased by DHCP and may change: then no alert "
        "arrives any more. Give this machine a fixed address, or reserve it in the DHCP server and name it in the "
        "option “Reserved addresses of this machine”."
    )
    return [
        Caution(
            sentence % {"address": one.address, "device": one.device},
            reverse("settings:option", "esm.urls", [RESERVED]),
        )
        for one in leased(listing())
        if one.address in known
    ]
