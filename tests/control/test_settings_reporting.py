"""After a change of its network a controller is asked for a test alert, and the job says whether it came."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.alerts.models import Alert, EventSubscription
from apps.alerts.sources import EVENT_SOURCE, TRAP_SOURCE
from apps.components.models import Reservation
from apps.control.settings import reporting, running, services
from apps.core import jobs, options
from apps.core.models import Job, JobStep
from tests.control.conftest import machine, received, run
from tests.factories import make_component

pytestmark = pytest.mark.django_db
OURS = "127.0.0.9"
DHCP = {"network.source": "dhcp"}
NO_REPORT = "No report arrived within 60 s: check the destination at the controller itself."


@pytest.fixture(autouse=True)
def _soon(monkeypatch, admin):
    monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(0))
    monkeypatch.setattr(running.SettingsRound, "further_tries", lambda self: 0)
    options.set_value("report_address", OURS, admin)


@pytest.fixture
def while_listening(monkeypatch) -> Callable[[Callable[[Any], object]], None]:
    """Have something happen at each check while a report is listened for; then the time for it is over."""

    def given(happens: Callable[[Any], object]) -> None:
        def tick(self: running.SettingsRound) -> None:
            for pk, check in list(self.checks.items()):
                if check.until > time.monotonic():
                    happens(check)
                    self.checks[pk] = replace(check, until=time.monotonic())

        monkeypatch.setattr(running.SettingsRound, "tick", tick)

    return given


def fleet(admin, *obedience: str):
    """Make controllers that report to us, by their second destination."""
    made = [machine(make_component(f"server-{place}"), obedience=how) for place, how in enumerate(obedience, 1)]
    for one in made:
        one.state["machine"] |= {"settings": {"destinations.2.address": OURS}, "ordered": 1}
        one.save()
    run(services.read([one.component for one in made], admin))
    return made


def order(admin, machines, wanted) -> Job:
    found = services.differ([one.component for one in machines], wanted)
    return services.apply(services.propose(found, admin), admin)


def told(steps) -> list[tuple[str, str, str]]:
    return [(step.state, step.code, str(step.message)) for step in steps]


def trap(check: reporting.Check, source: str = TRAP_SOURCE, **more: Any) -> None:
    Alert.objects.create(source=source, title="Event trap sent", **{"component_id": check.begun.step.component, **more})


def test_reports_that_still_arrive_are_told_and_the_others_follow(admin, queued, while_listening):
    servers = fleet(admin, "prompt", "prompt")
    while_listening(trap)
    arrives = "It answers again and shows the new values. Reports still arrive: a test alert came here."
    assert told(run(order(admin, servers, DHCP))) == [("done", "", arrives)] * 2
    assert [received(one) for one in servers] == [["set network.source", "test alert 2"]] * 2
    assert not Reservation.objects.exists()


def test_a_report_that_does_not_arrive_is_a_warning_and_stops_before_the_next_one(admin, queued, while_listening):
    servers = fleet(admin, "prompt", "prompt")
    seen: list[Any] = []

    def others_report(check: reporting.Check) -> None:
        step = JobStep.objects.get(pk=check.begun.step.pk)
        seen.append((step.state, str(step.message), JobStep.objects.filter(job=step.job, state="waiting").count()))
        trap(check, component_id=servers[1].component_id)
        trap(check, received_at=timezone.now() - timedelta(minutes=1))
        trap(check, source=EVENT_SOURCE)

    while_listening(others_report)
    first, *_others = steps = run(order(admin, servers, DHCP))
    assert told(steps) == [
        ("done", "", f"It answers again and shows the new values. {NO_REPORT}"),
        ("cancelled", "", "Not begun, because no report of the first device arrived after its change."),
    ]
    assert seen == [
        ("running", "Changed. Asking the controller for a test alert, to see whether its reports arrive…", 1)
    ]
    assert str(first.remedy).startswith("Set the alert destination at the controller itself")
    assert received(servers[1]) == []


def test_an_address_that_nobody_has_counts_as_its_controller(admin, queued, while_listening):
    (server,) = fleet(admin, "prompt")
    while_listening(lambda check: trap(check, component_id=None, address=check.order.reached.address))
    ((_state, _code, message),) = told(run(order(admin, [server], {"network.address": "198.51.100.7"})))
    assert message == (
        "It answers again and shows the new values. The portal asks it at 198.51.100.7 from now on. "
        "Reports still arrive: a test alert came here."
    )


def test_where_nothing_of_ours_is_set_nothing_can_be_checked(admin, queued):
    (server,) = fleet(admin, "prompt")
    options.set_value("report_address", "127.0.0.8", admin)
    ((state, _code, message),) = told(run(order(admin, [server], DHCP)))
    assert state == "done"
    assert message.endswith(
        "Whether reports arrive could not be checked: it has no alert destination or subscription of this portal."
    )
    assert received(server) == ["set network.source"]


def test_one_that_sends_no_test_alert_is_told_so(admin, queued):
    (server,) = fleet(admin, "hesitant")
    server.state["machine"]["orders"] = ["set network.source"]  # heard once, so it is taken
    server.save()
    ((state, code, message),) = told(run(order(admin, [server], DHCP)))
    assert (state, code) == ("done", "")
    assert "Whether its reports still arrive is not known, it sends no test alert: " in message
    assert message.endswith("is busy")


@pytest.mark.parametrize("wanted", [{"services.snmp": True}, {"destinations.1.address": "192.0.2.5"}, DHCP])
def test_what_does_not_change_the_network_and_what_nobody_wants_checked_is_not(admin, queued, wanted):
    (server,) = fleet(admin, "prompt")
    if wanted is DHCP:
        options.set_value("settings_report_wait", 0, admin)
    assert told(run(order(admin, [server], wanted))) == [("done", "", "It answers again and shows the new values.")]
    assert len(received(server)) == 1


def test_a_job_that_is_cancelled_waits_for_no_report(admin, queued, while_listening):
    (server,) = fleet(admin, "prompt")
    job = order(admin, [server], DHCP)
    while_listening(lambda check: jobs.cancel(job, admin))
    ((state, _code, message),) = told(run(job))
    assert state == "done"
    assert message.endswith(("Nobody waited for its test alert: the job was cancelled.", NO_REPORT))
    assert not Reservation.objects.exists()


def test_a_subscription_comes_before_a_destination(admin):
    (server,) = fleet(admin, "prompt")
    (found,) = services.differ([server.component], DHCP)
    report = services.values.load(services.snapshot_of(found.interface).report)
    assert reporting.way_of(server, report) == reporting.Way(row="2")
    row = EventSubscription.objects.create(interface=server, state="active", tests=True)
    assert reporting.way_of(server, report) == reporting.Way(subscription=row.pk)
    EventSubscription.objects.update(tests=False)
    assert reporting.way_of(server, report) == reporting.Way(row="2")
