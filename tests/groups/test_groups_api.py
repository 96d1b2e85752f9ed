"""The tree of groups through the API: one root, no loops, and nothing removed that is not empty."""

import pytest
from rest_framework.test import APIClient

from apps.access.models import Grant, Role
from apps.core.models import AuditEntry
from apps.groups.models import Group
from tests.factories import make_component, make_credential, make_group, make_user, root_group

pytestmark = pytest.mark.django_db

URL = "/api/v1/groups/"


def client_of(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def api():
    return client_of(make_user("administrator"))


def post(api, **body):
    return api.post(URL, {"name": "Tokyo", "parent": root_group().pk, **body}, format="json")


def refused(response, field):
    assert response.status_code == 400, response.content
    assert list(response.json()["errors"]) == [field]


def test_a_group_is_made_renamed_moved_and_removed(api):
    made = post(api, description="Head office").json()
    assert made == {"id": made["id"], "name": "Tokyo", "parent": root_group().pk, "description": "Head office"}
    other = make_group("Osaka")
    url = f"{URL}{made['id']}/"
    changed = api.patch(url, {"name": "Edo", "parent": other.pk}, format="json").json()
    assert changed == {**made, "name": "Edo", "parent": other.pk}
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        *("group.create", "group.change", "group.remove")
    ]


def test_the_parent_defaults_to_the_callers_topmost(api):
    made = api.post(URL, {"name": "Tokyo"}, format="json")
    assert (made.status_code, made.json()["parent"]) == (201, root_group().pk)
    low = make_group("Low", make_group("High"))
    role = Role.objects.create(name="gardener", permissions=["view", "groups"])
    user = make_user("viewer")
    Grant.objects.create(user=user, role=role, group=low)
    gardener = client_of(user)
    made = gardener.post(URL, {"name": "Shibuya"}, format="json")
    assert (made.status_code, made.json()["parent"]) == (201, low.pk)
    assert client_of(make_user("viewer")).post(URL, {"name": "Ueno"}, format="json").status_code == 403
    assert not Group.objects.filter(name="Ueno").exists()


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("name", value) for value in (None, "", "  ", 5, [], {}, "x" * 101)],
        *[("parent", value) for value in (None, "1", 0, 999_999, 10**30, True, [])],
        *[("description", value) for value in (None, 5, "x" * 301)],
        ("colour", "red"),
    ],
)
def test_each_bad_value_is_refused_by_name(api, field, value):
    refused(post(api, **{field: value}), field)
    assert Group.objects.count() == 1
    group = make_group("Osaka")
    refused(api.patch(f"{URL}{group.pk}/", {field: value}, format="json"), field)
    group.refresh_from_db()
    assert (group.name, group.parent, group.description) == ("Osaka", root_group(), "")


def test_the_same_name_beside_each_other_is_refused(api):
    assert post(api).status_code == 201
    assert post(api).status_code == 400
    assert Group.objects.count() == 2


def test_a_group_cannot_stand_in_itself(api):
    outer = make_group("Outer")
    inner = make_group("Inner", outer)
    for parent in (outer, inner):
        refused(api.patch(f"{URL}{outer.pk}/", {"parent": parent.pk}, format="json"), "parent")
    outer.refresh_from_db()
    assert outer.parent == root_group()


def test_the_topmost_group_stays_where_it_is(api):
    root, other = root_group(), make_group("Other")
    refused(api.patch(f"{URL}{root.pk}/", {"parent": other.pk}, format="json"), "parent")
    assert api.delete(f"{URL}{root.pk}/").status_code == 409
    assert api.patch(f"{URL}{root.pk}/", {"name": "Fleet"}, format="json").json()["name"] == "Fleet"


def test_a_group_with_something_in_it_is_not_removed_and_says_what(api):
    group = make_group("Tokyo")
    make_component("web01", group)
    make_credential(group=group, name="SNMP")
    make_group("Floor 1", group)
    response = api.delete(f"{URL}{group.pk}/")
    assert response.status_code == 409
    assert response.json()["detail"] == "In the group Tokyo there still are: Floor 1, web01, SNMP."
    assert Group.objects.filter(pk=group.pk).exists()


def test_a_stale_version_changes_nothing(api):
    url = f"{URL}{make_group('Tokyo').pk}/"
    tag = api.get(url)["ETag"]
    assert api.patch(url, {"name": "Edo"}, format="json", headers={"If-Match": tag}).status_code == 200
    assert api.delete(url, headers={"If-Match": tag}).status_code == 412
    assert Group.objects.filter(name="Edo").exists()


def test_who_may():
    mine, theirs = make_group("Mine"), make_group("Theirs")
    below = make_group("Below", mine)
    administrator = client_of(make_user("administrator", mine))
    assert [one["id"] for one in administrator.get(URL).json()["results"]] == [below.pk, mine.pk]
    assert administrator.get(f"{URL}{theirs.pk}/").status_code == 404
    assert administrator.delete(f"{URL}{theirs.pk}/").status_code == 404
    refused(post(administrator), "parent")
    assert post(administrator, parent=mine.pk).status_code == 201
    operator = client_of(make_user("operator", mine))
    assert post(operator, name="x", parent=mine.pk).status_code == 403
    assert operator.patch(f"{URL}{below.pk}/", {"name": "x"}, format="json").status_code == 403
    assert operator.delete(f"{URL}{below.pk}/").status_code == 403
    assert Group.objects.filter(name="Below").exists()


def test_lists_are_searched_and_filtered(api):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    floor = make_group("Floor", tokyo)

    def found(query):
        return [one["id"] for one in api.get(f"{URL}?{query}").json()["results"]]

    assert found("q=TOK") == found("name=Tokyo") == [tokyo.pk]
    assert found(f"parent={tokyo.pk}") == [floor.pk]
    assert found(f"parent={osaka.pk}") == []
    refused(api.get(f"{URL}?parent=x"), "parent")
