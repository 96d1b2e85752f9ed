"""Keeps which addresses the host names of interfaces stand for.

A device that was registered by name sends its alerts from an address. What a name stood for last is kept, so that it is
known who that was, also while the name service is away.
"""

import asyncio
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from apps.components.addresses import clean_host
from apps.components.models import ManagementInterface
from apps.core.writes import turn
from apps.drivers import registry

AT_ONCE = 50  # names that are looked up together
WITHIN = 5.0  # seconds
MOST = 16  # addresses of one name
ROWS = 500  # interfaces in one transaction

Names = Mapping[str, Sequence[str]]
"""Host name → the addresses that it stands for; none where nobody knows it."""


def is_name(address: str) -> bool:
    """Say whether an interface's address is a host name."""
    # IPv6 has colons; of a name the last label is no number. This is asked of ten thousand every minute.
    return bool(address) and ":" not in address and not address.rpartition(".")[2].isdigit()


def in_use() -> set[str]:
    """Give the host names of all managed interfaces, further ones of a device with them."""
    rows = ManagementInterface.objects.managed().order_by().values_list("driver", "address", "parameters")
    return {name for driver, address, more in rows.iterator(2000) for name in names_of(driver, address, more)}


def names_of(driver: str, address: str, parameters: Mapping[str, Any]) -> list[str]:
    """Give the host names that one interface is reached by."""
    return [one for one in (address, *further_hosts(driver, parameters)) if is_name(one)]


def further_hosts(driver: str, parameters: Mapping[str, Any]) -> list[str]:
    """Give the further addresses and host names of an interface's device, such as that of a second LAN port."""
    spec = registry.specs().get(driver)
    found = []
    for parameter in spec.parameters if spec is not None and parameters else ():
        if parameter.is_address and parameters.get(parameter.name):
            try:
                found.append(clean_host(str(parameters[parameter.name])))
            except ValidationError:
                continue
    return found


async def look_up(names: Collection[str]) -> dict[str, list[str]]:
    """Ask the system's resolver what names stand for; the first address is the one to speak with."""
    found: dict[str, list[str]] = {}
    waiting = iter(names)

    async def ask() -> None:
        for name in waiting:
            found[name] = await _addresses(name)

    await asyncio.gather(*(ask() for _ in range(min(AT_ONCE, len(names)))))
    return found


async def _addresses(name: str) -> list[str]:
    try:
        async with asyncio.timeout(WITHIN):
            answers = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, ValueError):
        return []
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))[:MOST]


def keep(found: Names) -> None:
    """Keep what names stand for now; one that nobody knows at the moment stands for what it did last."""
    told = {name: sorted(addresses) for name, addresses in found.items() if addresses}
    changed = []
    for row in _reached_by(list(told)):
        names = names_of(row.driver, row.address, row.parameters)
        now = {name: told.get(name) or row.stands_for.get(name) for name in names}
        now = {name: addresses for name, addresses in now.items() if addresses}
        if now != row.stands_for:
            row.stands_for = now
            changed.append(row)
    for start in range(0, len(changed), ROWS):
        with turn():
            ManagementInterface.objects.bulk_update(changed[start : start + ROWS], ["stands_for"], batch_size=100)


def _reached_by(names: Sequence[str]) -> list[ManagementInterface]:
    """Give the interfaces that may be reached by one of these names."""
    if not names:
        return []
    rows = ManagementInterface.objects.only("driver", "address", "parameters", "stands_for").order_by("pk")
    found = {row.pk: row for row in rows.filter(driver__in=_with_further()).exclude(parameters={}).iterator(2000)}
    for start in range(0, len(names), ROWS):
        found |= {row.pk: row for row in rows.filter(address__in=names[start : start + ROWS])}
    return [found[pk] for pk in sorted(found)]


def _with_further() -> list[str]:
    """Give the drivers whose devices may have further addresses."""
    return [spec.name for spec in registry.specs().values() if any(one.is_address for one in spec.parameters)]


def further_addresses() -> Iterator[tuple[int, str]]:
    """Give (component, address) for what is set as a further address of a device."""
    rows = ManagementInterface.objects.filter(driver__in=_with_further()).exclude(parameters={}).order_by("pk")
    for component_id, driver, parameters in rows.values_list("component", "driver", "parameters"):
        for host in further_hosts(driver, parameters):
            if not is_name(host):
                yield component_id, host


def known_addresses() -> Iterator[tuple[int, str]]:
    """Give (component, address) for all that names of interfaces stood for last."""
    rows = ManagementInterface.objects.exclude(stands_for={}).order_by("pk")
    for component_id, driver, address, parameters, stands_for in rows.values_list(
        "component", "driver", "address", "parameters", "stands_for"
    ):
        for name in names_of(driver, address, parameters):
            for one in stands_for.get(name, ()):
                yield component_id, str(one)


def addresses_of(row: ManagementInterface) -> set[str]:
    """Give all addresses from which the device of an interface may send, as far as they are known."""
    hosts = {row.address, *further_hosts(row.driver, row.parameters)}
    stood_for = {str(one) for name in hosts for one in row.stands_for.get(name, ())}
    return stood_for | {host for host in hosts if not is_name(host)}
