"""The pages of suspend periods: planning by a form, the calendar, the list, and what is done with one."""

import re
from datetime import date

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from apps.components.models import Component, SuspendPeriod
from apps.components.services import suspend_periods, suspension
from apps.core.actors import SYSTEM
from apps.core.recurrence import Repeat, Rule
from tests.components.suspending import at, names, nightly, plan, single, suspended, when
from tests.factories import make_component, make_group, make_user
from tests.statements import statements_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
CALENDAR, LIST, ADD = reverse("schedules:calendar"), reverse("suspend_periods:list"), reverse("suspend_periods:add")
PREVIEW = reverse("suspend_periods:preview")


@pytest.fixture(autouse=True)
def _afternoon():
    with when("11-20 12:00"):
        yield


@pytest.fixture
def tokyo():
    return make_group("Tokyo")


@pytest.fixture
def web(tokyo):
    return make_component("web-01", tokyo)


def entered(**more) -> dict[str, object]:
    """Give what somebody fills in for a night, every day."""
    return {
        "name": "Backup",
        "starts_at": "2026-11-20T22:00",
        "ends_at": "2026-11-21T06:00",
        "time_zone": "Asia/Tokyo",
        "repeat": "daily",
        "every": "1",
        "monthly": "day",
        "nth": "1",
        "weekday": "0",
        "enabled": "on",
        **more,
    }


def act(period: SuspendPeriod, what: str, **body: str) -> tuple[str, dict[str, str]]:
    return reverse(f"suspend_periods:{what}", args=[period.pk]), body


def said(answer) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class TestForm:
    """What is filled in becomes a rule; what cannot be one stands at its field."""

    @pytest.mark.parametrize(
        ("more", "rule"),
        [
            ({}, Rule("Asia/Tokyo", at("11-20 22:00").replace(tzinfo=None), nightly().length, Repeat.DAILY)),
            (
                {"repeat": "once", "weekdays": ["1"], "last_day": "2026-12-01", "month_day": "7", "every": "3"},
                single("2026-11-20T22:00", 8, "Asia/Tokyo"),
            ),
            ({"repeat": "once", "ends_at": ""}, single("2026-11-20T22:00", None, "Asia/Tokyo")),
            (
                {"repeat": "weekly", "weekdays": ["6", "2"], "every": "2", "last_day": "2027-01-31"},
                nightly(
                    "2026-11-20T22:00",
                    zone="Asia/Tokyo",
                    every=2,
                    weekdays=frozenset({2, 6}),
                    last_day=date(2027, 1, 31),
                ),
            ),
            (
                {"repeat": "monthly", "monthly": "last", "month_day": "7"},
                nightly("2026-11-20T22:00", zone="Asia/Tokyo", month_day=-1),
            ),
            (
                {"repeat": "monthly", "monthly": "day", "month_day": "7", "exceptions": "2026-12-24, 2026-12-25\n"},
                nightly(
                    "2026-11-20T22:00",
                    zone="Asia/Tokyo",
                    month_day=7,
                    exceptions=frozenset({date(2026, 12, 24), date(2026, 12, 25)}),
                ),
            ),
            (
                {"repeat": "monthly", "monthly": "weekday", "nth": "4", "weekday": "5"},
                nightly("2026-11-20T22:00", zone="Asia/Tokyo", nth=4, weekdays=frozenset({5})),
            ),
        ],
    )
    def test_a_rule_of_every_kind(self, browser, tokyo, more, rule):
        sent = entered(group=tokyo.pk, **more)
        answer = browser.post(ADD, sent)
        period = SuspendPeriod.objects.get()
        assert (answer.status_code, answer.url) == (302, period.get_absolute_url())
        wanted = rule if sent["repeat"] in {"once", "daily"} else _as(rule, str(sent["repeat"]))
        assert (period.rule, period.group, period.name) == (wanted, tokyo, "Backup")
        form = browser.get(reverse("suspend_periods:edit", args=[period.pk])).context["form"]
        again = browser.post(reverse("suspend_periods:edit", args=[period.pk]), _typed(form))
        assert again.status_code == 302
        period.refresh_from_db()
        assert period.rule == wanted  # to open and save it changes nothing

    @pytest.mark.parametrize(
        ("more", "field", "sentence"),
        [
            ({"name": ""}, "name", "This field is required."),
            ({"starts_at": "yesterday"}, "starts_at", "Enter a date and a time."),
            ({"starts_at": "2026-11-20T22:00+09:00"}, "starts_at", "Enter a date and a time."),
            ({"starts_at": "1999-11-20T22:00"}, "starts_at", "Enter a year from 2000 to 2100."),
            ({"ends_at": "9999-12-31T22:00"}, "ends_at", "Enter a year from 2000 to 2100."),
            ({"ends_at": "2026-11-20T22:00"}, "ends_at", "It must end after it begins."),
            ({"ends_at": ""}, "ends_at", "What repeats needs an end."),
            ({"ends_at": "2027-11-20T22:00"}, "ends_at", "It may last 31 days at most."),
            ({"repeat": "once", "starts_at": "2026-11-01T22:00", "ends_at": "2026-11-02T06:00"}, "ends_at", "over"),
            ({"time_zone": "Asia/Edo"}, "time_zone", "Select a valid choice."),
            ({"repeat": "weekly", "weekdays": ["7"]}, "weekdays", "Select a valid choice."),
            ({"every": "0"}, "every", "greater than or equal to 1"),
            ({"repeat": "monthly", "month_day": "32"}, "month_day", "less than or equal to 31"),
            ({"last_day": "2026-11-19"}, "last_day", "The last day must not be before the first."),
            (
                {"exceptions": "24.12.2026"},
                "exceptions",
                "24.12.2026 is not a day: write 2026-12-24, or 2026-12-29..2027-01-03 for several.",
            ),
            ({"group": "999999"}, "group", "Select a valid choice."),
            (
                {"repeat": "monthly", "every": "12", "month_day": "30", "starts_at": "2027-02-01T22:00"}
                | {"ends_at": "2027-02-02T06:00"},
                "repeat",
                "With these days it never happens.",
            ),
        ],
    )
    def test_what_cannot_be_a_rule(self, browser, tokyo, more, field, sentence):
        answer = browser.post(ADD, entered(**{"group": tokyo.pk, **more}))
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]
        assert sentence in answer.context["form"].errors[field][0]
        assert answer.context["form"]["starts_at"].value() == more.get(
            "starts_at", "2026-11-20T22:00"
        )  # nothing is lost
        assert names() == []

    def test_it_is_offered_for_the_group_or_component_that_one_comes_from(self, browser, web, tokyo):
        assert browser.get(f"{ADD}?group={tokyo.pk}").context["form"].initial["group"] == tokyo
        page = browser.get(f"{ADD}?component={web.pk}")
        assert "group" not in page.context["form"].fields
        assert "Suspends the component web-01." in text_of(page)
        browser.post(f"{ADD}?component={web.pk}", entered())
        assert SuspendPeriod.objects.get().component == web

    def test_a_copy_begins_like_the_other_one(self, browser, web):
        period = plan(web, nightly(), "Backup").period
        page = browser.get(f"{ADD}?copy={period.pk}")
        assert (page.context["component"], page.context["form"].initial["name"]) == (web, "Backup")
        sent = _typed(page.context["form"]) | {"name": "Again", "starts_at": "2026-11-01T20:00"}
        assert browser.post(f"{ADD}?copy={period.pk}", sent).status_code == 302
        assert names() == ["Again", "Backup"]

    def test_what_the_group_makes_superfluous_is_said(self, browser, web, tokyo):
        plan(web, nightly(zone="Asia/Tokyo"), "Own backup")
        answer = browser.post(ADD, entered(group=tokyo.pk))
        assert said(answer) == [
            "The suspend period was saved.",
            "Own backup was removed from web-01: its group has the same schedule now.",
        ]
        assert names() == ["Backup"]

    def test_what_the_group_has_already_is_refused_above_the_form(self, browser, web, tokyo):
        plan(tokyo, nightly(zone="Asia/Tokyo"))
        answer = browser.post(f"{ADD}?component={web.pk}", entered(name="Own"))
        assert answer.status_code == 400
        assert "The group Tokyo has this schedule already, and it reaches web-01: Backup." in text_of(answer)

    def test_the_preview_shows_both_zones_and_says_what_is_wrong(self, client):
        user = make_user("operator", time_zone="Europe/Berlin")
        client.force_login(user)
        page = text_of(client.post(PREVIEW, entered(name="")))
        assert "Every day 22:00–06:00 Asia/Tokyo" in page
        assert "Fri 2026-11-20 14:00 – 22:00 CET" in page
        assert "in Asia/Tokyo Fri 22:00 – Sat 06:00" in page
        assert "Times are in your time zone, Europe/Berlin." in page
        assert "It must end after it begins." in text_of(client.post(PREVIEW, entered(ends_at="2026-11-20T20:00")))
        assert "There is no such" not in page


def _as(rule: Rule, repeat: str) -> Rule:
    from dataclasses import replace

    return replace(rule, repeat=Repeat(repeat))


def _typed(form) -> dict[str, object]:
    """Give what a browser would send of a form that nobody changed."""
    sent = {}
    for name, field in form.fields.items():
        value = form[name].value()
        if name in {"starts_at", "ends_at"} and value:
            value = f"{value:%Y-%m-%dT%H:%M}"
        if value not in (None, "", False):
            sent[name] = value.pk if hasattr(value, "pk") else "on" if value is True else value
        assert field is not None
    return sent


class TestOnePeriod:
    """Its page, and the buttons on it."""

    def test_it_shows_what_comes_and_what_was_left_out(self, browser, web, tokyo):
        period = plan(tokyo, nightly(exceptions=frozenset({date(2026, 11, 21)}))).period
        page = text_of(browser.get(period.get_absolute_url()))
        for words in (
            "Backup Planned",
            "Tokyo 1 component",
            "Every day 22:00–06:00",
            "Fri 2026-11-20 22:00 – Sat 2026-11-21 06:00 UTC",
            "Sun 2026-11-22 22:00",
            "Sat 2026-11-21",
        ):
            assert words in page
        assert "Sat 2026-11-21 22:00" not in page

    def test_every_button_does_what_it_says(self, browser, web):
        period = plan(web, nightly()).period

        def press(what: str, day: str = "2026-11-21") -> str:
            return said(browser.post(*act(period, what, day=day)))[-1]

        assert press("end") == "It is not in force."
        assert press("leave-out") == "It is left out on 2026-11-21."
        assert press("leave-out") == "It does not begin on 2026-11-21."
        assert press("take-back") == "It is as planned on 2026-11-21."
        with when("11-20 23:00"):
            browser.force_login(make_user("operator"))  # the former one did nothing for eleven hours
            suspension.follow()
            assert "End it now" in text_of(browser.get(period.get_absolute_url()))
            assert press("end") == "It has ended. What happens now is told again."
            assert suspended() == set()
            assert "ended early" in text_of(browser.get(period.get_absolute_url()))
            press("take-back", "2026-11-20")
            assert suspended() == {"web-01"}
            assert press("switch") == "It is switched off."
            assert suspended() == set()
            assert press("switch") == "It is switched on."
            assert suspended() == {"web-01"}
            assert press("remove") == "The suspend period Backup was removed."
        assert (suspended(), names()) == (set(), [])

    @pytest.mark.parametrize("day", ["", "tomorrow", "2026-13-01"])
    def test_a_day_that_is_none(self, browser, web, day):
        period = plan(web, nightly()).period
        assert browser.post(*act(period, "leave-out", day=day)).status_code == 404

    @pytest.mark.parametrize("role", ["viewer", None])
    def test_who_may_not_suspend_changes_nothing(self, browser_of, web, tokyo, role):
        period = plan(web, nightly()).period
        reader = browser_of(role, tokyo)
        page = reader.get(period.get_absolute_url())
        assert page.status_code == (200 if role else 404)
        assert b"<form" not in page.content.split(b"<main")[-1].split(b"</main>")[0]
        refused = 403 if role else 404
        for what in ("end", "switch", "remove", "leave-out", "take-back", "edit"):
            assert reader.post(*act(period, what, day="2026-11-20")).status_code == refused, what
        assert reader.get(ADD).status_code == 403
        assert reader.post(ADD, entered(group=tokyo.pk)).status_code == 403
        assert reader.post(PREVIEW, entered()).status_code == 403
        assert SuspendPeriod.objects.get().exceptions == []

    def test_another_group_does_not_exist(self, browser_of, web):
        osaka = make_group("Osaka")
        operator = browser_of("operator", osaka)
        period = plan(web, nightly(), "Secret").period
        for path in (period.get_absolute_url(), f"{ADD}?component={web.pk}", f"{ADD}?copy={period.pk}"):
            assert operator.get(path).status_code == 404
        for path in (CALENDAR, f"{CALENDAR}?view=month", f"{CALENDAR}?view=agenda", LIST, f"{LIST}?show=all"):
            assert "Secret" not in operator.get(path).content.decode()
        for query in (f"component={web.pk}", f"group={web.group_id}"):
            assert operator.get(f"{LIST}?{query}").status_code == 404
        answer = operator.post(ADD, entered(group=web.group_id))
        assert answer.status_code == 400
        assert names() == ["Secret"]


class TestLists:
    """The calendar, the list, and what a component and a group show of them."""

    def test_the_calendar_in_the_readers_zone(self, client, tokyo, web):
        client.force_login(make_user("viewer", time_zone="Asia/Tokyo"))
        plan(tokyo, nightly(hours=2), "Backup")  # from seven to nine in the morning
        page = client.get(f"{CALENDAR}?day=2026-11-24")
        columns = page.context["columns"]
        assert [str(column.day) for column in columns] == [f"2026-11-{day}" for day in range(22, 29)]
        assert [(b.row, b.length) for column in columns for b in column.blocks] == [(14, 4)] * 7
        assert "Backup 07:00–09:00 · Tokyo" in text_of(page)
        assert "week 48 · Asia/Tokyo" in text_of(page)
        month = client.get(f"{CALENDAR}?view=month&day=2026-11-24")
        assert [len(column.items) for week in month.context["weeks"] for column in week] == [0] + [1] * 34
        agenda = client.get(f"{CALENDAR}?view=agenda&day=2026-11-24")
        assert len(agenda.context["columns"]) == 14
        assert "07:00–09:00" in text_of(agenda)

    @pytest.mark.parametrize("query", ["view=year", "day=x", "day=0001-01-01", "day=9999-12-31", "day=2026-02-31"])
    @pytest.mark.parametrize("view", ["", "view=week&", "view=month&", "view=agenda&"])
    def test_an_address_that_means_nothing_shows_something(self, browser, query, view):
        assert browser.get(f"{CALENDAR}?{view}{query}").status_code == 200

    def test_what_is_switched_off_or_left_out_is_not_on_the_calendar(self, browser, tokyo):
        plan(tokyo, nightly(), "Off", enabled=False)
        plan(tokyo, nightly(exceptions=frozenset({date(2026, 11, 24)}), hours=1), "Nights")
        page = browser.get(f"{CALENDAR}?day=2026-11-24")
        assert [len(column.blocks) for column in page.context["columns"]] == [1, 1, 0, 1, 1, 1, 1]
        assert {b.item.entry.title for column in page.context["columns"] for b in column.blocks} == {"Nights"}

    def test_long_and_open_ones_are_found_weeks_later(self, browser, web):
        plan(web, single("2026-11-20T11:00", 24 * 60), "Move")
        plan(web, single("2026-11-20T11:00", None), "Broken")
        page = browser.get(f"{CALENDAR}?day=2027-01-10")
        assert {b.item.entry.title for b in page.context["columns"][0].blocks} == {"Move", "Broken"}

    def test_the_list_by_what_it_is_about(self, browser, web, tokyo):
        rack = make_group("Rack 1", tokyo)
        plan(tokyo, nightly(hours=1), "of Tokyo")
        plan(rack, nightly(hours=2), "of the rack")
        plan(web, nightly(hours=3), "of web-01")
        with when("11-01 12:00"):
            plan(web, single("2026-11-01T13:00", 1), "over")
        suspension.follow()

        def listed(query: str = "") -> list[str]:
            return [row.period.name for row in browser.get(f"{LIST}?{query}").context["rows"]]

        assert listed() == ["of Tokyo", "of the rack", "of web-01"]
        assert listed("show=over") == ["over"]
        assert listed("show=all") == ["of Tokyo", "of the rack", "of web-01", "over"]
        assert listed(f"component={web.pk}") == ["of Tokyo", "of web-01"]
        assert listed(f"group={rack.pk}") == ["of Tokyo", "of the rack"]
        assert listed("q=RACK") == ["of the rack"]

    def test_an_operator_of_a_rack_learns_what_reaches_him_from_above_and_no_names_of_groups(self, browser_of, tokyo):
        rack = make_group("Rack 1", tokyo)
        component = make_component("web-02", rack)
        plan(tokyo, nightly(), "Network work")
        with when("11-20 23:00"):
            suspension.follow()
            operator = browser_of("operator", rack)
            for path in (f"{LIST}?component={component.pk}", f"{LIST}?group={rack.pk}", component.get_absolute_url()):
                page = operator.get(path)
                assert "Network work" in text_of(page), path
                assert "a group above that you may not see" in text_of(page), path
                assert "Tokyo" not in text_of(page), path
            assert operator.get(LIST).context["rows"] == []

    def test_a_component_says_until_when_and_why(self, browser, web, tokyo):
        period = plan(tokyo, nightly()).period
        with when("11-20 23:00"):
            suspension.follow()
            page = browser.get(web.get_absolute_url())
            assert "Suspended until 2026-11-21 06:00:00 UTC Backup by its group" in text_of(page)
            assert period.get_absolute_url() in page.content.decode()
            listed = text_of(browser.get(reverse("components:list")))
            assert "Suspended ends in 7 h · Backup" in listed

    def test_lists_of_many_cost_what_lists_of_few_cost(self, browser):
        def cost() -> list[int]:
            paths = (CALENDAR, f"{CALENDAR}?view=month", LIST, reverse("components:list"))
            return [statements_of(lambda path=path: browser.get(path)) for path in paths]

        def add(number: int) -> None:
            for _ in range(number):
                group = make_group()
                plan(group, nightly("2026-11-20T11:00"))
                plan(make_component(group=group), nightly("2026-11-20T11:30"))

        add(2)
        few = cost()
        add(20)
        assert cost() == few
        assert Component.objects.filter(suspended=True).count() == 22


class TestMoves:
    """MON-24: the page says what a move does."""

    @pytest.fixture
    def osaka(self, tokyo, web):
        osaka = make_group("Osaka")
        plan(tokyo, nightly(hours=1), "Backup of Tokyo")
        plan(osaka, nightly(hours=2), "Backup of Osaka")
        plan(web, nightly(hours=3), "Own test")
        plan(web, nightly(hours=2), "Own backup")
        return osaka

    SAID = [
        "The suspend period Backup of Tokyo of Tokyo does not reach web-01 any more.",
        "The suspend period Backup of Osaka of Osaka reaches web-01 now.",
        "Its own suspend period Own backup was removed from web-01: Osaka has the same.",
        "web-01 keeps its own suspend periods: Own test.",
    ]

    def test_from_the_list(self, browser, web, osaka):
        sent = {"action": "move", "ids": [web.pk], "group": osaka.pk}
        answer = browser.post(reverse("components:bulk"), sent)
        assert said(answer) == ["Moved to Osaka.", *self.SAID]
        assert set(names()) == {"Backup of Tokyo", "Backup of Osaka", "Own test"}

    def test_from_the_form(self, browser, web, osaka):
        sent = {"name": "web-01", "category": "server", "group": osaka.pk, "interfaces": "0"}
        answer = browser.post(reverse("components:edit", args=[web.pk]), sent)
        assert answer.status_code == 302, answer.context["form"].errors
        assert said(answer) == [*self.SAID, "web-01 was saved."]

    def test_a_move_without_schedules_says_nothing_of_them(self, browser):
        component, osaka = make_component("web-09"), make_group("Osaka")
        answer = browser.post(reverse("components:bulk"), {"action": "move", "ids": [component.pk], "group": osaka.pk})
        assert said(answer) == ["Moved to Osaka."]


class TestSuspendNow:
    """From the list and from a component's page."""

    def test_one_for_a_while(self, browser, web):
        url = reverse("components:suspend", args=[web.pk])
        assert "Suspend web-01" in text_of(browser.get(url))
        answer = browser.post(url, {"name": "New fan", "how_long": "120"})
        assert (answer.url, said(answer)) == (web.get_absolute_url(), ["1 component is suspended."])
        web.refresh_from_db()
        assert (web.suspended, web.suspended_until, web.suspension.name) == (True, at("11-20 14:00"), "New fan")
        page = text_of(browser.get(web.get_absolute_url()))
        assert "Resume" in page
        browser.post(reverse("components:resume", args=[web.pk]))
        assert suspended() == set()

    def test_until_a_time_of_the_reader_and_until_somebody_resumes(self, client, web):
        client.force_login(make_user("operator", time_zone="Asia/Tokyo"))
        url = reverse("components:suspend", args=[web.pk])
        client.post(url, {"name": "New fan", "how_long": "until", "until": "2026-11-21T09:30"})
        web.refresh_from_db()
        assert web.suspended_until == at("11-21 00:30")
        client.post(url, {"name": "Broken", "how_long": "open"})
        web.refresh_from_db()
        assert (web.suspended_until, web.suspension.name) == (None, "Broken")

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"how_long": "120"}, "name"),
            ({"name": "x", "how_long": "17"}, "how_long"),
            ({"name": "x", "how_long": "until"}, "until"),
            ({"name": "x", "how_long": "until", "until": "2026-11-20T11:00"}, "until"),
            ({"name": "x", "how_long": "until", "until": "never"}, "until"),
        ],
    )
    def test_what_is_missing_stands_at_its_field(self, browser, web, sent, field):
        answer = browser.post(reverse("components:suspend", args=[web.pk]), sent)
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field])
        assert names() == []

    def test_many_from_the_list(self, browser, web, tokyo):
        other = make_component("web-02")
        bulk, ids = reverse("components:bulk"), [web.pk, other.pk]
        page = browser.post(bulk, {"action": "suspend", "ids": ids})
        assert page.status_code == 200
        assert "Suspend 2 components" in text_of(page)
        assert suspended() == set()
        sent = {"action": "suspend", "confirmed": "yes", "ids": ids, "name": "Move", "how_long": "60"}
        assert said(browser.post(bulk, sent)) == ["2 components are suspended."]
        assert suspended() == {"web-01", "web-02"}
        plan(tokyo, single("2026-11-20T11:00", 24), "Network work")
        answer = browser.post(bulk, {"action": "resume", "ids": ids})
        assert said(answer) == [
            "2 components are suspended.",
            "1 component is not suspended any more.",
            "web-01 stays suspended by its group: Network work.",
        ]

    def test_all_that_match_a_filter(self, browser, tokyo):
        for number in range(3):
            make_component(f"db-{number}", tokyo)
        make_component("web-09")
        sent = {"action": "suspend", "scope": "filter", "filter": f"group={tokyo.pk}"}
        page = browser.post(reverse("components:bulk"), sent)
        assert page.context["ids"] == []
        browser.post(reverse("components:bulk"), {**sent, "confirmed": "yes", "name": "Move", "how_long": "open"})
        assert suspended() == {"db-0", "db-1", "db-2"}

    def test_a_viewer_may_not(self, browser_of, web, tokyo):
        viewer = browser_of("viewer", tokyo)
        for name in ("suspend", "resume"):
            assert viewer.post(reverse(f"components:{name}", args=[web.pk]), {"name": "x"}).status_code == 403
        bulk = {"action": "suspend", "ids": [web.pk], "confirmed": "yes", "name": "x", "how_long": "open"}
        viewer.post(reverse("components:bulk"), bulk)
        assert b"Suspend" not in viewer.get(web.get_absolute_url()).content.split(b"<main")[-1]
        assert names() == []


def test_ending_a_groups_period_from_its_page_lets_everything_go(
    browser, web, tokyo, django_capture_on_commit_callbacks
):
    period = plan(tokyo, nightly()).period
    with when("11-20 23:00"):
        suspension.follow()
        with django_capture_on_commit_callbacks(execute=True):
            browser.post(*act(period, "end"))
        assert suspended() == set()
        assert suspend_periods.resume([web], SYSTEM) == []
