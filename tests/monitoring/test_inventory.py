"""Identity and parts, daily and on demand."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.components import extensions
from apps.components.models import Component, InventoryItem, ManagementInterface
from apps.drivers.contract import InventoryItem as Item
from apps.drivers.contract import InventoryKind, Status
from apps.drivers.fake.driver import FakeDriver
from apps.drivers.fake.script import FakeDevice
from apps.monitoring.models import Sample
from apps.monitoring.services import claiming, inventory
from apps.protocols.errors import DeviceError, Unreachable
from tests.factories import make_user
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db


def test_a_device_tells_who_it_is_and_what_it_is_made_of():
    interface = fake_device()
    assert inventory.read([interface.pk]) == {interface.pk: None}
    said = FakeDevice(interface.address, 0, "steady", 1, 4, 2).identity()
    component = Component.objects.get(pk=interface.component_id)
    assert (component.serial_number, component.manufacturer, str(component.uuid)) == (
        said.serial_number,
        "Fake",
        said.uuid,
    )
    items = list(InventoryItem.objects.filter(interface=interface).values_list("kind", "key", "name", "details"))
    assert items == [
        ("processor", "processor.1", "Fake CPU", {"Logical processors": 4}),
        ("storage", "storage.1", "/", {"Size (bytes)": 10**12}),
        ("system", "system", said.name, {"Model": said.model}),
    ]


def test_reading_again_changes_by_difference_only():
    interface = fake_device()
    inventory.read([interface.pk])
    kept = set(InventoryItem.objects.values_list("pk", flat=True))
    disk = InventoryItem.objects.get(key="storage.1")
    InventoryItem.objects.filter(pk=disk.pk).update(name="another disk", read_at=timezone.now() - timedelta(days=1))
    InventoryItem.objects.create(interface=interface, kind="memory", key="dimm.1", name="a module that was taken out")
    inventory.read([interface.pk])
    assert set(InventoryItem.objects.values_list("pk", flat=True)) == kept
    disk.refresh_from_db()
    assert disk.name == "/"
    assert timezone.now() - disk.read_at < timedelta(minutes=1)


def test_the_drivers_state_belongs_to_the_polls():
    interface = fake_device()
    inventory.read([interface.pk])
    interface.refresh_from_db()
    assert interface.state == {}


def test_an_inventory_that_was_claimed_and_read_is_due_after_a_day_and_one_whose_reader_died_after_an_hour():
    interface, lost = fake_device(), fake_device()
    due = timezone.now() - timedelta(minutes=2)
    ManagementInterface.objects.update(next_inventory_at=due)
    (shard,) = claiming.claim_inventories()
    assert set(shard.interface_ids) == {interface.pk, lost.pk}
    inventory.read([interface.pk])
    times = dict(ManagementInterface.objects.values_list("pk", "next_inventory_at"))
    assert abs(times[interface.pk] - due - timedelta(days=1)) < timedelta(milliseconds=10)
    assert abs(times[lost.pk] - due - timedelta(hours=1)) < timedelta(milliseconds=10)
    inventory.read([interface.pk])
    interface.refresh_from_db()
    assert interface.next_inventory_at == times[interface.pk]


def test_a_device_that_named_itself_but_did_not_list_its_parts_is_asked_again_in_an_hour(monkeypatch):
    interface = fake_device()
    due = timezone.now()
    ManagementInterface.objects.update(next_inventory_at=due)

    async def busy(device):
        raise DeviceError("%(address)s is busy", address=device.target.address)

    with monkeypatch.context() as patched:
        patched.setattr(FakeDriver, "read_inventory", busy)
        claiming.claim_inventories()
        assert inventory.read([interface.pk]) == {interface.pk: None}
    interface.refresh_from_db()
    assert interface.identity["manufacturer"] == "Fake"
    assert not InventoryItem.objects.exists()
    assert abs(interface.next_inventory_at - due - timedelta(hours=1)) < timedelta(seconds=10)


def test_a_device_that_did_not_answer_is_asked_again_soon():
    tomorrow = timezone.now() + timedelta(days=1)
    interface = fake_device(fault="refusing")
    ManagementInterface.objects.update(next_inventory_at=tomorrow)
    (error,) = inventory.read([interface.pk]).values()
    assert error.code == "unreachable"
    interface.refresh_from_db()
    assert interface.failures == 0  # the polls count
    assert timedelta(minutes=9) < interface.next_inventory_at - timezone.now() <= timedelta(minutes=10)
    ManagementInterface.objects.update(next_inventory_at=tomorrow, identity={"name": "known"})
    inventory.read([interface.pk])
    interface.refresh_from_db()
    assert timedelta(minutes=59) < interface.next_inventory_at - timezone.now() <= timedelta(hours=1)


def test_a_refused_login_stops_the_polls_too():
    interface = fake_device(fault="denied")
    inventory.read([interface.pk])
    interface.refresh_from_db()
    assert (interface.last_error_code, interface.refused_version) == ("authentication_failed", 1)


def test_collecting_now_polls_and_reads_the_inventory():
    good, bad = fake_device(), fake_device(fault="refusing")
    outcome = extensions.collectors.get("monitoring")([good.pk, bad.pk])
    assert outcome[good.pk] is None
    assert outcome[bad.pk].code == "unreachable"
    assert Sample.objects.filter(interface=good).count() == 1
    assert InventoryItem.objects.filter(interface=good).count() == 3


def test_what_was_listed_of_a_section_that_cannot_be_read_stays_with_its_age(monkeypatch, client):
    interface = fake_device()

    supply = Item(InventoryKind.OTHER, "1.psu.0", "Power supply 1", section="power")
    manager = Item(InventoryKind.OTHER, "manager.1", "XClarity 2", section="managers")
    error = Unreachable("%(address)s did not answer within %(seconds)s s.", address="192.0.2.9", seconds="9")
    unread = Item(
        *(InventoryKind.OTHER, "unread.power", "Power supplies", Status.UNKNOWN, {"Not read": str(error)}),
        section="power",
        unread=error,
    )

    def list_parts(*items: Item) -> list[str]:
        async def read(self: FakeDriver) -> Sequence[Item]:
            return items

        monkeypatch.setattr(FakeDriver, "read_inventory", read)
        inventory.read([interface.pk])
        rows = InventoryItem.objects.filter(interface=interface).order_by("key")
        return list(rows.values_list("key", flat=True))

    assert list_parts(supply, manager) == ["1.psu.0", "manager.1"]
    yesterday = timezone.now() - timedelta(days=1)
    InventoryItem.objects.update(read_at=yesterday)
    for _time in range(2):
        assert list_parts(unread, manager) == ["1.psu.0", "manager.1", "unread.power"]
    ages = dict(InventoryItem.objects.values_list("key", "read_at"))
    assert ages["1.psu.0"] == yesterday
    assert min(ages["manager.1"], ages["unread.power"]) > yesterday

    client.force_login(make_user("viewer", language="ja"))
    answer = client.get(interface.component.get_absolute_url(), {"tab": "inventory"})
    (shelf,) = answer.context["panels"][0].content.shelves
    assert [(item.label, item.old_since) for item in shelf.items] == [
        ("電源ユニット 1", yesterday),
        ("XClarity 2", None),
        ("電源ユニット", None),
    ]
    (why,) = shelf.items[2].details
    assert why.value == "192.0.2.9 が 9 秒以内に応答しませんでした。"
    url = f"/api/v1/components/{interface.component_id}/inventory/?key=unread.power"
    client.force_login(make_user("viewer", language="en"))
    (row,) = client.get(url).json()["results"]
    assert row["details"] == {"Not read": str(error)}

    assert list_parts(unread) == ["1.psu.0", "unread.power"]  # what another section does not list any more is gone
    assert list_parts(supply) == ["1.psu.0"]
    assert InventoryItem.objects.get().read_at > yesterday
