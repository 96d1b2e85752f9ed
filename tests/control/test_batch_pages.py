"""The pages of remote batches: planning by a form, the list, the calendar, and what is done with one."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.models import Grant, Role
from apps.control.models import RemoteBatch, RemoteBatchRun
from apps.control.services import remote_batches
from apps.core.models import AuditEntry, Job
from apps.core.recurrence import Repeat, Rule
from tests.control.batches import actor_of, at, planned, tick, when
from tests.control.conftest import machine, received, run
from tests.factories import make_component, make_group, make_user, ship_definitions
from tests.statements import statements_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST, ADD, CALENDAR = reverse("remote_batches:list"), reverse("remote_batches:add"), reverse("schedules:calendar")


@pytest.fixture(autouse=True)
def _afternoon():
    with when("11-20 12:00"):
        yield


@pytest.fixture
def tokyo():
    return make_group("Tokyo")


@pytest.fixture
def olga(tokyo):
    return make_user("operator", tokyo, username="olga")


@pytest.fixture
def device(tokyo):
    return machine(make_component("web-01", tokyo))


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(olga):
    return signed_in(olga)


def test_a_day_is_left_out_beside_the_next_times(browser, olga, device):
    batch = planned(actor_of(olga), device.component)
    page = browser.get(batch.get_absolute_url()).content.decode()
    assert 'aria-label="Leave out 2026-11-20"' in page
    assert browser.post(reverse("remote_batches:leave-out", args=[batch.pk]), {"day": "2026-11-20"}).status_code == 302
    page = browser.get(batch.get_absolute_url()).content.decode()
    assert "It is left out on 2026-11-20." in page
    assert 'aria-label="Leave out 2026-11-20"' not in page
    assert 'aria-label="As planned on 2026-11-20"' in page
    assert browser.post(reverse("remote_batches:take-back", args=[batch.pk]), {"day": "2026-11-20"}).status_code == 302
    assert 'aria-label="Leave out 2026-11-20"' in browser.get(batch.get_absolute_url()).content.decode()
    assert browser.post(reverse("remote_batches:take-back", args=[batch.pk]), {"day": "soon"}).status_code == 404
    seer = signed_in(make_user("viewer", batch.targets.get().component.group))
    assert "Leave out 2026" not in seer.get(batch.get_absolute_url()).content.decode()
    assert seer.post(reverse("remote_batches:leave-out", args=[batch.pk]), {"day": "2026-11-21"}).status_code == 403
    batch.refresh_from_db()
    assert batch.next_at == at("11-20 20:00")


def entered(**more) -> dict[str, object]:
    """Give what somebody fills in for the evenings of a week."""
    return {
        "name": "Night off",
        "order": "power.shutdown",
        "include_subgroups": "on",
        "starts_at": "2026-11-20T20:00",
        "time_zone": "Asia/Tokyo",
        "repeat": "weekly",
        "every": "1",
        "weekdays": ["0", "1", "2", "3", "4"],
        "monthly": "day",
        "nth": "1",
        "weekday": "0",
        "exceptions": "2026-11-23 2026-12-29..2027-01-03",
        "device": "pxe",
        "once": "once",
        "make_up": "30",
        **more,
    }


def url(batch: RemoteBatch, what: str) -> str:
    return reverse(f"remote_batches:{what}", args=[batch.pk])


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


class TestForm:
    """Planning and changing."""

    def test_off_in_the_evening_and_on_in_the_morning_are_planned_at_once(self, browser, olga, tokyo, device):
        answer = browser.post(ADD, entered(group=tokyo.pk, on_again="07:00"))
        off, on = RemoteBatch.objects.order_by("pk")
        assert (answer.status_code, answer["Location"]) == (302, off.get_absolute_url())
        assert (off.name, off.arguments, off.owner, off.group) == ("Night off", {"action": "shutdown"}, olga, tokyo)
        assert (on.name, on.arguments) == ("Night off: on again", {"action": "on"})
        assert (on.exceptions, on.weekdays, on.make_up) == (off.exceptions, [0, 1, 2, 3, 4], 30)
        assert off.exceptions == [
            "2026-11-23",
            *(f"2026-12-{day}" for day in (29, 30, 31)),
            *(f"2027-01-0{day}" for day in (1, 2, 3)),
        ]
        assert off.next_at == at("11-23 11:00").replace(day=24)  # Friday's has passed in Tokyo, Monday is a holiday
        assert on.next_at == at("11-23 22:00")  # on Tuesday morning, in Tokyo

    def test_single_components_by_name_and_from_the_list(self, browser, tokyo, device):
        other = make_component("web-02", tokyo)
        shown = browser.post(ADD, {"ids": str(device.component_id)})
        assert shown.status_code == 200
        assert "web-01" in text(shown)
        browser.post(ADD, entered(components=[device.component_id], further="web-02"))
        batch = RemoteBatch.objects.get()
        assert {target.component for target in batch.targets.all()} == {device.component, other}

    @pytest.mark.parametrize(
        ("more", "field", "sentence"),
        [
            ({}, "further", "Name components or a group."),
            ({"further": "web-99"}, "further", "There is no component called web-99."),
            ({"further": "web-01", "order": "power.on", "on_again": "07:00"}, "on_again", "Only what is switched off"),
            ({"further": "web-01", "make_up": "20000"}, "make_up", "less than or equal to 10080"),
            ({"further": "web-01", "exceptions": "2027-01-03..2026-12-29"}, "exceptions", "is not a day"),
            ({"further": "web-01", "repeat": "once", "starts_at": "2026-11-19T20:00"}, "starts_at", "It is over"),
            ({"further": "web-01", "order": "boot", "device": "moon"}, "order", "Choose what the machines start from."),
            ({"further": "web-01", "order": "explode"}, "order", "Select a valid choice"),
        ],
    )
    def test_what_cannot_be_planned(self, browser, device, more, field, sentence):
        answer = browser.post(ADD, entered(**more))
        assert answer.status_code == 400
        assert sentence in answer.context["form"].errors[field][0]
        assert not RemoteBatch.objects.exists()

    def test_a_component_of_others_does_not_exist(self, browser, device):
        secret = make_component("secret-01", make_group("Osaka"))
        answer = browser.post(ADD, entered(components=[secret.pk], further="secret-01"))
        assert set(answer.context["form"].errors) == {"components", "further"}
        assert "secret-01" not in text(browser.get(f"{ADD}?ids={secret.pk}"))

    def test_who_may_plan_but_not_force_plans_no_force(self, device, tokyo):
        role = Role.objects.create(name="planner", permissions=["view", "power", "schedules"])
        user = make_user(None, username="paul")
        Grant.objects.create(user=user, role=role, group=tokyo)
        planner = signed_in(user)
        answer = planner.post(ADD, entered(further="web-01", order="power.off"))
        assert "order" in answer.context["form"].errors
        Grant.objects.create(user=user, role=Role.objects.get(name="operator"), group=make_group("Osaka"))
        answer = planner.post(ADD, entered(further="web-01", order="power.off"))
        assert answer.status_code == 403
        assert "you need the permission" in text(answer)
        assert planner.post(ADD, entered(further="web-01")).status_code == 302

    def test_changing_shows_what_is_there_and_keeps_it(self, browser, olga, device):
        batch = planned(
            actor_of(olga),
            device.component,
            operation="boot",
            arguments={"device": "usb", "once": False},
            rule=Rule("UTC", at("11-20 20:00").replace(tzinfo=None), repeat=Repeat.MONTHLY, month_day=-1),
        )
        form = browser.get(url(batch, "edit")).context["form"]
        assert (form["order"].value(), form.boot["device"].value(), form["monthly"].value()) == ("boot", "usb", "last")
        sent = {
            name: form[name].value() if form[name].value() is not None else ""
            for name in form.fields
            if name != "starts_at"
        }
        answer = browser.post(
            url(batch, "edit"),
            {**sent, "starts_at": "2026-11-20T20:00", "device": "usb", "once": "always", "name": "From USB"},
        )
        assert answer.status_code == 302, answer.context["form"].errors
        before = remote_batches.facts(batch)
        batch.refresh_from_db()
        assert remote_batches.facts(batch) == before | {"name": "From USB"}

    def test_an_operation_that_no_button_orders_stays(self, browser, olga, device):
        batch = planned(actor_of(olga), device.component, operation="lamp", arguments={"lit": True, "seconds": 30})
        assert browser.get(url(batch, "edit")).context["form"]["order"].value() == "as-is"
        more = {"order": "as-is", "components": [device.component_id], "repeat": "daily", "exceptions": ""}
        assert browser.post(url(batch, "edit"), entered(**more)).status_code == 302
        batch.refresh_from_db()
        assert batch.arguments == {"lit": True, "seconds": 30}

    def test_the_preview_shows_the_next_five_times_in_both_zones(self, browser):
        shown = text(browser.post(reverse("remote_batches:preview"), entered()))
        assert shown.count("<li>") == 5
        assert "Every week on Mon, Tue, Wed, Thu, Fri 20:00" in shown
        assert "Tue 2026-11-24 11:00 UTC" in shown
        assert "in Asia/Tokyo Tue 2026-11-24 20:00" in shown
        assert "Mon 2026-11-23" not in shown
        assert "is not a day" in text(browser.post(reverse("remote_batches:preview"), entered(exceptions="soon")))


class TestList:
    """Lists, the calendar and the page of a component."""

    def test_a_batch_shows_what_comes_next_and_what_was(self, browser, olga, device, queued):
        ship_definitions()
        batch = planned(actor_of(olga), device.component)
        tick("11-20 20:00")
        run(Job.objects.get())
        tick("11-21 21:00")
        with when("11-21 21:00"):
            browser = signed_in(olga)  # the session from yesterday is over
            page, listed = text(browser.get(batch.get_absolute_url())), text(browser.get(LIST))
        assert "The portal was not running at that time." in page
        assert f'href="/jobs/{Job.objects.get().pk}/"' in page
        assert "1 of 1" in page
        assert "Sun 2026-11-22 20:00 UTC" in page
        assert "Missed" in listed

    def test_on_the_calendar_with_what_was_missed(self, browser, olga, device, queued):
        ship_definitions()
        planned(actor_of(olga), device.component)
        tick("11-20 22:00")
        with when("11-20 22:00"):
            shown = text(browser.get(f"{CALENDAR}?view=agenda&day=2026-11-20"))
        assert "Missed · web-01" in shown
        assert shown.count(">Night off</a>") == 15  # the missed one, 13 to come, and the card below

    def test_a_component_names_what_comes_next(self, browser, olga, tokyo, device):
        planned(actor_of(olga), group=tokyo)
        page = text(browser.get(device.component.get_absolute_url()))
        assert "Next scheduled operation" in page
        assert "Night off" in page
        other = machine(make_component("db-01"))
        admin = signed_in(make_user("administrator"))
        assert "Next scheduled operation" not in text(admin.get(other.component.get_absolute_url()))

    def test_who_sees_only_some_targets_sees_nothing_of_it(self, olga, tokyo, device):
        admin, osaka = make_user("administrator"), make_group("Osaka")
        batch = planned(actor_of(admin), device.component, make_component("db-01", osaka))
        browser = signed_in(olga)
        assert browser.get(batch.get_absolute_url()).status_code == 404
        assert "Night off" not in text(browser.get(LIST))
        assert "Night off" not in text(browser.get(device.component.get_absolute_url()))
        assert "Night off" not in text(browser.get(CALENDAR))
        assert signed_in(make_user("viewer")).get(batch.get_absolute_url()).status_code == 200

    def test_an_owner_sees_his_own_without_what_is_not_his_to_see(self, olga, tokyo, device):
        moved = make_component("secret-01", tokyo)
        batch = planned(actor_of(olga), device.component, moved)
        type(moved).objects.filter(pk=moved.pk).update(group=make_group("Osaka"))
        page = text(signed_in(olga).get(batch.get_absolute_url()))
        assert "secret-01" not in page
        assert "web-01, 1 more" in page
        answer = signed_in(olga).post(url(batch, "edit"), entered(components=[device.component_id]))
        assert answer.status_code == 403  # saving would drop what he does not see

    def test_a_list_takes_as_many_statements_for_many_as_for_one(self, browser, olga, device):
        actor = actor_of(olga)
        planned(actor, device.component)
        browser.get(LIST)
        one = statements_of(lambda: browser.get(LIST))
        for number in range(8):
            planned(actor, device.component, name=f"Batch {number}")
        assert statements_of(lambda: browser.get(LIST)) == one


class TestActs:
    """Run now, pause, resume, remove."""

    def test_run_now_asks_first_and_names_what_it_touches(self, browser, olga, device, queued):
        batch = planned(actor_of(olga), device.component, action="off")
        shown = text(browser.get(url(batch, "run")))
        assert "Force off: web-01" in shown
        assert "is run now, on your behalf" in shown
        assert not Job.objects.exists()
        answer = browser.post(url(batch, "run"), {"confirmed": "yes", "expect": "1"})
        job = Job.objects.get()
        assert answer["Location"] == job.get_absolute_url()
        run(job)
        assert received(device) == ["power off"]
        assert RemoteBatchRun.objects.get().by_hand

    def test_forcing_more_than_ten_is_typed(self, browser, olga, tokyo, queued):
        for number in range(11):
            machine(make_component(f"db-{number:02}", tokyo))
        batch = planned(actor_of(olga), group=tokyo, action="off")
        assert browser.post(url(batch, "run"), {"confirmed": "yes", "expect": "11"}).status_code == 400
        assert not Job.objects.exists()
        typed = {"confirmed": "yes", "expect": "11", "typed": "force off 11"}
        assert browser.post(url(batch, "run"), typed).status_code == 302

    def test_a_viewer_runs_nothing(self, olga, tokyo, device, queued):
        batch = planned(actor_of(olga), device.component)
        viewer = signed_in(make_user("viewer", tokyo))
        assert viewer.get(batch.get_absolute_url()).status_code == 200
        for what in ("run", "pause", "resume", "remove", "edit"):
            assert viewer.post(url(batch, what), {"confirmed": "yes"}).status_code == 403
        assert not Job.objects.exists()
        assert RemoteBatch.objects.filter(paused=False).exists()

    def test_pausing_resuming_and_removing(self, browser, olga, device):
        batch = planned(actor_of(olga), device.component)
        browser.post(url(batch, "pause"))
        assert "paused by olga" in text(browser.get(LIST))
        assert "It is paused already." in text(browser.post(url(batch, "pause"), follow=True))
        browser.post(url(batch, "resume"))
        assert browser.post(url(batch, "remove"))["Location"] == LIST
        assert not RemoteBatch.objects.exists()
        assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
            "remote-batch.create",
            "remote-batch.pause",
            "remote-batch.resume",
            "remote-batch.remove",
        ]

    def test_a_group_with_a_batch_is_not_removed(self, olga, tokyo):
        planned(actor_of(olga), group=tokyo)
        admin = signed_in(make_user("administrator"))
        answer = admin.post(reverse("groups:remove", args=[tokyo.pk]), follow=True)
        assert "Night off" in text(answer)
        assert type(tokyo).objects.filter(pk=tokyo.pk).exists()
