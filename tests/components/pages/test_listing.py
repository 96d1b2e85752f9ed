"""The component list: what it shows to whom, how its filters count, and what is done to many at once."""

import re

import pytest
from django.urls import reverse

from apps.components.models import Component
from apps.core.models import AuditEntry, Job
from tests.factories import make_component, make_group, make_interface, make_user, root_group
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
LIST, BULK = reverse("components:list"), reverse("components:bulk")


def names_in(response) -> list[str]:
    """Give the names of the rows, as shown from top to bottom."""
    return re.findall(r'<a href="/components/\d+/">\s*([^<\s]+)\s*</a>', response.content.decode())


@pytest.fixture
def fleet():
    """Two sites with five servers and a UPS."""
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    make_component("web-1", tokyo, status="normal", cpu=10.0)
    make_component("web-2", tokyo, status="critical", cpu=90.0)
    make_component("web-3", osaka, status="warning")
    make_component("db-1", osaka, status="normal", cpu=50.0)
    make_component("old-1", osaka, status="critical", unmanaged=True)
    make_component("ups-1", tokyo, status="normal", category="ups")
    return tokyo, osaka


def test_a_viewer_sees_the_components_of_his_groups_and_no_buttons(client, fleet):
    tokyo, _osaka = fleet
    client.force_login(make_user("viewer", tokyo))
    page = client.get(LIST)
    assert names_in(page) == ["ups-1", "web-1", "web-2"]
    text = page.content.decode()
    assert "Osaka" not in text
    assert sum(option.count for option in page.context["facets"][0].options) == 3
    assert 'name="action"' not in text
    assert reverse("components:add") not in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=critical", ["web-2"]),  # the one that is not managed is suspended, not critical
        ("?status=suspended", ["old-1"]),
        ("?status=critical&status=warning", ["web-2", "web-3"]),
        ("?category=ups", ["ups-1"]),
        ("?q=WEB", ["web-1", "web-2", "web-3"]),
        ("?q=web+2", ["web-2"]),
        ("?sort=-cpu&q=-1", ["db-1", "web-1", "old-1", "ups-1"]),  # what was not measured comes last
        ("?sort=status", ["old-1", "web-2", "web-3", "db-1", "ups-1", "web-1"]),
        ("?sort=nonsense&status=bogus&group=x&page=99", ["db-1", "old-1", "ups-1", "web-1", "web-2", "web-3"]),
    ],
)
def test_filters_and_sorting_stand_in_the_address(client, fleet, query, expected):
    client.force_login(make_user("administrator"))
    assert names_in(client.get(LIST + query)) == expected


def test_a_group_filter_reaches_everything_below_it(client, fleet):
    tokyo, _osaka = fleet
    rack = make_group("Rack 1", tokyo)
    make_component("deep-1", rack)
    client.force_login(make_user("administrator"))
    assert "deep-1" in names_in(client.get(f"{LIST}?group={tokyo.pk}"))


def test_a_facet_counts_its_boxes_without_itself_and_the_others_with_it(client, fleet):
    client.force_login(make_user("administrator"))
    page = client.get(f"{LIST}?status=critical")
    facets = {facet.name: {option.value: option.count for option in facet.options} for facet in page.context["facets"]}
    assert facets["status"] == {"critical": 1, "warning": 1, "normal": 3, "suspended": 1}
    assert facets["category"] == {"server": 1}


def test_the_list_costs_the_same_for_one_row_and_for_sixty(browser):
    make_interface(make_component("first"))
    few = statements_of(lambda: browser.get(LIST))
    for _ in range(59):
        make_interface(make_component())
    assert statements_of(lambda: browser.get(LIST)) == few


def test_many_are_moved_and_each_move_is_audited(client, fleet):
    _tokyo, osaka = fleet
    client.force_login(make_user("administrator"))
    ids = list(Component.objects.filter(name__in=["web-1", "web-2"]).values_list("pk", flat=True))
    answer = client.post(BULK, {"action": "move", "ids": ids, "group": osaka.pk, "scope": "ids", "filter": "q=web"})
    assert (answer.status_code, answer.url) == (302, f"{LIST}?q=web")
    assert set(Component.objects.filter(pk__in=ids).values_list("group", flat=True)) == {osaka.pk}
    assert AuditEntry.objects.filter(action="component.change").count() == 2


def test_all_that_match_are_removed_only_after_a_second_word(client, fleet):
    client.force_login(make_user("administrator"))
    asked = client.post(BULK, {"action": "remove", "scope": "filter", "filter": "q=web"})
    assert asked.status_code == 200
    assert "Remove 3 components?" in asked.content.decode()
    assert Component.objects.filter(name__startswith="web").count() == 3
    ids = list(Component.objects.filter(name__startswith="web").values_list("pk", flat=True))
    client.post(BULK, {"action": "remove", "confirmed": "yes", "ids": ids})
    assert sorted(Component.objects.values_list("name", flat=True)) == ["db-1", "old-1", "ups-1"]


def test_an_operator_checks_but_does_not_remove(client, fleet):
    tokyo, _osaka = fleet
    client.force_login(make_user("operator", tokyo))
    component = Component.objects.get(name="web-1")
    make_interface(component)
    refused = client.post(BULK, {"action": "remove", "confirmed": "yes", "ids": [component.pk]}, follow=True)
    assert "may not be changed by you" in refused.content.decode()
    assert Component.objects.filter(pk=component.pk).exists()
    started = client.post(BULK, {"action": "check", "ids": [component.pk]})
    job = Job.objects.get()
    assert started.url == job.get_absolute_url()
    assert [step.component for step in job.steps.all()] == [component.pk]


def test_nothing_is_done_to_what_one_may_not_see(client, fleet):
    tokyo, osaka = fleet
    client.force_login(make_user("administrator", tokyo))
    hidden = Component.objects.get(name="db-1")
    answer = client.post(BULK, {"action": "remove", "confirmed": "yes", "ids": [hidden.pk]}, follow=True)
    assert "Tick at least one component" in answer.content.decode()
    assert Component.objects.filter(pk=hidden.pk).exists()
    moved = client.post(BULK, {"action": "move", "ids": [Component.objects.get(name="web-1").pk], "group": osaka.pk})
    assert moved.status_code == 302
    assert Component.objects.get(name="web-1").group == tokyo


def test_an_empty_portal_and_an_empty_answer_say_so(client):
    client.force_login(make_user("administrator"))
    assert "Nothing is managed yet" in client.get(LIST).content.decode()
    make_component("only", root_group())
    assert "Nothing matches" in client.get(f"{LIST}?q=other").content.decode()


def test_what_is_not_measured_comes_last_and_is_not_zero(browser):
    make_component("a")
    make_component("b", cpu=5.0)
    make_component("c", cpu=90.0)
    assert names_in(browser.get(f"{LIST}?sort=cpu")) == ["b", "c", "a"]
    answer = browser.get(f"{LIST}?sort=-cpu")
    assert names_in(answer) == ["c", "b", "a"]
    assert "not measured" in answer.content.decode()


def test_all_that_match_the_filter_are_moved(browser):
    rack = make_group("rack")
    for name in ("web-01", "web-02", "db-01"):
        make_component(name)
    given = {"action": "move", "scope": "filter", "filter": "q=web", "group": rack.pk}
    assert browser.post(BULK, given).url == f"{LIST}?q=web"
    assert list(Component.objects.filter(group=rack).values_list("name", flat=True)) == ["web-01", "web-02"]


def test_ticked_components_are_checked_in_one_job(browser, queued):
    rows = [make_interface(make_component()).component for _ in range(3)]
    answer = browser.post(BULK, {"action": "check", "ids": [row.pk for row in rows[:2]], "scope": "ids"})
    job = Job.objects.get()
    assert (answer.url, job.total) == (job.get_absolute_url(), 2)


def test_nothing_is_done_when_one_of_them_is_not_permitted(browser_of, queued):
    mine = make_group("mine")
    viewer = browser_of("viewer")
    rows = [make_component("a", mine), make_component("b")]
    for action in ("check", "collect", "remove", "move"):
        viewer.post(BULK, {"action": action, "ids": [row.pk for row in rows], "confirmed": "yes", "group": mine.pk})
    assert Component.objects.count() == 2
    assert not Job.objects.exists()
    assert queued == []
