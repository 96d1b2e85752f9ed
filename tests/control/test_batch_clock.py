"""Remote batches run when their time has come, once; what was missed is told, and made up for within its window."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError

from apps.access.services import tokens
from apps.access.services.tokens import Limits
from apps.alerts.models import Alert, Incident
from apps.components.models import Component
from apps.control.models import RemoteBatch, RemoteBatchRun
from apps.control.services import batch_runs, remote_batches
from apps.control.services.remote_batches import plan_of
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.errors import Conflict
from apps.core.models import AuditEntry, Job
from apps.core.recurrence import LAST, Repeat, Rule
from tests.control.batches import actor_of, at, lose_rights, planned, runs, tick, when
from tests.control.conftest import machine, received, run
from tests.factories import make_component, make_group, make_user, ship_definitions

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _afternoon():
    ship_definitions()
    with when("11-20 12:00"):
        yield


@pytest.fixture
def olga():
    return make_user("operator", username="olga")


@pytest.fixture
def device():
    return machine(make_component("web-01"))


def test_at_its_time_it_orders_once_on_behalf_of_its_owner(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    assert batch.next_at == at("11-20 20:00")
    assert tick("11-20 19:59") == 0
    assert not Job.objects.exists()
    assert tick("11-20 20:00") == 1
    assert tick("11-20 20:00") == 0
    job = Job.objects.get()
    assert (str(job.title), job.created_by, job.created_by_name, job.kind) == (
        "Remote batch Night off: Shut down the OS",
        olga,
        "olga",
        "power",
    )
    assert queued == [job.pk]
    run(job)
    assert received(device) == ["power shutdown"]
    assert runs() == [("11-20 20:00", "started", "")]
    assert RemoteBatchRun.objects.get().job == job
    batch.refresh_from_db()
    assert batch.next_at == at("11-21 20:00")
    entry = AuditEntry.objects.get(action="remote-batch.run")
    assert (entry.actor_kind, entry.login, entry.object_name) == ("schedule", "olga", "Night off")
    assert AuditEntry.objects.get(action="job.power").after["remote_batch"] == "Night off"
    assert not Alert.objects.exists()


def test_a_single_time_is_over_afterwards(olga, device, queued):
    batch = planned(actor_of(olga), device.component, rule=Rule("UTC", datetime(2026, 11, 20, 20)))
    assert tick("11-20 20:00") == 1
    batch.refresh_from_db()
    assert batch.next_at is None
    assert tick("11-21 20:00") == 0
    assert len(queued) == 1


def test_of_two_clocks_one_wins(olga, device, queued, monkeypatch):
    """The other reads the same due batch before, and comes to it afterwards."""
    planned(actor_of(olga), device.component)
    claim, seen = batch_runs._claim, []

    def two(pk, planned_at, now):
        seen.append(claim(pk, planned_at, now))
        seen.append(claim(pk, planned_at, now))
        return seen[0]

    monkeypatch.setattr(batch_runs, "_claim", two)
    tick("11-20 20:00")
    assert [one is None for one in seen] == [False, True]
    assert len(queued) == 1
    assert runs() == [("11-20 20:00", "started", "")]


def test_two_workers_with_the_same_run_begin_one_job(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    with when("11-20 20:00"):
        won = batch_runs._claim(batch.pk, at("11-20 20:00"), at("11-20 20:00"))
        assert isinstance(won, RemoteBatchRun)
        batch_runs.begin(won)
        batch_runs.begin(won)
    assert Job.objects.count() == 1


def test_a_process_that_dies_after_winning_leaves_a_missed_run_and_no_second_one(olga, device, queued, monkeypatch):
    planned(actor_of(olga), device.component, make_up=600)

    def die(*args, **more):
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(batch_runs, "prepare", die)
        with pytest.raises(OperationalError):
            tick("11-20 20:00")
    assert runs() == [("11-20 20:00", "beginning", "")]
    assert tick("11-20 20:04") == 0
    assert tick("11-20 20:06") == 1
    died = "The process that was to begin it ended before it had. Nothing was ordered."
    assert runs() == [("11-20 20:00", "missed", died)]
    assert not Job.objects.exists()
    assert str(Alert.objects.get().title) == "The remote batch Night off did not run at 2026-11-20 20:00 UTC"


def test_a_job_and_its_run_are_written_together_or_not_at_all(olga, device, queued, monkeypatch):
    planned(actor_of(olga), device.component)

    def die(*args, **more):
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(batch_runs, "_told", die)
        with pytest.raises(OperationalError):
            tick("11-20 20:00")
    assert not Job.objects.exists()
    assert runs() == [("11-20 20:00", "beginning", "")]
    assert queued == []


def test_what_was_missed_is_told_and_not_made_up_for_unless_it_says_so(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    assert tick("11-20 20:03") == 1
    assert runs() == [("11-20 20:00", "missed", "The portal was not running at that time.")]
    assert not Job.objects.exists()
    entry = AuditEntry.objects.get(action="remote-batch.miss")
    assert (entry.outcome, entry.after["planned_for"]) == ("failed", ["2026-11-20T20:00:00+00:00"])
    alert = Alert.objects.get()
    assert (alert.source, alert.severity, alert.component) == ("portal", "warning", device.component)
    assert tick("11-21 20:00") == 1  # the next one is well again, and says so
    assert [one.severity for one in Alert.objects.order_by("pk")] == ["warning", "normal"]
    assert Incident.objects.get().state == "closed"
    batch.refresh_from_db()
    assert batch.next_at == at("11-22 20:00")


@pytest.mark.parametrize(
    ("back", "state", "why"),
    [
        ("11-20 20:01", "started", ""),
        ("11-20 20:29", "made_up", ""),
        ("11-20 20:30", "made_up", ""),
        ("11-20 20:31", "missed", "The portal was not running at that time, nor in the 30 minutes after it."),
    ],
)
def test_within_its_window_it_is_made_up_for(olga, device, queued, back, state, why):
    planned(actor_of(olga), device.component, make_up=30)
    tick(back)
    assert runs() == [("11-20 20:00", state, why)]
    assert Job.objects.count() == (state != "missed")


def test_of_several_missed_times_only_the_last_may_be_made_up_for(olga, device, queued):
    planned(actor_of(olga), device.component, make_up=60)
    tick("11-23 20:30")
    later = "The portal was not running at that time; a later one came before it was back."
    assert runs() == [
        ("11-20 20:00", "missed", later),
        ("11-21 20:00", "missed", later),
        ("11-22 20:00", "missed", later),
        ("11-23 20:00", "made_up", ""),
    ]
    assert Job.objects.count() == 1


def test_a_year_away_writes_down_the_last_times_only(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    tick(at("11-20 12:00") + timedelta(days=365))
    assert RemoteBatchRun.objects.count() == batch_runs.KEPT + 1
    batch.refresh_from_db()
    assert batch.next_at == datetime(2027, 11, 20, 20, tzinfo=at("11-20 12:00").tzinfo)


def test_a_clock_that_is_set_back_repeats_nothing(olga, device, queued):
    planned(actor_of(olga), device.component)
    tick("11-20 20:00")
    assert tick("11-20 19:50") == 0
    assert tick("11-20 20:00") == 0
    assert len(queued) == 1


def test_while_it_is_paused_times_are_left_out(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    remote_batches.pause(batch, actor_of(olga))
    assert tick("11-20 20:00") == 1
    assert runs() == [("11-20 20:00", "skipped", "It was paused by olga.")]
    assert AuditEntry.objects.get(action="remote-batch.skip").outcome == "success"
    remote_batches.resume(batch, actor_of(olga))
    assert not Job.objects.exists()
    assert not Alert.objects.exists()
    tick("11-21 20:00")
    assert runs()[1][1] == "started"


class TestRights:
    """A run does what its owner may do at that moment, and no more."""

    @pytest.mark.parametrize(
        ("lose", "why"),
        [
            (lose_rights, "olga, on whose behalf it runs, may no longer order this of all its components."),
            (
                lambda user: type(user).objects.filter(pk=user.pk).update(is_active=False),
                "olga, on whose behalf it runs, may not sign in any more.",
            ),
            (lambda user: user.delete(), "olga, on whose behalf it runs, was removed."),
        ],
    )
    def test_an_owner_who_lost_his_rights_is_refused(self, olga, device, queued, lose, why):
        planned(actor_of(olga), device.component)
        lose(olga)
        assert tick("11-20 20:00") == 1
        assert runs() == [("11-20 20:00", "refused", why)]
        assert not Job.objects.exists()
        assert received(device) == []
        assert AuditEntry.objects.get(action="remote-batch.refuse").after["why"] == why
        assert str(Alert.objects.get().title) == "The remote batch Night off was refused at 2026-11-20 20:00 UTC"

    def test_a_component_that_moved_out_of_his_groups_stops_the_whole_run(self, queued):
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        mine, moved = machine(make_component("web-01", tokyo)), machine(make_component("web-02", tokyo))
        planned(actor_of(make_user("operator", tokyo, username="olga")), mine.component, moved.component)
        Component.objects.filter(pk=moved.component_id).update(group=osaka)
        tick("11-20 20:00")
        assert runs()[0][1:] == (
            "refused",
            "olga, on whose behalf it runs, may no longer order this of all its components.",
        )
        assert not Job.objects.exists()

    def test_whoever_saves_it_is_its_owner(self, olga, device, queued):
        batch = planned(actor_of(olga), device.component)
        lose_rights(olga)
        chris = make_user("operator", username="chris")
        remote_batches.change(batch, replace(plan_of(batch), name="Evening off"), actor_of(chris))
        tick("11-20 20:00")
        assert Job.objects.get().created_by == chris

    def test_a_group_is_whatever_stands_below_it_then(self, queued):
        tokyo = make_group("Tokyo")
        machine(make_component("web-01", tokyo))
        batch = planned(actor_of(make_user("operator", tokyo)), group=tokyo)
        machine(make_component("web-02", make_group("Web", tokyo)))
        tick("11-20 20:00")
        assert list(Job.objects.get().steps.values_list("target", flat=True)) == ["web-01", "web-02"]
        plan = replace(plan_of(batch), include_subgroups=False)
        remote_batches.change(batch, plan, actor_of(batch.owner))
        tick("11-21 20:00")
        assert list(Job.objects.order_by("-pk")[0].steps.values_list("target", flat=True)) == ["web-01"]

    @pytest.mark.parametrize(
        ("guard", "why"),
        [
            ({"expect": 2}, "It is for 3 components now, not for 2."),
            ({"at_most": 2}, "It is for 3 components now; it may be for 2 at most."),
        ],
    )
    def test_guards_of_the_number(self, olga, queued, guard, why):
        tokyo = make_group("Tokyo")
        for name in ("web-01", "web-02", "web-03"):
            machine(make_component(name, tokyo))
        planned(actor_of(olga), group=tokyo, **guard)
        tick("11-20 20:00")
        assert runs() == [("11-20 20:00", "refused", why)]

    def test_nobody_left_and_nobody_able(self, olga, device, queued):
        planned(actor_of(olga), device.component)
        planned(actor_of(olga), make_component("unmanaged"), name="Nothing")
        device.component.delete()
        tick("11-20 20:00")
        assert {why for _at, _state, why in runs()} == {
            "There is no component that it is for.",
            "None of its ways of managing can do this.",
        }
        assert not Job.objects.exists()


class TestTimes:
    """When it runs, by the clock on the wall of its zone."""

    @pytest.mark.parametrize(
        ("rule", "times"),
        [
            # in Berlin 02:30 does not exist on the 29th of March, so it runs at the jump; on the 25th of October it
            # comes twice, and the first one counts
            (
                Rule("Europe/Berlin", datetime(2026, 3, 28, 2, 30), repeat=Repeat.DAILY),
                ["03-28 01:30", "03-29 01:00", "03-30 00:30"],
            ),
            (
                Rule("Europe/Berlin", datetime(2026, 10, 24, 2, 30), repeat=Repeat.DAILY),
                ["10-24 00:30", "10-25 00:30", "10-26 01:30"],
            ),
            # the last day of a month in Tokyo is still the day before in universal time
            (
                Rule("Asia/Tokyo", datetime(2026, 1, 31, 7), repeat=Repeat.MONTHLY, month_day=LAST),
                ["01-30 22:00", "02-27 22:00", "03-30 22:00"],
            ),
            # around midnight, on working days
            (
                Rule(
                    "Asia/Tokyo",
                    datetime(2026, 1, 2, 0, 0),
                    repeat=Repeat.WEEKLY,
                    weekdays=frozenset(range(5)),
                    exceptions=frozenset({datetime(2026, 1, 6).date()}),
                ),
                ["01-01 15:00", "01-04 15:00", "01-06 15:00"],
            ),
            (
                Rule(
                    "UTC", datetime(2026, 1, 1, 3), repeat=Repeat.MONTHLY, nth=2, weekdays=frozenset({5})
                ),  # second Saturday
                ["01-10 03:00", "02-14 03:00", "03-14 03:00"],
            ),
        ],
    )
    def test_each_time_comes_once(self, olga, device, queued, rule, times):
        with when("01-01 00:00"):
            batch = planned(actor_of(olga), device.component, rule=rule)
        for _number in times:
            batch.refresh_from_db()
            moment = batch.next_at
            assert tick(moment) == 1
            assert tick(moment + timedelta(seconds=30)) == 0
        assert [at for at, _state, _why in runs()] == times
        assert {state for _at, state, _why in runs()} == {"started"}


def test_what_a_program_may_ask_now_leaves_the_plan(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    chris = make_user("operator", username="chris")
    job = batch_runs.run_now(batch, actor_of(chris))
    assert (job.created_by, str(job.title)) == (chris, "Remote batch Night off: Shut down the OS")
    assert RemoteBatchRun.objects.get().by_hand
    batch.refresh_from_db()
    assert batch.next_at == at("11-20 20:00")
    tick("11-20 20:00")
    assert Job.objects.count() == 2


def test_collecting_is_named_after_its_batch(olga, device, queued):
    planned(actor_of(olga), device.component, operation="collect", arguments={})
    tick("11-20 20:00")
    job = Job.objects.get()
    assert (job.kind, str(job.title)) == ("refresh", "Remote batch Night off: Collect now")


def test_one_day_is_left_out_and_taken_back(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    chris = actor_of(make_user("operator", username="chris"))
    remote_batches.leave_out(batch, date(2026, 11, 20), chris)
    batch.refresh_from_db()
    assert (batch.next_at, batch.owner) == (at("11-21 20:00"), olga)
    assert tick("11-20 20:00") == 0
    with pytest.raises(Conflict, match="does not run on 2026-11-20"), when("11-20 20:00"):
        remote_batches.leave_out(batch, date(2026, 11, 20), chris)
    with when("11-20 21:00"):
        remote_batches.leave_out(batch, date(2026, 11, 21), chris)
        remote_batches.take_back(batch, date(2026, 11, 21), chris)
        with pytest.raises(Conflict, match="Nothing was left out on 2026-11-21"):
            remote_batches.take_back(batch, date(2026, 11, 21), chris)
    with when("11-21 20:00"):  # due, and not begun yet
        remote_batches.leave_out(batch, date(2026, 11, 22), chris)
    assert tick("11-21 20:00") == 1
    assert runs() == [("11-21 20:00", "started", "")]
    batch.refresh_from_db()
    assert batch.next_at == at("11-23 20:00")
    with pytest.raises(PermissionDenied):
        remote_batches.leave_out(batch, date(2026, 11, 23), actor_of(make_user("viewer")))
    acts = AuditEntry.objects.filter(action__in=("remote-batch.leave-out", "remote-batch.take-back"))
    assert list(acts.order_by("pk").values_list("action", "login")) == [
        ("remote-batch.leave-out", "chris"),
        ("remote-batch.leave-out", "chris"),
        ("remote-batch.take-back", "chris"),
        ("remote-batch.leave-out", "chris"),
    ]


def by_token(user, **limits):
    """Give somebody as an actor who comes by a token with limits, and the token."""
    token = tokens.create(user, "planner", SYSTEM, limits=Limits(**limits)).token
    user.token, user.is_limited = token, token.is_limited
    return Actor(ActorKind.TOKEN, user.username, user, "127.0.0.1"), token


def test_a_limited_token_plans_nothing_that_it_may_not_order_itself(olga, device):
    actor, _token = by_token(olga, permissions=["view", "schedules"])
    with pytest.raises(PermissionDenied):
        planned(actor, device.component)
    assert not RemoteBatch.objects.exists()


def test_what_a_limited_token_planned_runs_within_its_limits(olga, queued):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    device = machine(make_component("web-01", tokyo))
    actor, token = by_token(olga, permissions=["view", "power", "schedules"], groups=[tokyo.pk])
    batch = planned(actor, device.component)
    assert (batch.token, batch.limited_by) == (token, str(token))
    assert tick("11-20 20:00") == 1
    Component.objects.filter(pk=device.component_id).update(group=osaka)  # olga may there; her token may not
    assert tick("11-21 20:00") == 1
    Component.objects.filter(pk=device.component_id).update(group=tokyo)
    with when("11-22 12:00"):
        tokens.remove(token, SYSTEM)
    assert tick("11-22 20:00") == 1
    batch.refresh_from_db()
    with when("11-23 12:00"):
        remote_batches.change(batch, plan_of(batch), actor_of(type(olga).objects.get(pk=olga.pk)))
    assert tick("11-23 20:00") == 1
    assert runs() == [
        ("11-20 20:00", "started", ""),
        ("11-21 20:00", "refused", "olga, on whose behalf it runs, may no longer order this of all its components."),
        ("11-22 20:00", "refused", f"The API token {token}, within whose limits it runs, was removed."),
        ("11-23 20:00", "started", ""),
    ]
    assert Job.objects.count() == 2


def test_what_a_limited_token_planned_ends_with_its_time(olga, device, queued):
    actor, token = by_token(olga, permissions=["view", "power", "schedules"])
    planned(actor, device.component)
    type(token).objects.update(expires_at=at("11-20 19:00"))
    tick("11-20 20:00")
    assert runs() == [
        ("11-20 20:00", "refused", f"The API token {token}, within whose limits it runs, has expired."),
    ]
    assert not Job.objects.exists()


def test_old_runs_are_forgotten(olga, device, queued):
    batch = planned(actor_of(olga), device.component)
    tick("11-20 20:00")
    with when(at("11-20 20:00") + timedelta(days=401)):
        assert batch_runs.remove_old(400) == 1
        assert batch_runs.remove_old(400) == 0
    assert RemoteBatch.objects.filter(pk=batch.pk).exists()
