"""Tells whether two registrations are the same machine: at registration, and when the devices say so later."""

import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower, Trim
from django.utils.translation import gettext_noop

from apps.components.models import Component, MachineId, MachineIdKind, Status, StatusCause
from apps.components.services import causes
from apps.components.services.cause_rows import REGISTRATION
from apps.core.phrases import Phrase
from apps.core.rows import among, insert
from apps.drivers.contract import IdentityFacts

SAME_MACHINE = "same-machine"
SAME_AS = gettext_noop("Same machine as %(name)s.")
SAME_AS_NUMBER = gettext_noop("Same machine as component %(id)s.")
# What so many components say belongs to none of them: MAC addresses of USB network cards of BMCs and of VRRP; numbers
# that a maker never changed, or that were cloned. One machine may well be registered once for each way of managing it.
CROWDS = {MachineIdKind.MAC: 3, MachineIdKind.UUID: 6, MachineIdKind.SERIAL: 6}

Ids = frozenset[tuple[str, str]]

# What firmware says when nobody wrote a serial number into it; compared without case, spaces and punctuation.
_NO_SERIAL = frozenset(
    {
        "tobefilledbyoem", "tobefilledbyo.e.m", "none", "na", "null", "nil", "unknown", "notspecified", "notavailable",
        "notapplicable", "notpresent", "default", "defaultstring", "systemserialnumber", "serialnumber", "serial",
        "chassisserialnumber", "baseboardserialnumber", "invalid", "empty", "oem", "undefined", "test", "xxxx",
        "123456789", "1234567890", "0123456789",
    }
)  # fmt: skip


def is_real_uuid(value: uuid.UUID) -> bool:
    """Say whether a hardware UUID identifies anything: all zeros and all ones do not."""
    return 0 < value.int < 2**128 - 1


def in_both_orders(value: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    """Give a hardware UUID, and how it reads when the first three fields are in the other byte order.

    SMBIOS stores them last byte first, older firmware did not, and controllers pass on either.
    """
    return value, uuid.UUID(bytes=value.bytes_le)


def uuid_key(value: uuid.UUID) -> str:
    """Give a hardware UUID in the form in which it is compared, whatever its byte order."""
    return str(min(in_both_orders(value)))


def serial_key(serial_number: str) -> str:
    """Give a serial number in the form in which it is compared; empty when it identifies nothing."""
    text = serial_number.strip().casefold()
    bare = re.sub(r"[\W_]+", "", text)
    if not bare or bare in _NO_SERIAL or not bare.strip("0") or not bare.strip("f") or not bare.strip("x"):
        return ""
    return text[:100]


def mac_key(address: str) -> str:
    """Give a MAC address in the form in which it is compared; empty when it does not belong to one machine."""
    digits = re.sub(r"[^0-9a-f]", "", address.casefold())
    if len(digits) != 12 or not digits.strip("0") or not digits.strip("f"):
        return ""
    first = int(digits[:2], 16)
    multicast_or_local = first & 0b11
    virtual_router = digits.startswith(("00005e0001", "00005e0002", "00000c07ac", "00000c9ff"))
    return "" if multicast_or_local or virtual_router else digits


def parse_uuid(text: str | None) -> uuid.UUID | None:
    """Give the hardware UUID that a device said, None when it said none that is one."""
    try:
        value = uuid.UUID(text) if text else None
    except ValueError:
        return None
    return value if value is not None and is_real_uuid(value) else None


def ids_of(facts: IdentityFacts) -> Ids:
    """Give what identifies the machine in what a device said of itself."""
    value = parse_uuid(facts.uuid)
    serial = serial_key(facts.serial_number or "")
    addresses = (*facts.mac_addresses, *facts.controller_mac_addresses)
    found = {(MachineIdKind.MAC.value, key) for address in addresses if (key := mac_key(address))}
    if value is not None:
        found.add((MachineIdKind.UUID.value, uuid_key(value)))
    if serial:
        found.add((MachineIdKind.SERIAL.value, serial))
    return frozenset(found)


def holders(uuid_value: uuid.UUID | None, serial_number: str) -> list[Component]:
    """Give the components that have this UUID or serial number, given or learned."""
    found = Q(pk=None)
    if uuid_value is not None:
        found |= Q(uuid__in=in_both_orders(uuid_value))
        found |= Q(interfaces__machine_ids__kind="uuid", interfaces__machine_ids__value=uuid_key(uuid_value))
    key = serial_key(serial_number)
    if key:
        found |= Q(lowered=key)
        found |= Q(interfaces__machine_ids__kind="serial", interfaces__machine_ids__value=key)
    components = Component.objects.alias(lowered=Lower(Trim("serial_number")))
    return list(components.filter(found).distinct().order_by("pk"))


def remember(said: Mapping[int, IdentityFacts]) -> dict[int, Ids]:
    """Keep the identifying values that interfaces said; gives those that each no longer says, if anything changed."""
    present: dict[int, dict[tuple[str, str], int]] = {pk: {} for pk in said}
    rows = MachineId.objects.filter(interface__in=among(said)).order_by()
    for pk, interface_id, kind, value in rows.values_list("pk", "interface_id", "kind", "value"):
        present[interface_id][kind, value] = pk
    gone: dict[int, Ids] = {}
    old: list[int] = []
    new: list[tuple[int, str, str]] = []
    for interface_id, facts in said.items():
        ids, known = ids_of(facts), present[interface_id]
        if ids != known.keys():
            gone[interface_id] = frozenset(known.keys() - ids)
            old += [known[one] for one in gone[interface_id]]
            new += [(interface_id, kind, value) for kind, value in sorted(ids - known.keys())]
    if old:
        MachineId.objects.filter(pk__in=among(old)).delete()
    insert(MachineId, ("interface_id", "kind", "value"), new)
    return gone


def said_by(**conditions: Any) -> Ids:
    """Give the identifying values that interfaces which meet the conditions said."""
    return frozenset(MachineId.objects.filter(**conditions).order_by().values_list("kind", "value"))


def compare(component_ids: Iterable[int], gone: Iterable[tuple[str, str]] = ()) -> None:
    """Put a cause on each pair of components that are the same machine, and withdraw those that no longer hold.

    ``gone`` are values that somebody no longer says: whether a value belongs to one machine depends on how many say it,
    so who else says it is looked at, too.
    """
    ids = set(component_ids)
    ids |= _concerned(ids, gone)
    twins, marked = _twins(ids), _marked(ids)
    for pk in sorted(ids):
        _settle(pk, twins[pk], marked[pk])


def _concerned(component_ids: Collection[int], gone: Iterable[tuple[str, str]]) -> set[int]:
    """Give those who say the same values; of a crowd only those who were warned while it was none."""
    owners = _owners(said_by(interface__component__in=among(component_ids)) | {*gone})
    pairs = {owner for one, found in owners.items() if not _is_crowd(one[0], len(found)) for owner in found}
    crowds = {owner for one, found in owners.items() if _is_crowd(one[0], len(found)) for owner in found}
    warned = StatusCause.objects.filter(
        component__in=among(crowds), source=REGISTRATION, key__startswith=f"{SAME_MACHINE}:"
    )
    return pairs | (set(warned.order_by().values_list("component", flat=True)) if crowds else set())


def _is_crowd(kind: str, number: int) -> bool:
    return number >= CROWDS[MachineIdKind(kind)]


def _owners(values: Collection[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
    """Give the components whose interfaces say each of these values."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    rows = MachineId.objects.filter(
        kind__in={kind for kind, _value in values}, value__in={value for _kind, value in values}
    )
    for kind, value, owner in rows.order_by().values_list("kind", "value", "interface__component"):
        if (kind, value) in values:
            found[kind, value].add(owner)
    return found


def identifiers(component_id: int) -> set[tuple[str, str]]:
    """Give all by which a component's machine is recognised: what its interfaces say, and what was given or learned."""
    return _identifiers([component_id])[component_id]


def _identifiers(component_ids: Collection[int]) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = {pk: set() for pk in component_ids}
    own = Component.objects.filter(pk__in=among(component_ids)).order_by().values_list("pk", "uuid", "serial_number")
    for pk, value, serial_number in own:
        if value is not None:
            found[pk].add((MachineIdKind.UUID.value, uuid_key(value)))
        if key := serial_key(serial_number):
            found[pk].add((MachineIdKind.SERIAL.value, key))
    said = MachineId.objects.filter(interface__component__in=among(component_ids)).order_by()
    for pk, kind, text in said.values_list("interface__component", "kind", "value"):
        found[pk].add((kind, text))
    return found


def _twins(component_ids: Collection[int]) -> dict[int, set[int]]:
    """Give the other components that share an identifying value with each of these."""
    mine = _identifiers(component_ids)
    owners = _owners(set().union(*mine.values()))
    counted = {
        pk: {one for one in ids if not _is_crowd(one[0], len(owners.get(one, set()) | {pk}))}
        for pk, ids in mine.items()
    }
    given = _given(set().union(*counted.values()))
    return {
        pk: set().union(*(owners.get(one, set()) | given.get(one, set()) for one in ids)) - {pk}
        for pk, ids in counted.items()
    }


def _given(values: Collection[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
    """Give the components that have each of these UUIDs and serial numbers themselves."""
    numbers = [uuid.UUID(value) for kind, value in values if kind == MachineIdKind.UUID]
    serials = [value for kind, value in values if kind == MachineIdKind.SERIAL]
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    if not numbers and not serials:
        return found
    alike = Q(uuid__in=[one for number in numbers for one in in_both_orders(number)]) | Q(lowered__in=serials)
    components = Component.objects.annotate(lowered=Lower(Trim("serial_number"))).filter(alike).order_by()
    for pk, value, serial_number in components.values_list("pk", "uuid", "lowered"):
        found[MachineIdKind.SERIAL.value, serial_number].add(pk)
        if value is not None:
            found[MachineIdKind.UUID.value, uuid_key(value)].add(pk)
    return found


def _marked(component_ids: Collection[int]) -> dict[int, set[int]]:
    """Give the components with which each of these is said to be one machine at the moment."""
    found: dict[int, set[int]] = {pk: set() for pk in component_ids}
    rows = StatusCause.objects.filter(
        component__in=among(component_ids), source=REGISTRATION, key__startswith=f"{SAME_MACHINE}:"
    )
    for pk, key in rows.order_by().values_list("component", "key"):
        found[pk].add(int(key.partition(":")[2]))
    return found


def _settle(component_id: int, twins: set[int], present: set[int]) -> None:
    if not twins and not present:
        return
    people = Component.objects.in_bulk([component_id, *twins])
    me = people.get(component_id)
    if me is None:
        return
    causes.put(
        [
            causes.Cause(
                one.pk, REGISTRATION, f"{SAME_MACHINE}:{other.pk}", Status.WARNING.value, _sentence(one, other)
            )
            for pk, twin in people.items()
            if pk != component_id
            for one, other in ((me, twin), (twin, me))
        ]
    )
    for gone in present - twins:
        causes.withdraw(component_id, REGISTRATION, f"{SAME_MACHINE}:{gone}")
        causes.withdraw(gone, REGISTRATION, f"{SAME_MACHINE}:{component_id}")


def _sentence(one: Component, other: Component) -> Phrase:
    """Name the other one where everybody who reads this may see it: in the same group."""
    if one.group_id == other.group_id:
        return Phrase(SAME_AS, {"name": str(other)})
    return Phrase(SAME_AS_NUMBER, {"id": str(other.pk)})


def twins_of(component: Component) -> list[int]:
    """Give the ids of the components that this one is found to be the same machine as: joining is offered."""
    return [
        int(cause.key.partition(":")[2])
        for cause in component.causes.all()
        if cause.source == REGISTRATION and cause.key.startswith(f"{SAME_MACHINE}:")
    ]


def stored(facts: IdentityFacts) -> dict[str, Any]:
    """Give what a device said of itself as it is kept with the interface; the time it is up is kept elsewhere."""
    said = {name: value for name, value in asdict(facts).items() if value and name != "up_since"}
    for name in ("mac_addresses", "controller_mac_addresses"):
        if name in said:
            said[name] = list(said[name])
    return said
