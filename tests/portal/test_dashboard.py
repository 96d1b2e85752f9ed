"""The first page: counts, heat map, what needs attention, and what an empty portal says."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from apps.access.models import Grant, Role
from apps.alerts.models import AlertDefinition, Incident
from apps.components.models import Component, StatusChange
from apps.components.services import suspend_periods, suspension
from apps.core.actors import SYSTEM
from apps.core.models import Job, JobStep
from apps.portal.dashboard import heat_map
from apps.portal.phrasing import NBSP
from tests.factories import make_component, make_group, make_interface, make_user, ship_definitions
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
DASHBOARD = reverse("portal:dashboard")
HOUR = timedelta(hours=1)


@pytest.fixture
def sites():
    """Two sites: one with a failed and a suspended server, one well."""
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    make_component("web-1", tokyo, status="critical", disk=91.0)
    make_component("web-2", tokyo, status="normal", unmanaged=True)
    make_component("db-1", osaka, status="normal", disk=20.0)
    return tokyo, osaka


def figures(page) -> dict[str, int]:
    """Give the numbers of the status strip."""
    return {figure.state: figure.number for figure in page.context["strip"].figures}


def test_an_empty_portal_says_what_to_do_first(client):
    client.force_login(make_user("administrator"))
    text = client.get(DASHBOARD).content.decode()
    assert "Nothing is managed yet" in text
    assert reverse("components:add") in text


def test_a_viewer_of_nothing_is_not_offered_to_register(client, sites):
    client.force_login(make_user(None))
    text = client.get(DASHBOARD).content.decode()
    assert "Ask an administrator for a group" in text
    assert reverse("components:add") not in text


def test_the_strip_counts_every_component_once(client, sites):
    client.force_login(make_user("viewer"))
    page = client.get(DASHBOARD)
    assert page.context["total"] == 3
    assert figures(page) == {"critical": 1, "warning": 0, "unknown": 0, "suspended": 1, "normal": 1}
    assert [row.name for row in page.context["disks"]] == ["web-1", "db-1"]


def test_a_group_is_shown_alone_and_a_hidden_one_not_at_all(client, sites):
    tokyo, osaka = sites
    client.force_login(make_user("viewer", tokyo))
    assert figures(client.get(f"{DASHBOARD}?group={tokyo.pk}"))["critical"] == 1
    everything = client.get(f"{DASHBOARD}?group={osaka.pk}")
    assert everything.context["total"] == 2
    assert "Osaka" not in everything.content.decode()


def test_the_heat_map_has_a_named_cell_for_each_and_escapes_names(client, sites):
    tokyo, _osaka = sites
    make_component('<b>"x"', tokyo, status="warning")
    client.force_login(make_user("viewer"))
    text = client.get(DASHBOARD).content.decode()
    assert 'title="web-1 — Critical"' in text
    assert "&lt;b&gt;&quot;x&quot; — Warning" in text
    assert "<b>" not in text.split('class="cells"')[1].split("</div>")[0]


def test_a_large_fleet_shows_its_exceptions_only(client, sites, monkeypatch):
    monkeypatch.setattr(heat_map, "CELLS", 2)
    client.force_login(make_user("viewer"))
    page = client.get(DASHBOARD)
    clusters = {
        cluster.name: (cluster.total, [cell.name for cell in cluster.cells]) for cluster in page.context["map"].clusters
    }
    assert clusters == {"Osaka": (1, []), "Tokyo": (2, ["web-1"])}
    assert "only those that are not normal" in page.content.decode()


def test_open_problems_and_changes_are_listed_for_those_who_may_see_them(client, sites):
    tokyo, osaka = sites
    ship_definitions()
    server = tokyo.components.get(name="web-1")
    definition = AlertDefinition.objects.get(key="portal.access-lost")
    Incident.objects.create(
        component=server,
        component_name="web-1",
        place=Incident.place_of(server.pk, None),
        definition=definition,
        severity="critical",
        title="No answer from web-1",
    )
    StatusChange.objects.create(component=server, old="normal", new="critical", at=timezone.now())
    client.force_login(make_user("viewer", tokyo))
    page = client.get(DASHBOARD)
    assert [str(row.incident.title) for row in page.context["attention"].rows] == ["No answer from web-1"]
    assert [change.component.name for change in page.context["changes"]] == ["web-1"]
    client.force_login(make_user("viewer", osaka))
    page = client.get(DASHBOARD)
    assert (page.context["attention"].rows, page.context["changes"]) == ([], [])


@pytest.mark.parametrize("colours", ["status", "temperature", "load", "power"])
def test_the_dashboard_costs_the_same_for_one_component_and_for_sixty(client, colours):
    client.force_login(make_user("viewer"))
    address = f"{DASHBOARD}?colours={colours}&range=24h"
    measured({"disk": 1.0, "cpu": 1.0, "power": 5.0, "temperature": 20.0})
    few = statements_of(lambda: client.get(address))
    for _ in range(59):
        measured({"disk": 1.0, "cpu": 1.0, "power": 5.0, "temperature": 20.0})
    assert statements_of(lambda: client.get(address)) == few


# --- what is new ---


def changed(component: Component, *steps: tuple[timedelta, str, str]) -> None:
    """Write what the causes would have written: changes so long ago, the newest last."""
    now = timezone.now()
    for ago, old, new in steps:
        StatusChange.objects.create(component=component, at=now - ago, old=old, new=new)
    ago, _old, new = steps[-1]
    Component.objects.filter(pk=component.pk).update(status=new, status_since=now - ago)


def notes(page) -> dict[str, str]:
    """Give what stands below the numbers of the strip."""
    return {figure.state: figure.note.replace(NBSP, " ") for figure in page.context["strip"].figures}


def test_the_strip_says_what_is_new_and_what_ended_within_the_range(client):
    long_ago = timezone.now() - timedelta(days=90)
    names = ("bad", "worse", "flapped", "mended", "old")
    fleet = {name: make_component(name, created_at=long_ago, status_since=long_ago) for name in names}
    changed(fleet["bad"], (3 * HOUR, "normal", "critical"))
    changed(fleet["worse"], (5 * HOUR, "normal", "warning"), (1 * HOUR, "warning", "critical"))
    changed(fleet["flapped"], (4 * HOUR, "critical", "normal"), (2 * HOUR, "normal", "critical"))
    changed(fleet["mended"], (2 * HOUR, "warning", "normal"))
    changed(fleet["old"], (40 * HOUR, "normal", "unknown"))
    make_component("registered", status="unknown")
    client.force_login(make_user("viewer"))
    page = client.get(f"{DASHBOARD}?range=24h")
    assert page.context["strip"].note == "1 new in 24 h"
    assert notes(page) == {
        "critical": "2 new in 24 h",
        "warning": "1 ended in 24 h",
        "unknown": "1 new in 24 h",
        "suspended": "0 not managed",
        "normal": "16.6 % of all",
    }
    hour = notes(client.get(f"{DASHBOARD}?range=6h"))
    assert hour["unknown"] == "1 new in 6 h"
    week = notes(client.get(f"{DASHBOARD}?range=7d"))
    assert week["unknown"] == "2 new in 7 d"


def test_what_came_and_what_went_are_both_told(client):
    long_ago = timezone.now() - timedelta(days=90)
    came, went = (make_component(created_at=long_ago, status_since=long_ago) for _ in range(2))
    changed(came, (HOUR, "normal", "warning"))
    changed(went, (HOUR, "warning", "unknown"))
    client.force_login(make_user("viewer"))
    page = client.get(f"{DASHBOARD}?range=24h")
    assert notes(page)["warning"] == "1 new, 1 ended in 24 h"
    assert page.context["strip"].note == "in this view"


# --- the heat map by a quantity ---


def measured(values: dict[str, float], group=None, name: str = "", ago: timedelta = timedelta(0), **about) -> Component:
    """Make a component that was measured so long ago."""
    component = make_component(name, group, **values, **about)
    make_interface(component, last_answer_at=timezone.now() - ago)
    return component


def test_cells_are_coloured_by_steps_that_do_not_move(client):
    tokyo = make_group("Tokyo")
    for name, heat in (("a", 17.9), ("b", 18.0), ("c", 26.9), ("d", 31.0), ("e", 45.0)):
        measured({"temperature": heat}, tokyo, name)
    measured({}, tokyo, "f")
    measured({"temperature": 30.0}, tokyo, "g", timedelta(hours=3))
    client.force_login(make_user("viewer"))
    page = client.get(f"{DASHBOARD}?colours=temperature")
    (cluster,) = page.context["map"].clusters
    assert [(cell.name, cell.css, cell.words.replace(NBSP, " ")) for cell in cluster.cells] == [
        ("a", "h1", "17.9 °C"),
        ("b", "h2", "18 °C"),
        ("c", "h3", "26.9 °C"),
        ("d", "h4", "31 °C"),
        ("e", "h5", "45 °C"),
        ("f", "h0", "not measured"),
        ("g", "hx", "30 °C, stale"),
    ]
    assert cluster.highest == 45.0
    legend = [(mark.words.replace(NBSP, " "), mark.count) for mark in page.context["map"].legend]
    assert legend == [
        ("below 18 °C", 1), ("18–23 °C", 1), ("23–27 °C", 1), ("27–32 °C", 1), ("32 °C and more", 1),
        ("not measured", 1), ("stale", 1),
    ]  # fmt: skip
    text = page.content.decode()
    assert 'title="e — 45\N{NO-BREAK SPACE}°C"' in text
    assert "5 of 7 measured" in text


def test_a_large_fleet_shows_its_highest_values_only(client, monkeypatch):
    monkeypatch.setattr(heat_map, "CELLS", 2)
    monkeypatch.setattr(heat_map, "HIGHEST", 1)
    monkeypatch.setattr(heat_map, "FEWEST", 1)
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    for name, percent in (("a", 99.0), ("b", 70.0), ("c", 10.0)):
        measured({"cpu": percent}, tokyo, name)
    measured({"cpu": 5.0}, osaka, "d")
    measured({}, osaka, "e")
    client.force_login(make_user("viewer"))
    page = client.get(f"{DASHBOARD}?colours=load")
    found = {
        cluster.name: (cluster.total, cluster.highest, [cell.name for cell in cluster.cells], cluster.counts)
        for cluster in page.context["map"].clusters
    }
    assert found == {
        "Osaka": (2, 5.0, [], {"1": 1, "none": 1}),
        "Tokyo": (3, 99.0, ["a"], {"1": 1, "4": 1, "5": 1}),
    }
    assert "only the highest" in page.content.decode()
    assert "Nothing stands out." in page.content.decode()


def test_range_and_colours_are_remembered_for_the_user_and_the_group_is_not(client, sites):
    tokyo, _osaka = sites
    user, other = make_user("viewer"), make_user("viewer")
    client.force_login(user)
    client.get(f"{DASHBOARD}?colours=load&range=7d&group={tokyo.pk}")
    page = client.get(DASHBOARD)
    choice = page.context["choice"]
    assert (choice.colours, choice.window.word, choice.group) == ("load", "7d", None)
    assert f'hx-get="{escape("?colours=load&range=7d")}"' in page.content.decode()
    client.get(f"{DASHBOARD}?colours=power&range=1h", HTTP_HX_REQUEST="true")
    assert client.get(DASHBOARD).context["choice"].colours == "load"
    client.force_login(other)
    assert client.get(DASHBOARD).context["choice"].colours == "status"


def test_nonsense_in_the_address_is_as_good_as_nothing(client, sites):
    client.force_login(make_user("viewer"))
    choice = client.get(f"{DASHBOARD}?colours=plaid&range=1y&group=99999999999999999999").context["choice"]
    assert (choice.colours, choice.window.word, choice.group) == ("status", "24h", None)


# --- the cards ---


def test_power_is_that_of_what_was_measured_lately_without_ups(client):
    measured({"power": 120.5})
    measured({"power": 300.0})
    measured({"power": 1000.0}, category="ups")
    measured({"power": 77.0}, ago=timedelta(hours=5))
    measured({})
    client.force_login(make_user("viewer"))
    power = client.get(DASHBOARD).context["power"]
    assert (power.watts, power.measured, power.total) == (420.5, 2, 4)


def test_without_any_meter_power_is_not_measured_and_has_no_chart(client, sites):
    client.force_login(make_user("viewer"))
    page = client.get(DASHBOARD)
    assert page.context["power"].watts is None
    assert "No device here says how much it draws." in page.content.decode()
    assert "chart.json" not in page.content.decode()


def test_the_suspended_stand_together_by_what_suspends_them(client):
    tokyo = make_group("Tokyo")
    rack = make_group("Rack 1", tokyo)
    for group, number in ((tokyo, 1), (rack, 2)):
        for _ in range(number):
            make_component("", group)
    alone = make_component("db-1", rack)
    until = timezone.now() + 2 * HOUR
    suspend_periods.create(tokyo, "Power work", suspend_periods.from_now(timezone.now(), until), SYSTEM)
    suspend_periods.create(alone, "New disk", suspend_periods.from_now(timezone.now(), until + HOUR), SYSTEM)
    suspension.settle_all()
    make_component("off", tokyo, unmanaged=True)
    client.force_login(make_user("viewer"))
    suspended = client.get(DASHBOARD).context["suspended"]
    assert [(row.title, row.number) for row in suspended.rows] == [("Power work", 3), ("New disk", 1)]
    assert all(abs(row.until - until) <= HOUR for row in suspended.rows)
    assert (suspended.number, suspended.further, suspended.unmanaged) == (4, 0, 1)
    client.force_login(make_user("viewer", rack))
    hidden = client.get(DASHBOARD)
    rows = hidden.context["suspended"].rows
    assert [(row.title, row.number, bool(row.url)) for row in rows] == [
        ("A period of a group above", 2, False), ("New disk", 1, True),
    ]  # fmt: skip
    assert "Power work" not in hidden.content.decode()


def test_a_problem_is_acknowledged_from_here_by_who_may(client, sites):
    tokyo, osaka = sites
    ship_definitions()
    definition = AlertDefinition.objects.get(key="portal.access-lost")
    incidents = [
        Incident.objects.create(
            component=group.components.first(), place=f"component {group.components.first().pk}",
            definition=definition, severity="critical", title="No answer",
        )
        for group in (tokyo, osaka)
    ]  # fmt: skip
    user = make_user("viewer")
    Grant.objects.create(user=user, role=Role.objects.get(name="operator"), group=tokyo)
    client.force_login(user)
    page = client.get(DASHBOARD)
    attention = page.context["attention"]
    assert attention.number == 2
    assert {(row.where, row.may_acknowledge) for row in attention.rows} == {
        ("web-1 · Tokyo", True), ("db-1 · Osaka", False),
    }  # fmt: skip
    text = page.content.decode()
    assert f'id="acknowledge-{incidents[0].pk}"' in text
    assert f'id="acknowledge-{incidents[1].pk}"' not in text
    assert client.get(f"{DASHBOARD}?group={osaka.pk}").context["attention"].number == 1


def test_jobs_of_a_group_are_those_with_a_target_in_it(client, sites):
    tokyo, osaka = sites
    started = timezone.now() - timedelta(minutes=10)
    jobs = [
        Job.objects.create(kind="check", title="Check", state="running", total=4, finished=1, started_at=started)
        for _ in range(2)
    ]
    for job, group in zip(jobs, (tokyo, osaka), strict=True):
        JobStep.objects.create(job=job, target="x", group=group.pk)
    client.force_login(make_user("viewer"))
    assert len(client.get(DASHBOARD).context["jobs"]) == 2
    (running,) = client.get(f"{DASHBOARD}?group={tokyo.pk}").context["jobs"]
    assert running.job == jobs[0]
    assert timedelta(minutes=30) <= running.left < timedelta(minutes=31)


def test_the_part_has_the_live_regions_and_no_chart(client, sites):
    client.force_login(make_user("viewer"))
    part = client.get(DASHBOARD, HTTP_HX_REQUEST="true").content.decode()
    assert "<!DOCTYPE html>" not in part
    assert part.count('hx-swap-oob="morph"') == 3
    assert "<figure" not in part


def test_changes_of_hidden_groups_are_not_among_the_latest(client, sites):
    tokyo, osaka = sites
    for number in range(12):
        changed(osaka.components.get(), (timedelta(minutes=number + 1), "normal", "warning"))
    changed(tokyo.components.get(name="web-1"), (5 * HOUR, "normal", "critical"))
    client.force_login(make_user("viewer", tokyo))
    assert [change.component.name for change in client.get(DASHBOARD).context["changes"]] == ["web-1"]
    client.force_login(make_user("viewer"))
    assert {change.component.name for change in client.get(DASHBOARD).context["changes"]} == {"db-1"}
