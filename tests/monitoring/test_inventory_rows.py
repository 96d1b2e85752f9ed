"""Inventories that are as they were cost little, and whatever became of their rows is mended by the next one."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.components.models import Component, InventoryItem, MachineId, ManagementInterface, StatusCause
from apps.components.services import joining, learning
from apps.core.actors import SYSTEM
from apps.drivers.contract import IdentityFacts, InventoryKind
from apps.drivers.contract import InventoryItem as Item
from apps.drivers.fake.driver import FakeDriver
from apps.monitoring.models import Sample
from apps.monitoring.services import inventory, inventory_rows, polling
from apps.protocols.errors import Unreachable
from tests.factories import make_component, make_credential, make_interface
from tests.ipmi_sim import PASSWORD, USERNAME, ipmi_sim
from tests.monitoring.conftest import fake_device
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401

pytestmark = pytest.mark.django_db

FAN = Item(InventoryKind.OTHER, "fan.1", "Fan 1", details={"Speed": 4200, "Note": "left\x00"}, section="cooling")
DIMM = Item(InventoryKind.MEMORY, "dimm.1", "DIMM 1", details={"Size (bytes)": 2**34, "Module": None})
UNREAD = Item(
    *(InventoryKind.OTHER, "unread.cooling", "Cooling"),
    details={"Not read": "silent"},
    section="cooling",
    unread=Unreachable("%(address)s is silent", address="192.0.2.9"),
)


def told() -> list[tuple[Any, ...]]:
    """Give what the rows say."""
    rows = InventoryItem.objects.order_by("interface", "key")
    return list(rows.values_list("interface", "key", "name", "details", "section"))


def keep(*listed: tuple[ManagementInterface, Sequence[Item]]) -> None:
    """Write what devices listed."""
    inventory._keep_items([(interface.pk, items) for interface, items in listed])


def make_old() -> None:
    """Let all rows be of yesterday."""
    InventoryItem.objects.update(read_at=timezone.now() - timedelta(days=1))


def is_fresh() -> bool:
    """Say whether every row was read just now."""
    return not InventoryItem.objects.filter(read_at__lt=timezone.now() - timedelta(minutes=5)).exists()


def test_what_is_as_it_was_is_found_by_one_look_and_only_its_age_is_written():
    one, two, three = (fake_device() for _ in range(3))
    listed = [(one, [FAN, DIMM]), (two, [DIMM]), (three, [])]
    keep(*listed)
    before = told()
    assert [row[1:] for row in before if row[0] == one.pk] == [
        ("dimm.1", "DIMM 1", {"Size (bytes)": 2**34, "Module": None}, ""),
        ("fan.1", "Fan 1", {"Speed": 4200, "Note": "left"}, "cooling"),
    ]
    make_old()
    ids = set(InventoryItem.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as asked:
        keep(*listed)
    words = [query["sql"].split()[0] for query in asked if "components_inventoryitem" in query["sql"]]
    assert words.count("UPDATE") == 1
    assert set(words) == {"SELECT", "UPDATE"}
    assert (told(), is_fresh()) == (before, True)
    assert set(InventoryItem.objects.values_list("pk", flat=True)) == ids


@pytest.mark.parametrize(
    "harm",
    [
        lambda rows: rows.filter(key="fan.1").delete(),
        lambda rows: rows.filter(key="fan.1").update(name="Fan 2"),
        lambda rows: rows.filter(key="fan.1").update(details={"Speed": 4200}),
        lambda rows: rows.filter(key="fan.1").update(status="warning"),
        lambda rows: rows.filter(key="fan.1").update(section=""),
        lambda rows: rows.filter(key="fan.1").update(key="fan.2"),
        lambda rows: rows.filter(key="fan.1").update(kind="memory"),
        lambda rows: rows.all().delete(),
        lambda rows: rows.create(interface=rows[0].interface, kind="other", key="fan.9", name="A fan that nobody has"),
    ],
    ids=["removed", "name", "details", "status", "section", "key", "kind", "all-removed", "added"],
)
def test_whatever_somebody_does_to_rows_the_next_inventory_makes_them_right(harm):
    interface, neighbour = fake_device(), fake_device()
    listed = [(interface, [FAN, DIMM]), (neighbour, [DIMM])]
    keep(*listed)
    before = told()
    harm(InventoryItem.objects.filter(interface=interface))
    keep(*listed)
    assert told() == before


def test_a_write_that_was_cut_off_leaves_nothing_that_the_next_one_believes(monkeypatch):
    interface = fake_device()
    keep((interface, [FAN]))
    before = told()

    def cut_off(new):
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(inventory_rows, "insert", cut_off)
        with pytest.raises(ConnectionError):
            keep((interface, [DIMM]))
    assert told() == before
    keep((interface, [DIMM]))
    assert [row[1] for row in told()] == ["dimm.1"]


def test_two_workers_that_list_a_new_device_at_once_leave_each_part_once(monkeypatch):
    interface = fake_device()
    insert = inventory_rows.insert

    def after_the_other(new):
        rows = list(new)
        insert(rows[:1])  # what the other one has written meanwhile
        insert(rows)

    monkeypatch.setattr(inventory_rows, "insert", after_the_other)
    keep((interface, [FAN, DIMM]))
    monkeypatch.undo()
    assert [row[1] for row in told()] == ["dimm.1", "fan.1"]


def test_a_section_that_could_not_be_read_keeps_its_age_although_all_rows_are_as_listed():
    interface = fake_device()
    keep((interface, [FAN, DIMM]))
    make_old()
    for _time in range(2):
        keep((interface, [UNREAD, DIMM]))
        ages = dict(InventoryItem.objects.values_list("key", "read_at"))
        assert list(ages) == ["dimm.1", "fan.1", "unread.cooling"]
        assert timezone.now() - ages["fan.1"] > timedelta(hours=23)
        assert timezone.now() - ages["dimm.1"] < timedelta(minutes=5)
    keep((interface, [FAN, DIMM]))
    assert ([row[1] for row in told()], is_fresh()) == (["dimm.1", "fan.1"], True)


def test_rows_that_moved_with_their_interface_and_those_that_went_are_listed_right_again():
    controller, agent = fake_device(), fake_device()
    keep((controller, [FAN]), (agent, [DIMM]))
    component, other = controller.component, agent.component
    joining.join(component, other, SYSTEM)
    keep((controller, [FAN]), (agent, [DIMM]))
    assert [row[:2] for row in told()] == [(controller.pk, "fan.1"), (agent.pk, "dimm.1")]
    agent.refresh_from_db()
    made = joining.split(agent, SYSTEM)
    InventoryItem.objects.filter(interface=agent).delete()
    keep((controller, [FAN]), (agent, [DIMM]))
    assert [row[:2] for row in told()] == [(controller.pk, "fan.1"), (agent.pk, "dimm.1")]
    assert list(made.interfaces.values_list("pk", flat=True)) == [agent.pk]


def test_an_interface_that_was_removed_meanwhile_costs_no_other_its_list():
    interface, gone = fake_device(), fake_device()
    keep((interface, [FAN]), (gone, [FAN]))
    listed = [(interface, [FAN, DIMM]), (ManagementInterface(pk=gone.pk), [FAN, DIMM])]
    gone.delete()
    keep(*listed)
    assert [row[:2] for row in told()] == [(interface.pk, "dimm.1"), (interface.pk, "fan.1")]


# --- in the conversation of a poll ------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """Give the addresses that were spoken to, one for each conversation."""
    found: list[str] = []
    enter = FakeDriver.__aenter__

    async def counted(self):
        found.append(self.target.address)
        return await enter(self)

    monkeypatch.setattr(FakeDriver, "__aenter__", counted)
    return found


def test_a_poll_lists_the_parts_in_the_same_conversation(opened):
    listed, polled = fake_device(), fake_device()
    due = timezone.now()
    ManagementInterface.objects.filter(pk=listed.pk).update(next_inventory_at=due)
    assert polling.poll([listed.pk, polled.pk], listed={listed.pk}) == {listed.pk: None, polled.pk: None}
    assert sorted(opened) == sorted([listed.address, polled.address])
    assert {row[0] for row in told()} == {listed.pk}
    listed.refresh_from_db()
    polled.refresh_from_db()
    assert (listed.identity["manufacturer"], polled.identity) == ("Fake", {})
    assert listed.last_answer_at is not None
    assert listed.next_inventory_at > due


@pytest.mark.parametrize("trouble", [Unreachable("gone", address="192.0.2.9"), ValueError("nonsense")])
def test_parts_that_cannot_be_listed_cost_the_poll_nothing_and_are_asked_for_again_soon(monkeypatch, trouble):
    interface = fake_device()
    ManagementInterface.objects.update(next_inventory_at=timezone.now() + timedelta(days=1))

    async def fail(self):
        raise trouble

    monkeypatch.setattr(FakeDriver, "identify", fail)
    monkeypatch.setattr(FakeDriver, "read_inventory", fail)
    assert polling.poll([interface.pk], listed={interface.pk}) == {interface.pk: None}
    interface.refresh_from_db()
    assert (interface.last_error_code, interface.failures, told()) == ("", 0, [])
    assert interface.next_inventory_at - timezone.now() <= timedelta(minutes=10)


def test_values_are_told_while_the_parts_are_still_being_listed(monkeypatch):
    interface = fake_device()
    written, waited = threading.Event(), []
    monkeypatch.setattr("apps.monitoring.services.rounds.WAIT", 0.05)

    async def take_long(self):
        waited.append(await asyncio.to_thread(written.wait, 30))
        return [DIMM]

    monkeypatch.setattr(FakeDriver, "read_inventory", take_long)
    monkeypatch.setattr("apps.monitoring.services.writing.write", lambda batch: written.set())
    assert polling.poll([interface.pk], listed={interface.pk}) == {interface.pk: None}
    assert waited == [True]
    assert [row[1] for row in told()] == ["dimm.1"]


def test_a_controller_lists_the_same_beside_a_poll_as_alone_and_signs_in_once(
    ilo_program: IloProgram,  # noqa: F811
    tmp_path,
):
    with ipmi_sim(tmp_path) as bmc:
        logins = [("redfish", ilo_program.port, USER, SECRET), ("bmc", bmc.port, USERNAME, PASSWORD)]
        both = []
        for driver, port, name, secret in logins:
            login = make_credential("password", username=name, password=secret)
            about = {"driver": driver, "address": "127.0.0.1", "port": port, "credential": login}
            both.append(make_interface(make_component(), polled=False, **about).pk)
        ilo_program.tell("asked")
        assert polling.poll(both, listed=set(both)) == dict.fromkeys(both)
        asked = ilo_program.tell("asked").split(", ")
        assert len([one for one in asked if one.startswith("POST ")]) == 1
        assert len(asked) == len(set(asked))
        beside = told()
        assert {row[0] for row in beside} == set(both)
        assert Sample.objects.count() == 2
        InventoryItem.objects.all().delete()
        assert inventory.read(both) == dict.fromkeys(both)
        assert told() == beside
        assert (ilo_program.tell("sessions"), bmc.sessions()) == ("0", 0)


def test_a_device_that_does_not_answer_the_poll_is_not_asked_for_its_parts_and_counted_once(opened):
    interface = fake_device(fault="denied")
    polling.poll([interface.pk], listed={interface.pk})
    interface.refresh_from_db()
    assert (interface.last_error_code, interface.failures) == ("authentication_failed", 1)
    assert len(opened) <= 1


# --- who they are, of many at once ------------------------------------------------------------------------------------


def facts(number: int, **changes: Any) -> IdentityFacts:
    """Give what a machine says of itself."""
    told: dict[str, Any] = {
        "name": f"machine-{number}",
        "uuid": f"30313436-3631-5a43-3235-{number:012}",
        "serial_number": f"CZ25{number:04}",
        "manufacturer": "HPE",
        "mac_addresses": (f"94:18:82:00:{number // 256:02x}:{number % 256:02x}",),
    }
    return IdentityFacts(**{**told, **changes})


def test_who_devices_are_is_learned_by_as_many_statements_for_one_as_for_ten():
    rows = [fake_device() for _ in range(11)]
    with CaptureQueriesContext(connection) as one:
        learning.learn(rows[0], facts(0))
    with CaptureQueriesContext(connection) as ten:
        learning.learn_many((row.pk, facts(number)) for number, row in enumerate(rows) if number)
    assert len(ten) <= len(one)
    for number, row in enumerate(rows):
        component = Component.objects.get(pk=row.component_id)
        assert (str(component.uuid), component.serial_number) == (facts(number).uuid, f"CZ25{number:04}")
        assert f"cz25{number:04}" in component.search_text
        assert f"machine-{number}" in component.search_text
        assert MachineId.objects.filter(interface=row).count() == 3


def test_of_two_that_say_one_uuid_at_once_the_first_gets_it_and_both_are_marked():
    first, second = fake_device(), fake_device()
    learning.learn_many([(first.pk, facts(1)), (second.pk, facts(1, serial_number="CZ9", mac_addresses=()))])
    uuids = dict(Component.objects.values_list("pk", "uuid"))
    assert (str(uuids[first.component_id]), uuids[second.component_id]) == (facts(1).uuid, None)
    marked = StatusCause.objects.filter(key__startswith="same-machine:").values_list("component", "key")
    assert set(marked) == {
        (first.component_id, f"same-machine:{second.component_id}"),
        (second.component_id, f"same-machine:{first.component_id}"),
    }


def test_boards_that_were_swapped_between_two_machines_are_known_after_one_look():
    first, second = fake_device(), fake_device()
    learning.learn_many([(first.pk, facts(1)), (second.pk, facts(2))])
    learning.learn_many([(first.pk, facts(3)), (second.pk, facts(1))])
    uuids = dict(Component.objects.values_list("pk", "uuid"))
    assert (str(uuids[first.component_id]), str(uuids[second.component_id])) == (facts(3).uuid, facts(1).uuid)
    assert not StatusCause.objects.filter(key__startswith="same-machine:").exists()
