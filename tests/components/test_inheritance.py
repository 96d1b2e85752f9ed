"""MON-24: the group's equal schedule wins; what the former group gave goes with the move; its own stays."""

import pytest

from apps.components.models import SuspendPeriod
from apps.components.services import inheritance, joining, registration, suspend_periods, suspension
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from apps.groups import services as groups
from tests.components.suspending import names, nightly, plan, single, suspended, when
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _afternoon():
    with when("11-20 12:00"):
        yield


@pytest.fixture
def tokyo():
    return make_group("Tokyo")


@pytest.fixture
def osaka():
    return make_group("Osaka")


@pytest.fixture
def web(tokyo):
    return make_component("web-01", tokyo)


def replaced_in_audit() -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(action="suspend-period.remove", after__isnull=False).order_by("pk")
    return [(entry.object_name, entry.after["of_group"]) for entry in entries]


class TestTheThreeRules:
    """Of the guide, in its order."""

    def test_the_same_schedule_on_the_group_wins_and_the_one_of_the_component_is_removed(self, web, tokyo):
        plan(web, nightly("2025-02-03T22:00"), "Own backup")
        saved = plan(tokyo, nightly(), "Backup of Tokyo")
        assert [one.name for one in saved.replaced] == ["Own backup"]
        assert names() == ["Backup of Tokyo"]
        assert replaced_in_audit() == [("Own backup", "Tokyo")]
        with when("11-20 23:00"):
            suspension.follow()
        assert suspended() == {"web-01"}

    def test_moving_a_component_takes_the_former_groups_schedule_from_it(self, web, tokyo, osaka):
        plan(tokyo, nightly(), "Backup of Tokyo")
        with when("11-20 23:00"):
            suspension.follow()
            assert suspended() == {"web-01"}
            registration.move([web], osaka, SYSTEM)
            assert suspended() == set()
            web.refresh_from_db()
            registration.move([web], tokyo, SYSTEM)
            assert suspended() == {"web-01"}
        assert names() == ["Backup of Tokyo"]

    def test_its_own_schedules_stay_with_it(self, web, tokyo, osaka):
        plan(tokyo, nightly(), "Backup of Tokyo")
        plan(web, nightly(hours=2), "Own backup")
        registration.move([web], osaka, SYSTEM)
        with when("11-20 23:00"):
            suspension.follow()
            assert suspended() == {"web-01"}
        assert names() == ["Backup of Tokyo", "Own backup"]
        assert replaced_in_audit() == []


class TestEqualSchedules:
    """However they come together."""

    def test_only_equal_ones_below_the_group_are_removed(self, web, tokyo, osaka):
        rack = make_group("Rack 1", tokyo)
        below, elsewhere = make_component("web-02", rack), make_component("web-03", osaka)
        for component, rule, name in (
            (web, nightly(), "same"),
            (web, nightly(hours=7), "shorter"),
            (below, nightly(), "same below"),
            (elsewhere, nightly(), "same elsewhere"),
        ):
            plan(component, rule, name)
        plan(web, nightly(), "switched off", enabled=False)
        saved = plan(tokyo, nightly(), "Tokyo")
        assert [one.name for one in saved.replaced] == ["same", "same below"]
        assert set(names()) == {"shorter", "same elsewhere", "switched off", "Tokyo"}

    def test_a_group_schedule_that_is_switched_off_takes_nothing_until_it_is_switched_on(self, web, tokyo):
        plan(web, nightly(), "Own backup")
        period = plan(tokyo, nightly(), "Tokyo", enabled=False).period
        assert set(names()) == {"Own backup", "Tokyo"}
        assert [one.name for one in suspend_periods.change(period, SYSTEM, enabled=True).replaced] == ["Own backup"]

    def test_a_group_schedule_that_becomes_equal_wins_too(self, web, tokyo):
        plan(web, nightly(), "Own backup")
        period = plan(tokyo, nightly(hours=2), "Tokyo").period
        assert [one.name for one in suspend_periods.change(period, SYSTEM, rule=nightly()).replaced] == ["Own backup"]

    def test_a_component_is_not_given_what_its_group_has(self, web, tokyo):
        plan(tokyo, nightly(), "Backup")
        with pytest.raises(Conflict, match="The group Tokyo has this schedule already, and it reaches web-01: Backup"):
            suspend_periods.create(web, "Own", nightly(), SYSTEM)
        off = plan(web, nightly(), "Own", enabled=False).period
        with pytest.raises(Conflict):
            suspend_periods.change(off, SYSTEM, enabled=True)
        other = plan(web, nightly(hours=1), "Other").period
        with pytest.raises(Conflict):
            suspend_periods.change(other, SYSTEM, rule=nightly())
        assert set(names()) == {"Backup", "Own", "Other"}

    def test_a_group_that_one_may_not_see_is_not_named(self, web, tokyo):
        rack = make_group("Rack 1", tokyo)
        mine = make_component("web-02", rack)
        user = make_user("operator", rack)
        plan(tokyo, nightly(), "Secret move")
        with pytest.raises(Conflict) as refused:
            suspend_periods.create(mine, "Own", nightly(), Actor(ActorKind.USER, user.username, user))
        assert str(refused.value) == "A group above web-02 has this schedule already."

    def test_moving_into_a_group_that_has_the_same(self, web, tokyo, osaka):
        plan(osaka, nightly(), "Backup of Osaka")
        plan(web, nightly(), "Own backup")
        effect = inheritance.effect_of_move(web, osaka)
        assert [one.name for one in effect.replaced] == ["Own backup"]
        registration.move([web], osaka, SYSTEM)
        assert names() == ["Backup of Osaka"]
        assert replaced_in_audit() == [("Own backup", "Osaka")]

    def test_the_effect_of_a_move_is_known_before(self, web, tokyo, osaka):
        plan(groups.topmost_group(None, "view"), nightly(hours=1), "Everywhere")
        plan(tokyo, nightly(hours=2), "Tokyo")
        plan(osaka, nightly(hours=3), "Osaka")
        plan(web, nightly(hours=4), "Own")
        with when("11-20 11:00"):
            plan(tokyo, single("2026-11-20T10:30", 1), "Over")
        suspension.follow()
        effect = inheritance.effect_of_move(web, osaka)
        parts = (effect.left, effect.gained, effect.replaced, effect.kept)
        assert [[one.name for one in part] for part in parts] == [["Tokyo"], ["Osaka"], [], ["Own"]]

    def test_a_group_that_moves_takes_its_components_along(self, web, tokyo, osaka, django_capture_on_commit_callbacks):
        plan(osaka, nightly(), "Backup of Osaka")
        plan(web, nightly(), "Own backup")
        with when("11-20 23:00"):
            suspension.follow()
            suspend_periods.end_early(SuspendPeriod.objects.get(name="Own backup"), SYSTEM)
            assert suspended() == set()
            with django_capture_on_commit_callbacks(execute=True):
                groups.change(tokyo, SYSTEM, parent=osaka)
            assert suspended() == {"web-01"}
        assert set(names()) == {"Backup of Osaka", "Own backup"}  # tonight they differ
        with when("11-30 12:00"), django_capture_on_commit_callbacks(execute=True):
            groups.change(tokyo, SYSTEM, parent=groups.topmost_group(None, "view"))
            groups.change(tokyo, SYSTEM, parent=osaka)
        assert names() == ["Backup of Osaka"]

    def test_renaming_a_group_looks_at_nothing(self, web, tokyo):
        plan(web, nightly(), "Own backup")
        groups.change(tokyo, SYSTEM, name="Edo")
        assert names() == ["Own backup"]


class TestComponents:
    """Other ways in which components come and go."""

    def test_of_two_registrations_of_a_machine_the_one_that_stays_has_the_schedules_of_both(self, web, osaka):
        twin = make_component("web-01-bmc", osaka)
        plan(web, nightly(), "Backup")
        plan(twin, nightly(), "The same")
        plan(twin, nightly(hours=2), "Test")
        joining.join(web, twin, SYSTEM)
        assert set(web.suspend_periods.values_list("name", flat=True)) == {"Backup", "Test"}
        assert set(names()) == {"Backup", "Test"}

    def test_a_group_with_a_schedule_is_not_removed(self, tokyo):
        plan(tokyo, nightly(), "Backup of Tokyo")
        with pytest.raises(Conflict, match="Backup of Tokyo"):
            groups.remove(tokyo, SYSTEM)
