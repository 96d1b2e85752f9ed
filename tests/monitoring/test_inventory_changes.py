"""What is remembered of parts that appeared, went or became others, and what is not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.components import contact
from apps.components.models import InventoryItem, ManagementInterface
from apps.core import actors, options
from apps.drivers.contract import InventoryItem as Item
from apps.drivers.contract import InventoryKind, Status
from apps.monitoring.models import InventoryChange
from apps.monitoring.services import inventory, retention
from apps.protocols.errors import Unreachable
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db

SYSTEM = Item(InventoryKind.SYSTEM, "system", "web-01", details={"Model": "DL360"})
OFF = Item(InventoryKind.SYSTEM, "system", "web-01", details={"Model": "DL360"}, partial=True)


def drive(bay: int, serial: str, firmware: str = "HPG3", **about: Any) -> Item:
    details = {"Size (bytes)": 960 * 10**9, "Serial number": serial, "Firmware": firmware, "Media life left": "97 %"}
    passing = frozenset({"Media life left"})
    return Item(
        InventoryKind.STORAGE, f"drive.{bay}", f"Bay {bay}", Status.NORMAL, details, "storage", passing=passing, **about
    )


def dimm(slot: int) -> Item:
    return Item(InventoryKind.MEMORY, f"memory.{slot}", f"DIMM {slot}", details={"Size (bytes)": 2**36})


def unread(section: str) -> Item:
    error = Unreachable("%(address)s did not answer within %(seconds)s s.", address="192.0.2.9", seconds="9")
    details = {"Not read": str(error)}
    return Item(InventoryKind.STORAGE, f"unread.{section}", "Storage", Status.UNKNOWN, details, section, error)


def read(interface: ManagementInterface, *items: Item) -> list[tuple[str, str, list[Any]]]:
    """Let a device list its parts; gives what was written down at that: what became of which part, and facts."""
    seen = set(InventoryChange.objects.values_list("pk", flat=True))
    (line,) = contact.lines([interface.pk], "inventory")
    inventory.keep([inventory.Told(line, items=items)])
    rows: Sequence[InventoryChange] = InventoryChange.objects.exclude(pk__in=seen).order_by("pk")
    return [(row.change, row.name, row.facts) for row in rows]


def test_parts_that_appear_vanish_are_replaced_or_changed_are_written_down():
    device = fake_device()
    assert read(device, SYSTEM, drive(1, "A"), drive(2, "B"), dimm(1)) == []  # everything would be new
    assert read(device, SYSTEM, drive(1, "A"), drive(2, "B"), dimm(1)) == []
    assert read(device, SYSTEM, drive(1, "A", "HPG4"), drive(2, "C"), dimm(2)) == [
        ("gone", "DIMM 1", [["Size (bytes)", 2**36, None]]),
        ("appeared", "DIMM 2", [["Size (bytes)", None, 2**36]]),
        ("changed", "Bay 1", [["Firmware", "HPG3", "HPG4"]]),
        ("replaced", "Bay 2", [["Serial number", "B", "C"]]),
    ]
    renamed = Item(InventoryKind.SYSTEM, "system", "web-02", details={"Model": "DL360", "Asset tag": "7"})
    assert read(device, renamed, drive(1, "A", "HPG4"), drive(2, "C"), dimm(2)) == [
        ("changed", "web-02", [["Name", "web-01", "web-02"], ["Asset tag", None, "7"]])
    ]
    row = InventoryChange.objects.get(change="replaced")
    assert (row.interface, row.kind, row.key, row.words) == (device, "storage", "drive.2", "B C")
    assert timezone.now() - row.at < timedelta(minutes=1)


def test_how_a_part_is_and_what_changes_by_itself_is_no_change():
    device = fake_device()
    bridge = Item(InventoryKind.NETWORK, "if.9", "veth1", details={"MAC address": "02:00:00:00:00:09"}, lasting=False)
    read(device, SYSTEM, drive(1, "A"), bridge)
    worn = Item(
        *(InventoryKind.STORAGE, "drive.1", "Bay 1", Status.CRITICAL),
        {**drive(1, "A").details, "Media life left": "2 %"},
        "storage",
        passing=frozenset({"Media life left"}),
    )
    assert read(device, SYSTEM, worn) == []
    assert InventoryItem.objects.get(key="drive.1").details["Media life left"] == "2 %"
    assert read(device, SYSTEM, worn, bridge) == []
    ((change, _name, facts),) = read(device, SYSTEM)  # the bridge went as well
    assert (change, sorted(facts)) == (
        "gone",
        [["Firmware", "HPG3", None], ["Serial number", "A", None], ["Size (bytes)", 960 * 10**9, None]],
    )


def test_parts_that_are_only_numbered_anew_are_the_same():
    device = fake_device()

    def disk(number: int, path: str) -> Item:
        return Item(InventoryKind.STORAGE, f"storage.{number}", path, details={"Size (bytes)": 10**12})

    read(device, disk(31, "/"), disk(36, "/home"), disk(37, "/srv"))
    assert read(device, disk(36, "/"), disk(31, "/home"), disk(50, "/srv")) == []
    assert read(device, disk(31, "/home"), disk(50, "/srv")) == [("gone", "/", [["Size (bytes)", 10**12, None]])]


@pytest.mark.parametrize(("size", "changes"), [(2**36 - 10**8, 0), (2**35, 1)])
def test_a_size_that_drifts_a_little_is_the_same(size, changes):
    device = fake_device()
    read(device, dimm(1))
    assert len(read(device, replace(dimm(1), details={"Size (bytes)": size}))) == changes


def test_a_section_that_could_not_be_read_says_nothing():
    device = fake_device()
    read(device, SYSTEM, drive(1, "A"))
    assert read(device, SYSTEM, unread("storage")) == []
    assert read(device, SYSTEM, drive(1, "A")) == []
    assert read(device, SYSTEM, unread("storage")) == []
    assert [change for change, *_rest in read(device, SYSTEM, drive(1, "B"))] == ["replaced"]  # while nobody could look

    other = fake_device()
    read(other, SYSTEM, unread("storage"))
    assert read(other, SYSTEM, drive(1, "A")) == []  # it is listed for the first time
    assert [name for _change, name, _facts in read(other, SYSTEM, drive(1, "A"), drive(2, "B"))] == ["Bay 2"]


def test_what_a_machine_cannot_tell_while_it_is_off_stays_as_it_was_told():
    device = fake_device()
    read(device, SYSTEM, drive(1, "A"), dimm(1))
    yesterday = timezone.now() - timedelta(days=1)
    InventoryItem.objects.update(read_at=yesterday)
    silent = Item(
        *(InventoryKind.STORAGE, "drive.1", "Bay 1"),
        details={"State": "not available (power off)"},
        section="storage",
        passing=frozenset({"State"}),
        partial=True,
    )
    for _time in range(2):
        assert read(device, OFF, silent) == []
    rows = {row.key: row for row in InventoryItem.objects.all()}
    assert rows.keys() == {"system", "drive.1", "memory.1"}
    assert rows["drive.1"].details == {**drive(1, "A").details, "State": "not available (power off)"}
    assert [row.read_at == yesterday for row in rows.values()] == [
        key in ("drive.1", "memory.1") for key in rows
    ]  # what is shown of them is old
    assert read(device, SYSTEM, drive(1, "A"), dimm(1)) == []
    row = InventoryItem.objects.get(key="drive.1")
    assert "State" not in row.details
    assert row.read_at > yesterday
    busy = Item(InventoryKind.STORAGE, "drive.1", "drive.1", section="storage", partial=True)
    assert read(device, SYSTEM, busy) == []  # it could not even say its name
    assert InventoryItem.objects.get(key="drive.1").name == "Bay 1"

    read(device, OFF, silent)
    assert [(change, name) for change, name, _facts in read(device, SYSTEM, drive(1, "B"), dimm(1), dimm(2))] == [
        ("appeared", "DIMM 2"),
        ("replaced", "Bay 1"),
    ]  # as hardware is changed while a machine is off


def test_a_machine_that_was_off_when_it_was_first_seen_begins_when_it_is_on():
    device = fake_device()
    silent = Item(InventoryKind.STORAGE, "drive.1", "Bay 1", details={"State": "off"}, partial=True)
    assert read(device, OFF, silent) == []
    assert read(device, OFF, silent) == []
    assert read(device, SYSTEM, drive(1, "A"), dimm(1)) == []
    assert [name for _change, name, _facts in read(device, SYSTEM, drive(1, "A"))] == ["DIMM 1"]


def test_what_did_not_change_costs_no_query_more():
    device = fake_device()
    parts = [SYSTEM, *(drive(bay, f"S{bay}") for bay in range(40))]
    read(device, *parts)
    with CaptureQueriesContext(connection) as unchanged:
        read(device, *parts)
    assert not [query for query in unchanged.captured_queries if "INSERT" in query["sql"]]
    with CaptureQueriesContext(connection) as changed:
        assert len(read(device, SYSTEM, *(drive(bay, f"T{bay}") for bay in range(40)))) == 40
    inserts = [query for query in changed.captured_queries if "monitoring_inventorychange" in query["sql"][:60]]
    assert len([query for query in inserts if query["sql"].startswith("INSERT")]) == 1


def test_changes_are_forgotten_after_the_days_of_the_option():
    device = fake_device()
    read(device, SYSTEM, dimm(1))
    read(device, SYSTEM)
    read(device, SYSTEM, dimm(1))
    assert options.get("inventory_change_retention") == 730
    oldest = InventoryChange.objects.earliest("pk")
    InventoryChange.objects.filter(pk=oldest.pk).update(at=timezone.now() - timedelta(days=731))
    assert retention.forget_old() == 1
    assert InventoryChange.objects.get().change == "appeared"
    InventoryChange.objects.update(at=timezone.now() - timedelta(days=9999))
    options.set_value("inventory_change_retention", 0, actors.SYSTEM)
    assert retention.forget_old() == 0
