"""Changes of settings that a controller did not take at once: tried again later, beginning with reading."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from apps.components import contact
from apps.components.models import Component, Reservation
from apps.control import tasks
from apps.control.models import SettingsOrder
from apps.control.settings import running, services
from apps.core import jobs, options
from apps.core.models import AuditEntry, Job, JobStep
from apps.core.phrases import Phrase
from tests.control.conftest import machine, received, run
from tests.factories import make_component

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SECRET = "neues-Geheimnis-17"
Tick = Callable[[running.SettingsRound], None]


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Look for a change only once more in each try."""
    monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(0))


@pytest.fixture
def while_waiting(monkeypatch) -> Callable[[Tick], list[Any]]:
    """Have something happen once a step waits; then its time has come. Gives what was seen."""

    def given(happens: Callable[[running.SettingsRound], Any]) -> list[Any]:
        seen: list[Any] = []

        def tick(self: running.SettingsRound) -> None:
            if not self.begun and any(one.due for one in self.waiting.values()):
                seen.append(happens(self))  # nothing else happens any more
                self.waiting = {pk: replace(one, due=0.0) for pk, one in self.waiting.items()}

        monkeypatch.setattr(running.SettingsRound, "tick", tick)
        monkeypatch.setattr(
            running.SettingsRound, "pause", lambda self: timedelta(minutes=options.get("settings_pause"))
        )
        return seen

    return given


def fleet(admin, *obedience: str, **parameters: Any):
    made = [
        machine(make_component(f"server-{place}"), obedience=how, **parameters)
        for place, how in enumerate(obedience, 1)
    ]
    run(services.read([one.component for one in made], admin))
    return made


def order(admin, machines, wanted) -> Job:
    found = services.differ([one.component for one in machines], wanted)
    return services.apply(services.propose(found, admin), admin)


def told(steps) -> list[tuple[str, str, str]]:
    return [(step.state, step.code, str(step.message)) for step in steps]


def test_a_value_that_counts_later_is_written_once(admin, queued):
    (server,) = fleet(admin, "late")
    steps = run(order(admin, [server], {"services.snmp": True}))
    assert told(steps) == [("done", "", "Tried 2 times. It shows the new values by now: they took effect later.")]
    assert received(server) == ["set services.snmp"]
    assert AuditEntry.objects.get(action="settings.write").after == {"SNMP": True, "outcome": "done"}


def test_only_what_still_differs_is_written_again_and_a_password_once_in_a_try(admin, queued):
    (server,) = fleet(admin, "hesitant")  # refuses for the moment whatever it never heard before
    job = order(admin, [server], {"users.3.password": SECRET, "network.host_name": "bmc-1"})
    steps = run(job)
    assert told(steps) == [
        ("done", "", "Tried 3 times. It answers again and shows the new values; a password cannot be read back.")
    ]
    assert received(server) == ["set users.3.password"] * 2 + ["set network.host_name"] * 2
    assert not SettingsOrder.objects.exists()
    kept = [str(step.message) for step in JobStep.objects.all()] + [str(one.after) for one in AuditEntry.objects.all()]
    assert SECRET not in "".join(kept)


def test_one_that_never_takes_it_fails_after_the_last_try(admin, queued):
    one, other = fleet(admin, "deaf", "prompt")
    first, second = told(run(order(admin, [one, other], {"services.snmp": True})))
    assert first[:2] == ("failed", "not_confirmed")
    assert first[2].startswith("Tried 3 times. The order was taken, but it was not seen to be done")
    assert second == ("cancelled", "", "Not begun, because the first device was not confirmed.")
    assert received(one) == ["set services.snmp"] * 3
    assert received(other) == []
    assert AuditEntry.objects.filter(action="settings.write").count() == 1


@pytest.mark.parametrize(
    ("how", "fault", "code"),
    [
        ("refusing", "none", "device_error"),
        ("prompt", "denied", "authentication_failed"),
        ("prompt", "old", "unsupported"),
    ],
)
def test_what_would_come_out_the_same_is_not_tried_again(admin, queued, how, fault, code):
    (server,) = fleet(admin, how)
    job = order(admin, [server], {"services.snmp": True})
    server.parameters |= {"fault": fault}
    server.save()
    contact.connections.clear()
    ((state, found, message),) = told(run(job))
    assert (state, found) == ("failed", code)
    assert "Tried" not in message
    assert contact.connections[server.pk, services.WRITE] == 1


def test_one_that_was_not_reached_is_asked_again_by_what_is_known_of_it_then(admin, queued, while_waiting):
    (server,) = fleet(admin, "prompt")
    job = order(admin, [server], {"services.snmp": True})
    server.parameters |= {"fault": "refusing"}
    server.save()
    while_waiting(lambda round: type(server).objects.filter(pk=server.pk).update(parameters={"obedience": "prompt"}))
    steps = run(job)
    assert told(steps) == [("done", "", "Tried 2 times. It answers again and shows the new values.")]
    assert received(server) == ["set services.snmp"]


def test_no_further_tries_where_the_option_says_so(admin, queued):
    options.set_value("settings_tries", 0, admin)
    (server,) = fleet(admin, "hesitant")
    ((state, code, message),) = told(run(order(admin, [server], {"services.snmp": True})))
    assert (state, code) == ("failed", "device_error")
    assert message.startswith("It refused SNMP: ")
    assert "ried" not in message


def test_while_the_first_one_waits_the_others_do_too_and_the_job_says_until_when(
    admin, queued, while_waiting, client_of
):
    one, other = fleet(admin, "hesitant", "prompt")
    job = order(admin, [one, other], {"services.snmp": True})

    def look(round: running.SettingsRound) -> Any:
        now = timezone.now()
        first, second = JobStep.objects.filter(job=job).order_by("pk")
        shown = client_of(admin.user).get(f"/api/v1/jobs/{job.pk}/steps/").json()["results"][0]["message"]
        page = client_of(admin.user).get(f"/jobs/{job.pk}/").content.decode()
        held = Reservation.objects.get(interface=one.pk)
        return (
            first.state,
            second.state,
            shown,
            "Waits to try again at" in page,
            first.deadline_at - now,
            held.until - now,
        )

    seen = while_waiting(look)
    steps = told(run(job))
    assert [step[0] for step in steps] == ["done", "done"]
    ((first, second, shown, on_page, deadline, held),) = seen
    assert (first, second, on_page) == ("running", "waiting", True)
    assert shown.startswith("Waits to try again at ")
    assert "(1 of 2). It refused SNMP: " in shown
    least = timedelta(minutes=3) + running.SettingsRound.slack
    assert least - timedelta(seconds=90) < deadline <= least
    assert least - timedelta(seconds=90) < held <= least
    assert not Reservation.objects.exists()
    assert [received(each) for each in (one, other)] == [["set services.snmp"] * 2, ["set services.snmp"]]


def states(job: Job) -> list[str]:
    return list(JobStep.objects.filter(job=job).order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize(("failures", "beside"), [(1, "waiting"), (2, "done"), (0, "done")])
def test_one_that_waits_counts_as_failed_until_it_has_taken_it(admin, queued, while_waiting, failures, beside):
    options.set_value("settings_failures", failures, admin)
    options.set_value("settings_concurrency", 1, admin)  # who waits takes no place
    servers = fleet(admin, "prompt", "hesitant", "prompt")
    job = order(admin, servers, {"services.snmp": True})
    seen = while_waiting(lambda round: states(job))
    assert [step[0] for step in told(run(job))] == ["done"] * 3
    assert seen == [["done", "running", beside]]


def test_a_step_that_waits_is_cancelled_at_once_and_says_what_it_did(admin, queued, while_waiting):
    one, other = fleet(admin, "deaf", "prompt")
    job = order(admin, [one, other], {"services.snmp": True})
    while_waiting(lambda round: jobs.cancel(job, admin))
    first, second = told(run(job))
    assert first[:2] == ("failed", "not_confirmed")
    assert first[2].startswith("The job was cancelled before it was tried again. The order was taken, but")
    assert second[0] == "cancelled"
    assert received(one) == ["set services.snmp"]
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert not Reservation.objects.exists()


def test_a_step_of_which_nothing_was_sent_is_simply_cancelled(admin, queued, while_waiting):
    (server,) = fleet(admin, "prompt")
    job = order(admin, [server], {"services.snmp": True})
    server.parameters |= {"fault": "refusing"}
    server.save()
    while_waiting(lambda round: jobs.cancel(job, admin))
    ((state, code, message),) = told(run(job))
    assert (state, code) == ("cancelled", "")
    assert "Nothing listens on port" in message
    assert not AuditEntry.objects.filter(action="settings.write").exists()


@pytest.mark.parametrize(("how", "state", "orders"), [("deaf", "failed", 1), ("prompt", "skipped", 0)])
def test_one_that_got_another_manager_meanwhile_is_not_tried_again(admin, queued, while_waiting, how, state, orders):
    (server,) = fleet(admin, how)
    job = order(admin, [server], {"services.snmp": True})
    if how == "prompt":
        server.parameters |= {"fault": "refusing"}
        server.save()
    theirs = Component.objects.filter(pk=server.component_id)
    while_waiting(lambda round: theirs.update(managed_elsewhere={"controller": "Osaka"}))
    ((found, _code, message),) = told(run(job))
    assert found == state
    assert message.startswith("Not tried again. Another manager manages this controller")
    assert contact.connections[server.pk, services.WRITE] == 1 + orders  # with its look
    assert not Reservation.objects.exists()


def test_a_step_that_the_watchdog_ended_meanwhile_is_written_by_nobody(admin, queued, while_waiting):
    (server,) = fleet(admin, "deaf")
    job = order(admin, [server], {"services.snmp": True})

    def end(round: running.SettingsRound) -> None:
        JobStep.objects.filter(job=job).update(deadline_at=timezone.now() - timedelta(seconds=1))
        assert jobs.watch() == 1

    while_waiting(end)
    ((state, code, _message),) = told(run(job))
    assert (state, code) == ("failed", "outcome_unknown")
    assert received(server) == ["set services.snmp"]
    assert not Reservation.objects.exists()


def test_a_task_has_the_time_for_all_tries(admin, monkeypatch):
    given: dict[str, Any] = {}
    monkeypatch.setattr(tasks.run_settings, "apply_async", lambda args, **how: given.update(how))
    tasks.start_settings(1)
    assert given["soft_time_limit"] == 1200 + 3 * (300 + 330) + 2 * 180 + (60 + 300 + 330)
    assert given["time_limit"] == given["soft_time_limit"] + 30
    options.set_value("settings_tries", 0, admin)
    tasks.start_settings(1)
    assert given["soft_time_limit"] == 1200 + (300 + 330) + (60 + 300 + 330)


def test_a_time_is_told_as_it_is_where_the_reader_is():
    told = Phrase("at %(moment)s", {"moment": "2026-11-27T03:34:56+00:00"})
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert str(Phrase.loads(told.dumps())) == "at 12:34"
