"""Asks devices who they are and what they are made of: daily, and whenever somebody wants it now."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.components import contact, noting
from apps.components.contact import Line, words
from apps.components.models import InventoryItem, ManagementInterface
from apps.components.services import learning
from apps.core import events, options
from apps.core.writes import turn
from apps.drivers.contract import Driver, Identity, IdentityFacts, Inventory
from apps.drivers.contract import InventoryItem as Item
from apps.monitoring.models import InventoryChange
from apps.monitoring.services import inventory_rows, rounds
from apps.monitoring.services.inventory_changes import UNREAD, Comparison, Facts, Part, held, traits_of
from apps.monitoring.services.periods import INVENTORY, INVENTORY_LEASE
from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Stage, Unreachable, Unsupported

PURPOSE = "inventory"
DEADLINE = 60.0  # seconds: tables of parts are long
AGAIN_KNOWN = timedelta(hours=1)  # after a failure, when the device is known from earlier
AGAIN_UNKNOWN = timedelta(minutes=10)  # when nobody knows yet what it is
BLOCKING_AT_ONCE = 20
INTERFACES_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Told:
    """What one device said of itself."""

    line: Line
    error: ContactError | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    identity: IdentityFacts | None = None
    items: Sequence[Item] | None = None
    is_whole: bool = True  # False: it refused a part of what was asked, which may help in an hour


def read(interface_ids: Iterable[int]) -> dict[int, ContactError | None]:
    """Read identity and parts of these interfaces now; gives how each went. What knows neither is left out."""
    lines = contact.lines(interface_ids, PURPOSE)
    outcome: dict[int, ContactError | None] = {}

    def write(batch: Sequence[Told]) -> None:
        keep(batch)
        outcome.update({told.line.interface_id: told.error for told in batch})

    at_once = options.get("poll_concurrency")
    for blocking in (False, True):
        share = [line for line in lines if bool(line.spec and line.spec.blocking) is blocking]
        rounds.run(share, _ask, write, concurrency=min(BLOCKING_AT_ONCE, at_once) if blocking else at_once)
    return outcome


async def _ask(line: Line, tell: Callable[[Told], None]) -> None:
    try:
        async with contact.open(line, deadline=DEADLINE) as device:
            told = await _read(line, device)
    except ContactError as error:
        told = Told(line, error)
    tell(told)


async def look(line: Line, device: Driver) -> Told:
    """Read it in the conversation of a poll, when that has told its own; each way in which it fails is an answer."""
    device.until = None
    try:
        async with asyncio.timeout(DEADLINE):
            return await _read(line, device)
    except ContactError as error:
        return Told(line, error)
    except TimeoutError:
        told = {"address": line.target.address, "seconds": f"{DEADLINE:g}"}
        return Told(line, Unreachable(contact.TOO_SLOW, stage=Stage.PROTOCOL, **told))
    except Exception as error:
        return Told(line, contact.mistake(line, error))


async def _read(line: Line, device: Driver) -> Told:
    identity, items = None, None
    trouble: DeviceError | Unsupported | None = None
    if isinstance(device, Identity):
        try:
            identity = await device.identify()
        except (DeviceError, Unsupported) as error:
            trouble = error
    if isinstance(device, Inventory):
        try:
            items = await device.read_inventory()
        except (DeviceError, Unsupported) as error:
            trouble = error
    if trouble is not None and identity is None and items is None:
        raise trouble
    # The driver's state belongs to the polls: rates are made between two of them.
    return Told(line, identity=identity, items=items, is_whole=not isinstance(trouble, DeviceError))


def keep(batch: Sequence[Told]) -> None:
    """Write what devices said of themselves."""
    answered = [told for told in batch if told.error is None]
    learning.learn_many((told.line.interface_id, told.identity) for told in answered if told.identity is not None)
    listed = [(told.line.interface_id, told.items) for told in answered if told.items is not None]
    for start in range(0, len(listed), INTERFACES_AT_ONCE):
        _keep_items(listed[start : start + INTERFACES_AT_ONCE])
    # A refused login must stop further ones; whether a device is there at all, the polls find out and count.
    refused = [told for told in batch if isinstance(told.error, AuthenticationFailed) and told.line.purpose == PURPOSE]
    noting.note([noting.Outcome(told.line, told.error) for told in refused])
    _ask_tomorrow([told.line.interface_id for told in answered if told.is_whole])
    _ask_again([told.line.interface_id for told in batch if told.error is not None or not told.is_whole])
    events.publish("component")


def _keep_items(listed: Sequence[tuple[int, Sequence[Item]]]) -> None:
    """Make the rows exactly what was listed, by difference."""
    now = timezone.now()
    with turn():
        wanted = [interface_id for interface_id, _items in listed]
        present = set(ManagementInterface.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        same = inventory_rows.unchanged(listed, _facts)
        rows: dict[int, dict[tuple[str, str], InventoryItem]] = defaultdict(dict)
        for row in InventoryItem.objects.filter(interface__in=[pk for pk in wanted if pk not in same]).order_by("pk"):
            rows[row.interface_id][row.kind, row.key] = row
        new: list[InventoryItem] = []
        changed: list[InventoryItem] = []
        gone: list[int] = []
        kept: list[int] = []
        told: list[InventoryChange] = []
        for interface_id, items in listed:
            if interface_id in present and interface_id not in same:
                mine = rows[interface_id]
                comparison = Comparison.of(interface_id, mine.values())
                kept += _compare(items, mine, comparison, new, changed, gone)
                told += comparison.told(now)
        old = set(kept)
        for row in (*new, *changed):
            row.read_at = row.read_at if row.pk in old else now
        if gone:
            InventoryItem.objects.filter(pk__in=gone).delete()
        inventory_rows.insert(new)
        if changed:
            InventoryItem.objects.bulk_update(
                changed, ["name", "status", "details", "section", "traits", "read_at"], batch_size=100
            )
        InventoryChange.objects.bulk_create(told, batch_size=200)
        InventoryItem.objects.filter(interface__in=present).exclude(pk__in=kept).update(read_at=now)


def _compare(
    items: Sequence[Item],
    rows: dict[tuple[str, str], InventoryItem],
    comparison: Comparison,
    new: list[InventoryItem],
    changed: list[InventoryItem],
    gone: list[int],
) -> list[int]:
    """Sort out what is new, changed and gone; gives what is as it was told before, because it could not be read."""
    unread = {item.section for item in items if item.unread is not None}
    partial = any(item.partial for item in items)
    listed: set[tuple[str, str]] = set()
    kept: list[int] = []
    for item in items:
        place = inventory_rows.place_of(item)
        if place in listed:
            continue
        listed.add(place)
        row = rows.get(place)
        said = facts = _facts(item)
        if partial:
            facts = held(said, row, item)
        if row is None:
            row = InventoryItem(interface_id=comparison.interface_id, kind=place[0], key=place[1])
            row.name, row.status, row.details, row.section, row.traits = facts
            new.append(row)
            comparison.came(row)
            continue
        if facts[2] != said[2]:
            kept.append(row.pk)
        if (row.name, row.status, row.details, row.section, row.traits) != facts:
            before = Part.of(row)
            row.name, row.status, row.details, row.section, row.traits = facts
            changed.append(row)
            comparison.differs(before, row)
    for place, row in rows.items():
        if place in listed:
            continue
        if (partial or row.section in unread) and not row.key.startswith(UNREAD):
            kept.append(row.pk)
        else:
            gone.append(row.pk)
            comparison.went(row)
    return kept


def _facts(item: Item) -> Facts:
    """Give what the row of a part says."""
    status = item.status.value if item.status else ""
    return item.name.replace("\x00", "")[:300], status, _details(item), item.section[:40], traits_of(item)


def _details(item: Item) -> dict[str, Any]:
    """Give the details of a part; why a section was not read is kept as a phrase, and read in any language."""
    if item.unread is None:
        return _plain(item.details)
    return _plain({label: words(item.unread).as_json() for label in item.details})


def _plain(details: Mapping[str, Any]) -> dict[str, Any]:
    return {label: value.replace("\x00", "") if isinstance(value, str) else value for label, value in details.items()}


def _ask_tomorrow(interface_ids: Sequence[int]) -> None:
    """Make a day of the hour for which an inventory was claimed; what was read out of turn keeps its turn."""
    lease = timedelta(seconds=INVENTORY_LEASE)
    claimed = ManagementInterface.objects.filter(pk__in=interface_ids, next_inventory_at__lte=timezone.now() + lease)
    with turn():
        claimed.update(next_inventory_at=F("next_inventory_at") + timedelta(seconds=INVENTORY) - lease)


def _ask_again(interface_ids: Sequence[int]) -> None:
    """Do not wait a whole day for a device that did not answer just now."""
    now = timezone.now()
    failed = ManagementInterface.objects.filter(pk__in=interface_ids)
    with turn():
        failed.filter(identity={}, next_inventory_at__gt=now + AGAIN_UNKNOWN).update(
            next_inventory_at=now + AGAIN_UNKNOWN
        )
        failed.exclude(identity={}).filter(next_inventory_at__gt=now + AGAIN_KNOWN).update(
            next_inventory_at=now + AGAIN_KNOWN
        )
