"""The list of components: filters in the address, and what is done to many at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.components.models import Component
from apps.core.models import Job
from tests.factories import make_component, make_group, make_interface

pytestmark = pytest.mark.django_db

LIST = "/components/"
BULK = "/components/bulk/"


def names(answer) -> list[str]:
    return [component.name for component in answer.context["page"].object_list]


def test_filters_stand_in_the_address(browser):
    rack = make_group("rack")
    make_component("web-01", status="critical")
    make_component("web-02", rack, category="network", status="normal")
    make_component("db-01", rack, status="normal", unmanaged=True)
    assert names(browser.get(LIST)) == ["db-01", "web-01", "web-02"]
    assert names(browser.get(f"{LIST}?sort=-name")) == ["web-02", "web-01", "db-01"]
    assert names(browser.get(f"{LIST}?q=web")) == ["web-01", "web-02"]
    assert names(browser.get(f"{LIST}?status=critical")) == ["web-01"]
    assert names(browser.get(f"{LIST}?status=suspended")) == ["db-01"]
    assert names(browser.get(f"{LIST}?category=network")) == ["web-02"]
    assert names(browser.get(f"{LIST}?group={rack.pk}")) == ["db-01", "web-02"]
    assert names(browser.get(f"{LIST}?group=x&status=y&sort=z&page=99")) == ["db-01", "web-01", "web-02"]


def test_what_is_not_measured_comes_last_and_is_not_zero(browser):
    make_component("a")
    make_component("b", cpu=5.0)
    make_component("c", cpu=90.0)
    assert names(browser.get(f"{LIST}?sort=cpu")) == ["b", "c", "a"]
    answer = browser.get(f"{LIST}?sort=-cpu")
    assert names(answer) == ["c", "b", "a"]
    assert "not measured" in answer.content.decode()


def test_only_the_components_of_ones_groups_are_listed_and_counted(browser_of):
    mine = make_group("mine")
    make_component("theirs")
    make_component("ours", mine)
    answer = browser_of("operator", mine).get(LIST)
    assert names(answer) == ["ours"]
    assert sum(option.count for option in answer.context["facets"][0].options) == 1


def test_many_rows_need_no_more_queries_than_one(browser):
    make_interface(make_component())

    def queries() -> int:
        counts = []
        for _look in range(3):
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(LIST).status_code == 200
            counts.append(len(captured))
        return min(counts)

    one = queries()
    for _number in range(59):
        make_interface(make_component())
    assert queries() == one


def test_ticked_components_are_checked_in_one_job(browser, queued):
    rows = [make_interface(make_component()).component for _ in range(3)]
    answer = browser.post(BULK, {"action": "check", "ids": [row.pk for row in rows[:2]], "scope": "ids"})
    job = Job.objects.get()
    assert (answer.url, job.total) == (job.get_absolute_url(), 2)


def test_all_that_match_the_filter_are_moved(browser):
    rack = make_group("rack")
    for name in ("web-01", "web-02", "db-01"):
        make_component(name)
    given = {"action": "move", "scope": "filter", "filter": "q=web", "group": rack.pk}
    assert browser.post(BULK, given).url == f"{LIST}?q=web"
    assert list(Component.objects.filter(group=rack).values_list("name", flat=True)) == ["web-01", "web-02"]


def test_removing_many_asks_first(browser):
    rows = [make_component(f"web-0{number}") for number in range(3)]
    given = {"action": "remove", "ids": [row.pk for row in rows[:2]], "scope": "ids"}
    question = browser.post(BULK, given)
    assert question.status_code == 200
    assert "Remove 2 components?" in question.content.decode()
    assert Component.objects.count() == 3
    assert browser.post(BULK, given | {"confirmed": "yes"}).url == LIST
    assert list(Component.objects.values_list("name", flat=True)) == ["web-02"]


def test_nothing_is_done_when_one_of_them_is_not_permitted(browser_of, queued):
    mine = make_group("mine")
    viewer = browser_of("viewer")
    rows = [make_component("a", mine), make_component("b")]
    for action in ("check", "collect", "remove", "move"):
        viewer.post(BULK, {"action": action, "ids": [row.pk for row in rows], "confirmed": "yes", "group": mine.pk})
    assert Component.objects.count() == 2
    assert not Job.objects.exists()
    assert queued == []
