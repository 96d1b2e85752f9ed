"""What devices write down by themselves: read with the polls, kept once, marked when the device forgets it."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.components import extensions
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.core import options
from apps.core.actors import SYSTEM
from apps.drivers.contract import LoggedEvent, LogPart, Status
from apps.drivers.fake.driver import FakeDriver
from apps.monitoring.models import LastValues, LoggedEntry, LogPlace
from apps.monitoring.services import event_logs, polling, retention
from apps.monitoring.services.log_reading import Begin, Look
from apps.protocols.errors import DeviceError, Unsupported
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db
BORN = datetime(2026, 1, 1, tzinfo=UTC)


def event(number: int | str, **fields: Any) -> LoggedEvent:
    about: dict[str, Any] = {"at": BORN + timedelta(minutes=int(str(number).rpartition("/")[2]))}
    about |= {"status": Status.NORMAL, "source": "Fan 2", "text": "Order taken"}
    return LoggedEvent(str(number), **{**about, **fields})


def look(interface: ManagementInterface, *events: LoggedEvent, **part: Any) -> Look:
    """Give a look that began where the last one that was kept ended."""
    row = LogPlace.objects.filter(interface=interface).first()
    begin = Begin(row.place, row.looks, row.way) if row else Begin()
    about: dict[str, Any] = {"place": {"last": events[-1].key if events else None}} | part
    return Look(interface.component_id, interface.pk, begin, time.time(), LogPart(events, **about))


def keys(interface: ManagementInterface, **wanted: Any) -> list[str]:
    rows = LoggedEntry.objects.filter(interface=interface, **wanted).order_by("pk")
    return list(rows.values_list("key", flat=True))


def poll_later(interface: ManagementInterface, **passed: int) -> None:
    """Poll when so much time has passed since the log was read."""
    LogPlace.objects.update(asked_at=timezone.now() - timedelta(**passed))
    polling.poll([interface.pk])


def test_a_poll_reads_the_log_when_it_is_due_and_only_what_is_new():
    interface = fake_device()
    assert polling.poll([interface.pk]) == {interface.pk: None}
    first = LoggedEntry.objects.get(interface=interface, key="1")
    assert (first.at, first.placed_at, first.status, first.severity, first.source, str(first.text)) == (
        *(BORN + timedelta(minutes=1),) * 2,
        *("critical", "critical", "Fan 2", "Fan 2: lower critical going low"),
    )
    assert keys(interface) == ["1", "2", "3"]
    place = LogPlace.objects.get(interface=interface)
    assert (place.place, place.filled, place.looks) == ({"entry": 3, "cleared": 0}, 3.0, 1)
    assert place.read_at == place.asked_at

    machine = {"power": "on", "plan": [], "boot": ["none", True, None], "lamp": False, "orders": []}
    ManagementInterface.objects.update(
        state={"contact": 1, "machine": machine | {"ordered": 2, "cleared": 0, "gone": 0}}
    )
    poll_later(interface, seconds=300)
    assert keys(interface) == ["1", "2", "3"]
    poll_later(interface, seconds=590)  # a poll that comes a little early does not wait for the next
    assert keys(interface) == ["1", "2", "3", "4", "5"]


def test_the_interval_is_an_option_and_0_leaves_orders_and_whoever_collects():
    interface = fake_device()
    options.set_value("event_log_interval", 0, SYSTEM)
    polling.poll([interface.pk])
    assert not LogPlace.objects.exists()
    extensions.collectors.get("monitoring")([interface.pk])
    assert keys(interface) == ["1", "2", "3"]
    poll_later(interface, days=3)
    assert LogPlace.objects.get().looks == 1
    event_logs.look_soon(interface.component_id)
    polling.poll([interface.pk])
    assert LogPlace.objects.get().looks == 3  # one look was given up, one was kept


def test_a_log_that_cannot_be_read_costs_only_itself(monkeypatch, caplog):
    interface = fake_device()
    polling.poll([interface.pk])
    asked = LogPlace.objects.get().asked_at

    async def refuse(self: FakeDriver, place: Mapping[str, Any]) -> LogPart:
        raise DeviceError("%(address)s keeps no log", address="192.0.2.9")

    monkeypatch.setattr(FakeDriver, "read_events", refuse)
    measured_at = LastValues.objects.get().measured_at
    LogPlace.objects.update(asked_at=None)
    assert polling.poll([interface.pk]) == {interface.pk: None}
    place = LogPlace.objects.get()
    assert (str(place.error), place.read_at) == ("192.0.2.9 keeps no log", asked)
    assert place.place == {"entry": 3, "cleared": 0}
    assert LastValues.objects.get().measured_at > measured_at
    assert Component.objects.get().status == "normal"

    confidential = "".join(("what it ", "sent"))

    async def stumble(self: FakeDriver, place: Mapping[str, Any]) -> LogPart:
        raise KeyError(confidential)

    monkeypatch.setattr(FakeDriver, "read_events", stumble)
    LogPlace.objects.update(asked_at=None)
    assert polling.poll([interface.pk]) == {interface.pk: None}
    assert "could not be understood (KeyError)" in str(LogPlace.objects.get().error)
    assert confidential not in caplog.text
    (cause,) = Component.objects.get().causes.all()  # now that it lasts
    assert (cause.status, cause.source, cause.key) == ("unknown", "event-log", "unreadable")
    assert str(cause.text).startswith("The event log could not be read for some time: ")
    assert Component.objects.get().status == "unknown"
    monkeypatch.undo()
    LogPlace.objects.update(asked_at=None)
    polling.poll([interface.pk])
    assert str(LogPlace.objects.get().error) == ""
    assert Component.objects.get().status == "normal"


def test_a_device_that_has_no_log_is_well_without(monkeypatch):
    interface = fake_device()

    async def have_none(self: FakeDriver, place: Mapping[str, Any]) -> LogPart:
        raise Unsupported("%(address)s has no event log", address="192.0.2.9")

    monkeypatch.setattr(FakeDriver, "read_events", have_none)
    for _ in range(3):
        LogPlace.objects.update(asked_at=None)
        polling.poll([interface.pk])
    assert str(LogPlace.objects.get().error) == "192.0.2.9 has no event log"
    assert Component.objects.get().status == "normal"


def test_a_log_that_hangs_is_left_in_time_and_values_are_kept(monkeypatch):
    import asyncio

    from apps.monitoring.services import log_reading

    async def hang(self: FakeDriver, place: Mapping[str, Any]) -> LogPart:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(FakeDriver, "read_events", hang)
    monkeypatch.setattr(log_reading, "FIRST_WITHIN", 0.05)
    interface = fake_device()
    assert polling.poll([interface.pk]) == {interface.pk: None}
    assert LastValues.objects.filter(interface=interface).exists()
    assert "did not answer within 0.05 s" in str(LogPlace.objects.get().error)


def test_what_was_kept_before_a_clearing_stays_and_is_marked():
    interface = fake_device()
    event_logs.keep([look(interface, event(1), event(2))])
    event_logs.keep([look(interface, event(1, text="Log cleared"), cleared=True)])
    assert keys(interface, cleared_at=None) == ["1"]
    assert keys(interface, cleared_at__isnull=False) == ["1", "2"]
    assert str(LoggedEntry.objects.get(interface=interface, cleared_at=None).text) == "Log cleared"
    event_logs.keep([look(interface, cleared=True)])  # emptied, and nothing came since
    assert keys(interface, cleared_at=None) == []
    assert LoggedEntry.objects.count() == 3


def test_of_several_logs_only_the_emptied_one_is_marked():
    interface = fake_device()
    event_logs.keep([look(interface, event("IML/1"), event("IEL/1"))])
    event_logs.keep([look(interface, event("IML/1"), cleared=True, logs=("IML/",))])
    assert keys(interface, cleared_at=None) == ["IEL/1", "IML/1"]
    assert keys(interface, cleared_at__isnull=False) == ["IML/1"]


def test_an_interface_that_leads_to_another_device_begins_a_log_of_its_own():
    interface = fake_device()
    polling.poll([interface.pk])
    ManagementInterface.objects.update(address="198.18.99.99")
    polling.poll([interface.pk])  # at once, though its log was just read
    assert keys(interface, cleared_at=None) == ["1", "2", "3"]
    assert keys(interface, cleared_at__isnull=False) == ["1", "2", "3"]
    polling.poll([interface.pk])
    assert LoggedEntry.objects.count() == 6
    assert LogPlace.objects.get().way.startswith("fake 198.18.99.99")


def test_two_workers_that_look_at_once_write_nothing_twice():
    interface = fake_device()
    event_logs.keep([look(interface, event(1))])
    mine, other = look(interface, event(2)), look(interface, event(2), event(3))
    event_logs.keep([mine])
    event_logs.keep([other])  # began where mine did
    assert keys(interface) == ["1", "2"]
    assert LogPlace.objects.get().place == {"last": "2"}
    one, another = look(interface, event(1), cleared=True), look(interface, event(1), cleared=True)
    event_logs.keep([one, another])
    assert keys(interface, cleared_at=None) == ["1"]
    assert LoggedEntry.objects.count() == 3


def test_a_look_that_began_before_an_order_is_not_kept():
    interface = fake_device()
    event_logs.keep([look(interface, event(1))])
    under_way = look(interface, event(2))
    event_logs.look_soon(interface.component_id)
    event_logs.keep([under_way])
    assert keys(interface) == ["1"]
    assert LogPlace.objects.get().asked_at is None


@pytest.mark.parametrize("died_at", [1, 2, 3, 4])
def test_whoever_is_killed_between_two_transactions_leaves_nothing_double(died_at, monkeypatch):
    interface = fake_device()
    event_logs.keep([look(interface, *(event(number) for number in range(1, 4)))])
    monkeypatch.setattr(event_logs, "ROWS", 2)
    anew = tuple(event(number, text="after the clearing") for number in range(1, 6))
    turns = 0
    real = event_logs.turn

    def turn() -> Any:
        nonlocal turns
        turns += 1
        if turns > died_at:
            raise KeyboardInterrupt
        return real()

    monkeypatch.setattr(event_logs, "turn", turn)
    with pytest.raises(KeyboardInterrupt):
        event_logs.keep([look(interface, *anew, cleared=True)])
    monkeypatch.setattr(event_logs, "turn", real)
    # The place says what the driver tells at the next look: all from the beginning, or that it was emptied.
    emptied = LogPlace.objects.get().place != {}
    event_logs.keep([look(interface, *anew, cleared=emptied)])
    assert keys(interface, cleared_at=None) == ["1", "2", "3", "4", "5"]
    assert keys(interface, cleared_at__isnull=False) == ["1", "2", "3"]


def test_many_entries_are_written_in_small_transactions(monkeypatch):
    interfaces = [fake_device() for _ in range(3)]
    turns: list[int] = []
    real = event_logs.log_rows.insert
    monkeypatch.setattr(event_logs.log_rows, "insert", lambda rows: turns.append(len(rows)) or real(rows))
    event_logs.keep([look(one, *(event(number) for number in range(1, 702))) for one in interfaces])
    assert LoggedEntry.objects.count() == 3 * 701
    assert sum(turns) == 3 * 701
    assert max(turns) == 500


def test_a_log_that_was_not_read_to_its_end_is_read_on_soon():
    interface = fake_device()
    ManagementInterface.objects.update(next_poll_at=timezone.now() + timedelta(seconds=600))
    event_logs.keep([look(interface, event(1), place={"last": 1, "more": True})])
    interface.refresh_from_db()
    assert interface.next_poll_at - timezone.now() <= timedelta(seconds=60)
    assert LogPlace.objects.get().asked_at is None


def test_entries_without_a_clock_stand_with_their_neighbours_and_none_stands_in_the_future():
    interface = fake_device()
    ahead = timezone.now() + timedelta(days=400)
    event_logs.keep([look(interface, event(1, at=None), event(2), event(3, at=None), event(4, at=ahead))])
    rows = {row.key: row for row in LoggedEntry.objects.all()}
    assert [rows[key].at for key in "1234"] == [None, BORN + timedelta(minutes=2), None, ahead]
    assert [rows[key].placed_at for key in "123"] == [BORN + timedelta(minutes=2)] * 3
    assert rows["4"].placed_at == rows["4"].read_at
    assert [row.key for row in LoggedEntry.objects.all()] == ["4", "3", "2", "1"]


def test_a_log_that_is_nearly_full_is_a_reason_to_warn_until_it_is_emptied():
    interface = fake_device()
    polling.poll([interface.pk])
    event_logs.keep([look(interface, event(4), filled=89.9)])
    assert not StatusCause.objects.exists()
    event_logs.keep([look(interface, event(5), filled=93.7)])
    cause = StatusCause.objects.get()
    assert (cause.source, cause.status, cause.interface_id) == ("event-log", "warning", interface.pk)
    assert str(cause.text) == "The event log is 93 % full; when it is full, what happens then may be lost."
    assert Component.objects.get().status == "warning"
    event_logs.keep([look(interface, filled=93.7)])
    assert StatusCause.objects.get().pk == cause.pk
    event_logs.keep([look(interface, cleared=True, filled=0.0)])
    assert Component.objects.get().status == "normal"
    event_logs.keep([look(interface, event(1), filled=100.0, wraps=True)])  # the oldest entries make room
    assert Component.objects.get().status == "normal"


def test_what_a_database_would_not_take_is_made_fit():
    interface = fake_device()
    odd = event(1, source="s\x00" * 300, text="100 % \x00", raw="\x00" + "r" * 9000)
    odd = replace(odd, key="k" * 300)
    event_logs.keep([look(interface, odd, place={"at": "\x00x"})])
    row = LoggedEntry.objects.get()
    assert (len(row.key), len(row.source), str(row.text), len(row.raw)) == (200, 200, "100 % ", 8000)
    assert LogPlace.objects.get().place == {"at": "x"}


def test_the_log_of_an_interface_that_was_removed_meanwhile_is_left_out():
    interface, other = fake_device(), fake_device()
    gone = replace(look(interface, event(1)), interface_id=interface.pk + 1000)
    failed = replace(gone, part=None, error=DeviceError("gone"))
    event_logs.keep([gone, look(other, event(1)), failed])
    assert keys(other) == ["1"]
    assert LogPlace.objects.count() == 1


def test_old_entries_go_and_so_do_those_beyond_the_most_of_an_interface():
    interface, other = fake_device(), fake_device()
    event_logs.keep([look(interface, *(event(number) for number in range(1, 121))), look(other, event(1), event(2))])
    LoggedEntry.objects.filter(interface=other, key="1").update(read_at=timezone.now() - timedelta(days=731))
    options.set_value("event_log_limit", 100, SYSTEM)
    assert retention.forget_old() == 21
    assert keys(interface) == [str(number) for number in range(21, 121)]
    assert keys(other) == ["2"]
    LoggedEntry.objects.update(read_at=timezone.now() - timedelta(days=800))
    options.set_value("event_log_retention", 0, SYSTEM)
    assert retention.forget_old() == 0
