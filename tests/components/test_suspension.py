"""The flag of the components follows the suspend periods: at the right moments, and whatever happened meanwhile."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.components import tasks
from apps.components.models import Component, SuspendPeriod
from apps.components.services import registration, suspend_periods, suspension
from apps.core import events
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from tests.components.suspending import at, names, nightly, plan, single, suspended, when
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def web():
    return make_component("web-01")


class TestTheClock:
    """One task every five seconds lets periods begin and end."""

    def test_a_night_begins_and_ends(self, web):
        with when("11-20 12:00"):
            period = plan(web, nightly()).period
        assert (period.in_force, period.upcoming_from, suspended()) == (False, at("11-20 22:00"), set())
        for moment, wanted in (("11-20 21:59", set()), ("11-20 22:00", {"web-01"}), ("11-21 05:59", {"web-01"})):
            with when(moment):
                tasks.follow_suspend_periods()
            assert suspended() == wanted, moment
        web.refresh_from_db()
        assert (web.suspended_until, web.suspension) == (at("11-21 06:00"), period)
        with when("11-21 06:00"):
            tasks.follow_suspend_periods()
        web.refresh_from_db()
        assert (web.suspended, web.suspended_until, web.suspension) == (False, None, None)
        period.refresh_from_db()
        assert (period.in_force, period.upcoming_from) == (False, at("11-21 22:00"))

    def test_it_is_silent_from_the_first_second_on(self, web):
        with when("11-20 12:00"):
            plan(web, nightly())
        with when(at("11-20 22:00") - timedelta(seconds=6)):
            tasks.follow_suspend_periods()
        assert suspended() == set()
        with when(at("11-20 22:00") - timedelta(seconds=4)):  # the next run would be too late
            tasks.follow_suspend_periods()
        assert suspended() == {"web-01"}

    def test_a_period_that_ended_while_the_portal_was_down_leaves_nobody_suspended(self, web):
        with when("11-20 23:00"):
            plan(web, single("2026-11-20T22:00", 4))
        assert suspended() == {"web-01"}
        with when("11-25 12:00"):
            tasks.follow_suspend_periods()
        assert suspended() == set()
        assert SuspendPeriod.objects.get().upcoming_from is None

    def test_a_night_that_the_portal_missed_is_not_made_up_for(self, web):
        with when("11-20 12:00"):
            plan(web, nightly())
        with when("11-24 12:00"):
            assert suspension.follow() == 1
        period = SuspendPeriod.objects.get()
        assert (suspended(), period.upcoming_from) == (set(), at("11-24 22:00"))

    def test_nothing_is_written_while_nothing_is_due(self, web, django_assert_num_queries):
        with when("11-20 12:00"):
            plan(web, nightly())
            plan(make_group("Tokyo"), nightly())
            with django_assert_num_queries(3):  # the savepoint and the question for what is due
                assert suspension.follow() == 0

    def test_a_clock_that_was_put_back_puts_the_period_back(self, web):
        with when("11-20 23:00"):
            plan(web, single("2026-11-20T22:00", 4))
        with when("11-20 21:00"):
            suspension.follow()
        assert suspended() == set()
        with when("11-20 22:00"):
            suspension.follow()
        assert suspended() == {"web-01"}

    def test_the_task_of_every_minute_mends_what_was_written_by_accident(self, web):
        other = make_component("web-02", suspended=True)
        with when("11-20 23:00"):
            plan(web, nightly())
            Component.objects.filter(pk=web.pk).update(suspended=False)
            tasks.settle_suspensions()
        assert suspended() == {"web-01"}
        other.refresh_from_db()
        assert not other.suspended

    def test_pages_are_told_once_something_changed(self, web, monkeypatch, django_capture_on_commit_callbacks):
        said = []
        monkeypatch.setattr(events, "_send", said.append)
        with when("11-20 12:00"):
            plan(web, nightly())
        said.clear()
        for moment, wanted in (("11-20 21:00", []), ("11-20 22:00", [("status", "component")]), ("11-20 22:05", [])):
            with when(moment), django_capture_on_commit_callbacks(execute=True):
                tasks.follow_suspend_periods()
            assert said == wanted, moment
            said.clear()

    def test_many_are_suspended_in_slices(self, monkeypatch):
        monkeypatch.setattr(suspension, "AT_ONCE", 10)
        group = make_group("Tokyo")
        for number in range(25):
            make_component(f"web-{number}", group)
        with when("11-20 23:00"):
            plan(group, nightly())
        assert len(suspended()) == 25
        with when("11-21 06:00"):
            suspension.follow()
        assert suspended() == set()


class TestSeveralPeriods:
    """A component is suspended as long as any period says so."""

    def test_the_one_that_ends_last_is_named(self, web):
        with when("11-20 23:00"):
            first = plan(web, single("2026-11-20T22:00", 2), "Short").period
            plan(web, single("2026-11-20T22:30", 6), "Long")
        web.refresh_from_db()
        assert (web.suspension.name, web.suspended_until) == ("Long", at("11-21 04:30"))
        with when("11-21 00:00"):
            suspension.follow()
        web.refresh_from_db()
        first.refresh_from_db()
        assert (first.in_force, web.suspended, web.suspension.name) == (False, True, "Long")

    def test_one_without_an_end_lasts_longest(self, web):
        with when("11-20 23:00"):
            plan(web, single("2026-11-20T22:00", None), "Until it is repaired")
            plan(web, single("2026-11-20T22:30", 600), "Move")
        web.refresh_from_db()
        assert (web.suspension.name, web.suspended_until) == ("Until it is repaired", None)

    def test_a_group_suspends_everything_below_it(self):
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        rack = make_group("Rack 1", tokyo)
        for name, group in (("t", tokyo), ("r", rack), ("o", osaka)):
            make_component(name, group)
        with when("11-20 23:00"):
            plan(tokyo, nightly())
            assert suspended() == {"t", "r"}
            registration.register(registration.NewComponent("new", group=rack), SYSTEM)
            assert suspended() == {"t", "r", "new"}


class TestVerbs:
    """People plan, change and end; each act is audited and takes effect at once."""

    def test_a_plan_in_the_past_or_without_a_reason_is_refused_and_nothing_is_kept(self, web):
        with when("11-20 12:00"):
            for name, rule, field in (
                ("Backup", single("2026-11-20T01:00", 2), "ends_at"),
                ("Backup", nightly(last_day=at("11-19 00:00").date()), "last_day"),
                ("  ", nightly(), "name"),
                ("x" * 201, nightly(), "name"),
                ("Backup", nightly(hours=-1), "ends_at"),
                ("Backup", nightly(zone="Asia/Edo"), "time_zone"),
            ):
                with pytest.raises(ValidationError) as refused:
                    suspend_periods.create(web, name, rule, SYSTEM)
                assert list(refused.value.message_dict) == [field]
        assert names() == []
        assert not AuditEntry.objects.exists()

    def test_who_planned_it_is_kept(self, web):
        user = make_user("operator", username="ono")
        with when("11-20 12:00"):
            plan(web, nightly(), actor=Actor(ActorKind.USER, "ono", user, "192.0.2.7"))
        period = SuspendPeriod.objects.get()
        assert (period.created_by, period.created_by_name, period.created_at) == (user, "ono", at("11-20 12:00"))
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.object_name, entry.address) == ("suspend-period.create", "Backup", "192.0.2.7")
        assert entry.after["begins"] == "22:00:00"
        assert entry.after["minutes"] == 480

    def test_a_change_takes_effect_at_once(self, web):
        with when("11-20 23:00"):
            period = plan(web, nightly()).period
            suspend_periods.change(period, SYSTEM, enabled=False)
            assert suspended() == set()
            suspend_periods.change(period, SYSTEM, enabled=True, name="Night")
            assert suspended() == {"web-01"}
            suspend_periods.change(period, SYSTEM, rule=nightly("2026-11-01T23:30", 1))
            assert suspended() == set()
            suspend_periods.change(period, SYSTEM)  # nothing changed: nothing is audited
        actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
        assert actions == ["suspend-period.create", *["suspend-period.change"] * 3]
        assert AuditEntry.objects.order_by("pk")[3 - 1].after == {"enabled": True, "name": "Night"}

    def test_removing_one_lets_its_component_go(self, web):
        with when("11-20 23:00"):
            period = plan(web, nightly()).period
            suspend_periods.remove(period, SYSTEM)
        assert (suspended(), names()) == (set(), [])
        assert AuditEntry.objects.filter(action="suspend-period.remove", before__name="Backup").exists()

    def test_one_night_is_left_out_and_taken_back(self, web):
        with when("11-20 12:00"):
            period = plan(web, nightly()).period
            period = suspend_periods.leave_out(period, at("11-20 00:00").date(), SYSTEM)
            assert period.upcoming_from == at("11-21 22:00")
            with pytest.raises(Conflict, match="2026-11-20"):
                suspend_periods.leave_out(period, at("11-20 00:00").date(), SYSTEM)
        with when("11-20 23:00"):
            suspension.follow()
            assert suspended() == set()
            suspend_periods.take_back(period, at("11-20 00:00").date(), SYSTEM)
            assert suspended() == {"web-01"}
            with pytest.raises(Conflict, match="left out"):
                suspend_periods.take_back(period, at("11-20 00:00").date(), SYSTEM)

    def test_what_is_in_force_is_ended_early_and_the_next_night_is_as_planned(self, web):
        with when("11-20 23:00"):
            period = plan(web, nightly()).period
            period = suspend_periods.end_early(period, SYSTEM)
            assert (suspended(), period.upcoming_from) == (set(), at("11-21 22:00"))
            with pytest.raises(Conflict, match="not in force"):
                suspend_periods.end_early(period, SYSTEM)
            night = period.rule.occurrence(at("11-20 00:00").date())
            assert (night.start, night.end) == (at("11-20 22:00"), at("11-20 23:00"))
        with when("11-21 22:00"):
            suspension.follow()
        assert suspended() == {"web-01"}

    def test_what_was_ended_early_stays_so_until_its_times_are_changed(self, web):
        with when("11-20 23:00"):
            period = plan(web, nightly()).period
            period = suspend_periods.end_early(period, SYSTEM)
            left_out = frozenset({at("12-24 00:00").date()})
            suspend_periods.change(period, SYSTEM, rule=nightly(exceptions=left_out))
            assert suspended() == set()
            suspend_periods.change(period, SYSTEM, rule=nightly(hours=9, exceptions=left_out))
            assert suspended() == {"web-01"}

    def test_it_can_be_ended_in_the_seconds_before_it_begins(self, web):
        with when("11-20 12:00"):
            period = plan(web, nightly()).period
        with when(at("11-20 22:00") - timedelta(seconds=3)):
            suspension.follow()
            assert suspended() == {"web-01"}
            period = suspend_periods.end_early(period, SYSTEM)
        assert (suspended(), period.upcoming_from) == (set(), at("11-21 22:00"))


class TestSuspendNow:
    """From the list or a component's page, for a while or until somebody says so."""

    def test_for_two_hours(self, web):
        other = make_component("web-02")
        with when("11-20 12:00"):
            suspend_periods.suspend([web, other], "New fan", SYSTEM, at("11-20 14:00"))
            assert suspended() == {"web-01", "web-02"}
        with when("11-20 14:00"):
            suspension.follow()
        assert suspended() == set()

    def test_until_somebody_resumes_them(self, web):
        with when("11-20 12:00"):
            suspend_periods.suspend([web], "New fan", SYSTEM)
        with when("12-20 12:00"):
            suspension.follow()
            assert suspended() == {"web-01"}
            assert suspend_periods.resume([web], SYSTEM) == []
            assert suspended() == set()
            assert SuspendPeriod.objects.get().upcoming_from is None

    def test_whom_a_group_suspends_is_named_and_stays_suspended(self):
        tokyo = make_group("Tokyo")
        web, other = make_component("web-01", tokyo), make_component("web-02")
        with when("11-20 23:00"):
            plan(tokyo, nightly(), "Network work")
            suspend_periods.suspend([web, other], "New fan", SYSTEM)
            still = suspend_periods.resume([web, other], SYSTEM)
            assert [(one.name, one.suspension.name) for one in still] == [("web-01", "Network work")]
        assert suspended() == {"web-01"}

    def test_an_end_in_the_past_is_refused(self, web):
        with when("11-20 12:00"), pytest.raises(ValidationError) as refused:
            suspend_periods.suspend([web], "New fan", SYSTEM, at("11-20 11:00"))
        assert list(refused.value.message_dict) == ["ends_at"]
        assert names() == []

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "UTC"])
    def test_it_means_the_moments_that_were_meant_also_while_the_clocks_go_back(self, web, zone):
        now = at("10-25 01:30")  # in Berlin half past two, for the second time
        with when(now):
            suspend_periods.suspend([web], "New fan", SYSTEM, now + timedelta(hours=1), zone)
        period = SuspendPeriod.objects.get()
        assert (period.upcoming_from, period.upcoming_until) == (now, now + timedelta(hours=1))
        assert period.time_zone == ("UTC" if zone == "Europe/Berlin" else zone)

    def test_a_thousand_need_few_statements(self, django_assert_max_num_queries):
        components = [make_component() for _ in range(100)]
        with when("11-20 12:00"), django_assert_max_num_queries(115):  # an audit entry each
            suspend_periods.suspend(components, "Move", SYSTEM)
        with when("11-20 13:00"), django_assert_max_num_queries(115):
            suspend_periods.resume(components, SYSTEM)


class TestRows:
    """What the database itself refuses."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"component": None},
            {"repeat": "hourly"},
            {"every": 0},
            {"repeat": "daily", "length": None},
            {"last_day": at("11-01 00:00").date()},
        ],
    )
    def test_a_row_that_means_nothing(self, web, wrong):
        period = SuspendPeriod(name="Backup", component=web)
        period.rule = single("2026-11-20T22:00", 4)
        for name, value in wrong.items():
            setattr(period, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            period.save()

    def test_it_has_one_target(self, web):
        period = SuspendPeriod(name="Backup", component=web, group=web.group)
        period.rule = single("2026-11-20T22:00", 4)
        with pytest.raises(IntegrityError), transaction.atomic():
            period.save()

    def test_a_component_takes_its_periods_with_it(self, web):
        with when("11-20 23:00"):
            plan(web, nightly())
            registration.remove([web], SYSTEM)
        assert names() == []
