"""Old alerts and alerts above a number go, in slices through write turns; those of problems that go on stay."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from apps.alerts import tasks
from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import acknowledge, catalogue, close, ingest, retention
from apps.alerts.services.arrivals import Arrival
from apps.components.models import Component
from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from esm.settings.schedule import SCHEDULE
from tests.factories import make_component

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def by_key(key: str) -> AlertDefinition:
    return catalogue.current().by_key[key]


@pytest.fixture
def web() -> Component:
    return make_component("web-01")


@pytest.fixture
def keep(monkeypatch):
    """Set what is kept: days and number, 0 for no limit."""
    real = options.get

    def limits(days: int = 0, number: int = 0) -> None:
        said = {"alert_retention": days, "alert_limit": number}
        monkeypatch.setattr(options, "get", lambda name: said[name] if name in said else real(name))

    return limits


def came(days: float, component: Component | None, key: str = "coldStart", port: str = "") -> int:
    """Let an alert have come so many days ago; gives its id."""
    (alert,) = ingest([Arrival("snmp-trap", days_ago(days), by_key(key), component, object=port, address="192.0.2.1")])
    return alert.pk


def left() -> set[int]:
    return set(Alert.objects.values_list("pk", flat=True))


def test_what_is_older_than_the_option_goes_and_the_youngest_of_them_says_so(web, keep):
    keep(days=365)
    gone = [came(days, web) for days in (400, 365.1)]
    stays = [came(days, web) for days in (364.9, 1)]
    removed = retention.remove_old(NOW)
    assert (removed.alerts, removed.incidents, removed.received_before) == (2, 0, days_ago(365))
    assert left() == set(stays)
    assert not left() & set(gone)
    entry = AuditEntry.objects.get(action="alert.forget")
    assert entry.after == {
        "alerts": 2,
        "incidents": 0,
        "before": days_ago(365).isoformat(),
        "alert_retention": 365,
        "alert_limit": 0,
    }
    assert not retention.remove_old(NOW)
    assert AuditEntry.objects.filter(action="alert.forget").count() == 1  # nothing to tell of


def test_above_a_number_the_oldest_go_whatever_their_ids(web, keep):
    keep(number=3)
    third, first, fifth, second, fourth = (came(days, web) for days in (3, 5, 1, 4, 2))
    removed = retention.remove_old(NOW)
    assert (removed.alerts, removed.received_before) == (2, days_ago(4))
    assert left() == {third, fourth, fifth}
    assert first not in left()
    assert second not in left()


def test_both_limits_hold_and_zero_is_none(web, keep):
    for days in (400, 300, 200, 100):
        came(days, web)
    keep()
    assert not retention.remove_old(NOW)
    keep(days=365, number=10)
    assert retention.remove_old(NOW).alerts == 1
    keep(days=365, number=2)
    assert retention.remove_old(NOW).alerts == 1
    assert Alert.objects.count() == 2


def test_the_alerts_of_open_and_acknowledged_problems_stay_however_old(web, keep):
    keep(days=30)
    opened = [came(days, web, "linkDown", "1") for days in (90, 80, 70)]
    noted = [came(days, web, "linkDown", "2") for days in (90, 60)]
    acknowledge(Incident.objects.filter(object="2"), SYSTEM, "cable ordered")
    ended = [came(90, web, "linkDown", "3"), came(85, web, "linkUp", "3")]
    plain = came(50, web)
    removed = retention.remove_old(NOW)
    assert (removed.alerts, removed.incidents) == (3, 1)
    assert left() == {*opened, *noted}
    assert not left() & {*ended, plain}
    assert set(Incident.objects.values_list("object", "state", "count")) == {("1", "open", 3), ("2", "acknowledged", 2)}


def test_a_number_is_reached_over_what_must_stay(web, keep):
    """Old alerts of an open problem are stepped over, so that the number may not be reached at all."""
    opened = [came(days, web, "linkDown", "1") for days in (90, 80, 70)]
    others = [came(days, web) for days in (60, 50)]
    keep(number=4)
    assert retention.remove_old(NOW).alerts == 1
    assert left() == {*opened, others[1]}
    keep(number=1)
    assert retention.remove_old(NOW).alerts == 1
    assert left() == set(opened)
    assert not retention.remove_old(NOW)


def test_a_problem_that_ended_goes_with_the_last_of_its_alerts(web, keep):
    came(90, web, "linkDown", "1")
    young = came(10, web, "linkUp", "1")  # it ends the problem, and keeps it
    came(90, web, "linkDown", "2")
    close(Incident.objects.filter(object="2"), SYSTEM)  # today
    keep(days=30)
    removed = retention.remove_old(NOW)
    assert (removed.alerts, removed.incidents) == (2, 0)
    assert left() == {young}
    assert Incident.objects.count() == 2  # the second was closed a moment ago, though nothing is left of it
    Incident.objects.filter(object="2").update(closed_at=days_ago(40))
    assert retention.remove_old(NOW).incidents == 1
    keep(days=5)
    removed = retention.remove_old(NOW)
    assert (removed.alerts, removed.incidents) == (1, 1)
    assert not Incident.objects.exists()


def test_an_alert_goes_with_what_arrived_of_it(web, keep):
    """Bindings and datagram are kept as long as their alert: nothing is left of them elsewhere."""
    arrived = Arrival(
        *("snmp-trap", days_ago(31), by_key("coldStart"), web),
        bindings=({"oid": "1.3.6.1.2.1.1.5.0", "type": "OctetString", "value": "web-01"},),
        datagram=b"\x30\x02",
    )
    young = Arrival("snmp-trap", days_ago(29), by_key("coldStart"), web, bindings=arrived.bindings, datagram=b"\x30")
    ingest([arrived, young])
    keep(days=30)
    assert retention.remove_old(NOW).alerts == 1
    assert [(row.bindings, bytes(row.datagram)) for row in Alert.objects.all()] == [([*arrived.bindings], b"\x30")]


def test_it_goes_in_slices_through_write_turns(web, keep, monkeypatch):
    ingest([Arrival("snmp-trap", days_ago(40), by_key("coldStart"), web) for _ in range(50)])
    keep(days=30)
    sizes: list[int] = []
    standing = [50]
    turn = retention.turn

    @contextmanager
    def counted() -> Iterator[None]:
        with turn():
            yield
        now = Alert.objects.count()
        sizes.append(standing[0] - now)
        standing[0] = now

    monkeypatch.setattr(retention, "turn", counted)
    monkeypatch.setattr(retention, "FIRST_SLICE", 16)
    monkeypatch.setattr(retention, "LARGEST_SLICE", 20)
    monkeypatch.setattr(retention, "LONGEST_TURN", 1000.0)  # none is slow here: slices grow
    retention.remove_old(NOW)
    assert (sum(sizes), Alert.objects.count()) == (50, 0)
    assert max(sizes) == 20
    assert sizes[0] == 16
    assert sizes[-1] == 0  # the entry of the audit has a turn of its own


def test_slices_shrink_where_they_hold_others_up(web, keep, monkeypatch):
    ids = [alert.pk for alert in ingest([Arrival("snmp-trap", NOW, by_key("coldStart"), web) for _ in range(30)])]
    monkeypatch.setattr(retention, "FIRST_SLICE", 16)
    monkeypatch.setattr(retention, "SMALLEST_SLICE", 4)
    monkeypatch.setattr(retention, "LONGEST_TURN", 0.0)
    size = retention.Slice()
    size.remove(Alert, ids)
    assert (size.size, Alert.objects.count()) == (4, 0)


def test_a_run_ends_in_time_and_the_next_one_goes_on(web, keep, monkeypatch):
    for days in (44, 43, 42, 41):
        came(days, web)
    keep(days=30)
    monkeypatch.setattr(retention, "RUNS_FOR", -1.0)
    assert not retention.remove_old(NOW)
    assert Alert.objects.count() == 4
    monkeypatch.setattr(retention, "RUNS_FOR", 100.0)
    assert retention.remove_old(NOW).alerts == 4


def test_the_clock_runs_it_once_an_hour(web, keep):
    (planned,) = [one for one in SCHEDULE.values() if one["task"] == tasks.remove_old_alerts.name]
    assert (planned["schedule"], planned["options"]) == (timedelta(hours=1), {"expire_seconds": 3240})
    old = came(9000, web)
    keep(days=3650)
    tasks.remove_old_alerts()
    assert old not in left()
