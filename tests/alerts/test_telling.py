"""Problems that begin in a silence are kept, marked and told when it is over, if they still stand."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.test import TestCase

from apps.alerts import tasks
from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import acknowledge, catalogue, close, incidents, listeners, raise_alert, tell_held, telling
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.ingestion import ingest
from apps.components.models import Component
from apps.components.services import suspend_periods, suspension
from apps.core.actors import SYSTEM
from tests.components.suspending import at, nightly, plan, when
from tests.factories import make_component, make_group

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]


@dataclass
class Ear:
    """Somebody who listens to alerts and tells those that are not quiet."""

    told: list[tuple[str, str]] = field(default_factory=list)

    def hear(self, alerts) -> None:
        self.told += [(alert.component_name, str(alert.title)) for alert in alerts if not alert.quiet]

    def take(self) -> list[tuple[str, str]]:
        told, self.told = self.told, []
        return told


@pytest.fixture
def ear(monkeypatch):
    ear = Ear()
    monkeypatch.setattr(listeners, "_entries", {})
    listeners.add("ear", ear.hear)
    return ear


@pytest.fixture
def web():
    return make_component("web-01", make_group("Tokyo"))


def arrive(key: str, component: Component, port: str = "7") -> Alert:
    """Let a trap arrive, as the receiver stores it."""
    component.refresh_from_db()
    definition = catalogue.current().by_key[key]
    with TestCase.captureOnCommitCallbacks(execute=True):
        (alert,) = ingest(
            [
                Arrival(
                    source="snmp-trap",
                    received_at=at("11-20 23:00"),
                    definition=definition,
                    component=component,
                    object=port,
                    params={"object": f"port {port}"},
                )
            ]
        )
    return alert


def tell() -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        tasks.tell_held()


def wake_up(moment: str) -> None:
    """Let the clock run to a moment, with both tasks that end a silence."""
    with when(moment):
        suspension.follow()
        tell()


class TestTheEndOfASuspendPeriod:
    """Nobody hears of anything until then; then of what still stands."""

    @pytest.fixture(autouse=True)
    def _night(self, web):
        with when("11-20 22:30"):
            plan(web.group, nightly(), "Backup")

    def test_what_stands_is_told_once_and_says_since_when(self, web, ear):
        quiet = arrive("linkDown", web)
        assert (quiet.quiet, ear.take()) == ("suspended", [])
        web.refresh_from_db()
        assert web.status == "warning"  # it counts all the same
        wake_up("11-21 05:59")
        assert ear.take() == []
        wake_up("11-21 06:00")
        assert ear.take() == [("web-01", str(quiet.title))]
        late = Alert.objects.latest("pk")
        assert (late.source, late.quiet, late.received_at) == ("portal", "", at("11-21 06:00"))
        assert (late.occurred_at, late.incident, late.title) == (at("11-20 23:00"), quiet.incident, quiet.title)
        assert str(late.detail).endswith("It began while nobody was to be told of web-01, and it still stands.")
        assert Incident.objects.get().count == 2
        quiet.refresh_from_db()
        assert quiet.quiet == "suspended"
        wake_up("11-21 06:01")
        assert ear.take() == []

    def test_what_has_ended_meanwhile_is_not_told(self, web, ear):
        arrive("linkDown", web)
        arrive("linkUp", web)
        wake_up("11-21 06:00")
        assert ear.take() == []
        assert [alert.quiet for alert in Alert.objects.all()] == ["suspended", "suspended"]

    def test_what_was_told_before_is_not_told_again(self, web, ear):
        with when("11-20 21:00"):
            suspension.follow()
        arrive("linkDown", web)
        assert len(ear.take()) == 1
        with when("11-20 22:00"):
            suspension.follow()
        assert arrive("linkDown", web).quiet == "suspended"
        wake_up("11-21 06:00")
        assert ear.take() == []

    def test_what_repeats_first_is_told_by_that(self, web, ear):
        arrive("linkDown", web)
        with when("11-21 06:00"):
            suspension.follow()
            arrive("linkDown", web)
            assert len(ear.take()) == 1
            tell()
        assert ear.take() == []

    def test_what_somebody_took_note_of_is_told_when_his_time_is_up(self, web, ear):
        arrive("linkDown", web)
        with when("11-20 23:30"):
            acknowledge(Incident.objects.all(), SYSTEM, "cable", until=at("11-21 09:00"))
        wake_up("11-21 06:00")
        assert ear.take() == []
        with when("11-21 09:00"):
            incidents.reopen_overdue()
            tell()
        assert len(ear.take()) == 1

    def test_what_somebody_closed_is_not_told(self, web, ear):
        arrive("linkDown", web)
        close(Incident.objects.all(), SYSTEM)
        wake_up("11-21 06:00")
        assert ear.take() == []

    def test_a_kind_that_was_switched_off_is_not_told(self, web, ear):
        arrive("linkDown", web)
        AlertDefinition.objects.filter(key="linkDown").update(enabled=False)
        wake_up("11-21 06:00")
        assert (ear.take(), Alert.objects.count(), Incident.objects.get().held) == ([], 1, False)

    def test_an_end_by_hand_is_an_end(self, web, ear):
        arrive("linkDown", web)
        with when("11-20 23:30"), TestCase.captureOnCommitCallbacks(execute=True):
            suspend_periods.end_early(web.group.suspend_periods.get(), SYSTEM)
            tell()
        with when("11-20 23:30"):
            tell()
        assert len(ear.take()) == 1

    def test_what_the_portal_raised_is_told_in_its_own_words(self, web, ear):
        web.refresh_from_db()
        raised = raise_alert("portal.access-lost", component=web, object="192.0.2.7")
        wake_up("11-21 06:00")
        assert ear.take() == [("web-01", "web-01 does not answer")]
        late = Alert.objects.latest("pk")
        assert str(late.detail).startswith(f"{raised.detail} It began")
        assert late.remedy == raised.remedy

    def test_what_retention_removed_is_told_by_its_title(self, web, ear):
        title = str(arrive("linkDown", web).title)
        Alert.objects.all().delete()
        wake_up("11-21 06:00")
        assert ear.take() == [("web-01", title)]

    def test_all_of_them_are_told_in_slices(self, web, ear, monkeypatch):
        monkeypatch.setattr(telling, "AT_ONCE", 4)
        for port in range(10):
            arrive("linkDown", web, str(port))
        wake_up("11-21 06:00")
        assert len(ear.take()) == 10
        assert tell_held() == 0


def test_a_problem_of_no_component_is_told_at_once(ear):
    with TestCase.captureOnCommitCallbacks(execute=True):
        raise_alert("portal.alerts-suppressed", component=None, params={"count": "7"})
    assert len(ear.take()) == 1
    assert not Incident.objects.get().held


def test_looking_for_them_costs_one_question(django_assert_num_queries):
    with django_assert_num_queries(3):
        assert tell_held() == 0


def test_the_time_of_its_last_word_is_kept(web, ear):
    with when("11-20 22:30"):
        plan(web, nightly())
    web.refresh_from_db()
    with when("11-20 23:00"):
        raise_alert("portal.access-lost", component=web, occurred_at=at("11-20 23:00") - timedelta(minutes=3))
    wake_up("11-21 06:00")
    assert Alert.objects.latest("pk").occurred_at == at("11-20 22:57")
