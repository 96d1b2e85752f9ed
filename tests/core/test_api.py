"""What every API resource does the same way: problems, pages, versions, scope."""

import json
import logging
import re

import pytest
from django.test import Client

from apps.access.models import Grant, Role
from apps.accounts.models import User
from apps.core import options
from apps.core.models import AuditEntry
from tests.description import description
from tests.factories import make_group, make_user, root_group

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"
JSON = "application/json"
NEW = "another long secret"


@pytest.fixture
def anna() -> User:
    return make_user("administrator", username="anna")


@pytest.fixture
def api(client: Client, anna) -> Client:
    client.force_login(anna)
    return client


def problem(answer) -> dict:
    assert answer["Content-Type"] == PROBLEM
    body = answer.json()
    assert set(body) >= {"type", "title", "status", "detail", "instance"}
    assert body["status"] == answer.status_code
    return body


class TestProblems:
    """Whatever goes wrong is a problem by RFC 9457."""

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("method", "path", "body", "content_type", "status"),
        [
            ("GET", "/api/v1/jobs/999/", "", JSON, 404),
            ("GET", "/api/v1/jobs/99999999999999999999999/", "", JSON, 404),
            ("GET", "/api/v1/nothing/", "", JSON, 404),
            ("GET", "/api/nothing", "", JSON, 404),
            ("DELETE", "/api/v1/jobs/", "", JSON, 405),
            ("PUT", "/api/v1/users/1/", "{}", JSON, 405),
            ("POST", "/api/v1/roles/", "{", JSON, 400),
            ("POST", "/api/v1/roles/", "[]", JSON, 400),
            ("POST", "/api/v1/roles/", "[" * 100_000, JSON, 400),
            ("POST", "/api/v1/roles/", '{"name": NaN}', JSON, 400),
            ("POST", "/api/v1/roles/", b"\xff\xfe", JSON, 400),
            ("POST", "/api/v1/roles/", "name=x", "application/x-www-form-urlencoded", 415),
            ("POST", "/api/v1/roles/", "<x/>", "text/xml", 415),
            ("PATCH", "/api/v1/options/nothing/", '{"value": 1}', JSON, 404),
        ],
    )
    def test_each_kind(self, api, method, path, body, content_type, status):
        answer = api.generic(method, path, body, content_type)
        assert answer.status_code == status
        assert ("errors" in problem(answer)) == (status == 400)

    def test_what_nobody_expected_has_an_id_and_no_stack(self, api, monkeypatch, caplog):
        def broken() -> None:
            raise RuntimeError("the secret reason")

        monkeypatch.setattr(options, "all_options", broken)
        with caplog.at_level(logging.ERROR):
            body = problem(api.get("/api/v1/options/"))
        assert body["status"] == 500
        assert "secret reason" not in json.dumps(body)
        error_id = body["instance"].removeprefix("error:")
        assert len(error_id) == 8
        assert error_id in caplog.text
        assert "the secret reason" in caplog.text

    def test_a_problem_speaks_the_callers_language(self, client):
        assert client.get("/api/v1/jobs/", headers={"Accept-Language": "ja"})["Content-Language"] == "ja"


class TestUsers:
    """Users by API."""

    @pytest.mark.parametrize("role", ["viewer", "operator", None])
    def test_only_who_manages_access(self, client, role):
        client.force_login(make_user(role))
        for name in ("users", "roles", "grants", "addresses", "options", "audit"):
            assert problem(client.get(f"/api/v1/{name}/"))["status"] == 403

    def test_made_changed_and_removed(self, api):
        answer = api.post("/api/v1/users/", {"username": "vera", "password": NEW}, JSON)
        assert answer.status_code == 201
        made = answer.json()
        assert answer["Location"] == f"/api/v1/users/{made['id']}/"
        assert "password" not in made
        assert made["must_change_password"] is True
        assert User.objects.get(username="vera").check_password(NEW)
        changed = api.patch(answer["Location"], {"email": "v@example.com"}, JSON)
        assert (changed.status_code, changed.json()["email"]) == (200, "v@example.com")
        assert api.delete(answer["Location"]).status_code == 204
        assert not User.objects.filter(username="vera").exists()
        acts = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_name"))
        assert acts == [("user.create", "anna"), ("user.change", "anna"), ("user.remove", "anna")]
        assert NEW not in str(AuditEntry.objects.values())

    def test_a_user_may_keep_the_password_that_was_chosen_for_him(self, api):
        sent = {"username": "vera", "password": NEW, "must_change_password": False}
        made = api.post("/api/v1/users/", sent, JSON)
        assert (made.status_code, made.json()["must_change_password"]) == (201, False)
        assert User.objects.get(username="vera").must_change_password is False
        url = made["Location"]
        assert api.patch(url, {"email": "v@example.com"}, JSON).json()["must_change_password"] is False
        assert api.patch(url, {"password": NEW + "2"}, JSON).json()["must_change_password"] is True
        assert list(problem(api.patch(url, {"must_change_password": "no"}, JSON))["errors"]) == ["must_change_password"]

    def test_the_description_says_that_he_has_to_change_it_otherwise(self):
        schemas = description()["components"]["schemas"]
        assert schemas["User"]["properties"]["must_change_password"]["default"] is True
        assert "must_change_password" not in schemas["User"]["required"]

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"username": ""}, "username"),
            ({"username": "anna"}, "username"),
            ({"username": "ANNA"}, "username"),
            ({"username": "a b"}, "username"),
            ({"username": None}, "username"),
            ({"password": "short"}, "password"),
            ({"password": ["x"]}, "password"),
            ({"email": "x"}, "email"),
            ({"is_active": "perhaps"}, "is_active"),
            ({"first_name": "x" * 151}, "first_name"),
        ],
    )
    def test_each_bad_field_is_named(self, api, change, field):
        answer = api.post("/api/v1/users/", {"username": "vera", "password": NEW, **change}, JSON)
        assert answer.status_code == 400
        assert list(problem(answer)["errors"]) == [field]
        assert User.objects.count() == 1
        assert not AuditEntry.objects.exists()

    def test_neither_oneself_nor_the_last_administrator_goes(self, api, anna):
        url = f"/api/v1/users/{anna.pk}/"
        assert api.delete(url).status_code == 400
        assert list(problem(api.patch(url, {"is_active": False}, JSON))["errors"]) == ["is_active"]
        assert api.delete(f"/api/v1/grants/{anna.grants.get().pk}/").status_code == 400
        anna.refresh_from_db()
        assert (anna.is_active, anna.grants.count()) == (True, 1)

    def test_the_last_administrator_stays_when_another_one_with_the_right_asks(self, client, anna):
        manager = make_user(None, username="manager")
        role = Role.objects.create(name="managers", permissions=["access"])
        Grant.objects.create(user=manager, role=role, group=root_group())
        client.force_login(manager)
        assert client.delete(f"/api/v1/users/{anna.pk}/").status_code == 400
        assert client.patch(f"/api/v1/users/{anna.pk}/", {"is_active": False}, JSON).status_code == 400
        assert client.delete(f"/api/v1/grants/{anna.grants.get().pk}/").status_code == 400
        make_user("administrator")
        assert client.delete(f"/api/v1/grants/{anna.grants.get().pk}/").status_code == 204

    def test_nobody_gives_away_what_he_does_not_hold(self, client):
        manager = make_user(None)
        role = Role.objects.create(name="managers", permissions=["access"])
        Grant.objects.create(user=manager, role=role, group=root_group())
        client.force_login(manager)
        sent = {"user": manager.pk, "role": Role.objects.get(name="administrator").pk, "group": root_group().pk}
        answer = client.post("/api/v1/grants/", sent, JSON)
        assert list(problem(answer)["errors"]) == ["role"]
        assert manager.grants.count() == 1


class TestVersions:
    """ETag and If-Match."""

    def test_a_stale_version_changes_nothing(self, api):
        url = api.post("/api/v1/roles/", {"name": "night", "permissions": ["view"]}, JSON)["Location"]
        first = api.get(url)["ETag"]
        changed = api.patch(url, {"name": "late"}, JSON, headers={"If-Match": first})
        assert changed.status_code == 200
        assert changed["ETag"] != first
        stale = api.patch(url, {"name": "early"}, JSON, headers={"If-Match": first})
        assert problem(stale)["status"] == 412
        assert api.delete(url, headers={"If-Match": first}).status_code == 412
        assert api.get(url).json()["name"] == "late"
        assert api.patch(url, {"name": "early"}, JSON).status_code == 200
        assert api.delete(url, headers={"If-Match": f'"other", {api.get(url)["ETag"]}'}).status_code == 204

    def test_a_role_that_is_held_is_not_removed(self, api):
        role = Role.objects.create(name="held", permissions=["view"])
        Grant.objects.create(user=make_user(None, username="vera"), role=role, group=make_group("Tokyo"))
        body = problem(api.delete(f"/api/v1/roles/{role.pk}/"))
        assert body["status"] == 409
        assert "vera" in body["detail"]


class TestPages:
    """Lists in pages."""

    def test_all_rows_come_once_in_a_settled_order(self, api):
        for number in range(5):
            Role.objects.create(name=f"role {number}", permissions=[])
        url, seen, sizes = "/api/v1/roles/?limit=3", [], []
        while url:
            body = api.get(url).json()
            seen += [row["id"] for row in body["results"]]
            sizes.append((body["count"], len(body["results"])))
            url = body["next"]
        assert sizes == [(8, 3), (8, 3), (8, 2)]
        assert sorted(seen) == sorted(Role.objects.values_list("pk", flat=True))
        assert len(set(seen)) == 8
        back = api.get("/api/v1/roles/?limit=3&page=2").json()["previous"]
        assert api.get(back).json()["previous"] is None

    @pytest.mark.one_database
    @pytest.mark.parametrize("query", ["page=0", "page=-1", "page=1.5", "page=", "limit=", "limit=٣", "page=1e3"])
    def test_what_is_no_number_is_named(self, api, query):
        body = problem(api.get(f"/api/v1/roles/?{query}"))
        assert list(body["errors"]) == [query.split("=")[0]]

    def test_a_search_needs_every_word(self, api):
        make_user(username="vera", email="vera@tokyo.example")
        make_user(username="otto", email="otto@tokyo.example")
        found = api.get("/api/v1/users/?q=tokyo VER").json()["results"]
        assert [row["username"] for row in found] == ["vera"]
        assert list(problem(api.get("/api/v1/users/?q=%00"))["errors"]) == ["q"]


class TestOptions:
    """Options by API."""

    def test_read_and_set(self, api):
        listed = api.get("/api/v1/options/?limit=1000").json()["results"]
        assert "auto_logout" in [row["name"] for row in listed]
        answer = api.patch("/api/v1/options/AUTO_LOGOUT/", {"value": 45}, JSON)
        assert (answer.status_code, answer.json()["value"]) == (200, 45)
        entry = AuditEntry.objects.get(action="option.set")
        assert (entry.before, entry.after, entry.object_name) == ({"value": 30}, {"value": 45}, "auto_logout")

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        "body", [{"value": 0}, {"value": 1441}, {"value": "x"}, {"value": True}, {"value": None}, {}]
    )
    def test_what_is_out_of_range_is_refused(self, api, body):
        answer = api.patch("/api/v1/options/auto_logout/", body, JSON)
        assert (answer.status_code, list(problem(answer)["errors"])) == (400, ["value"])
        assert options.get("auto_logout") == 30
        assert not AuditEntry.objects.exists()

    def test_a_body_without_a_value_is_refused(self, api):
        assert list(problem(api.patch("/api/v1/options/auto_logout/", {}, JSON))["errors"]) == ["value"]

    def test_a_single_value_outside_the_range_may_be_allowed(self, api):
        url = "/api/v1/options/logoutOtherPcPollingTime/"
        assert api.patch(url, {"value": 59}, JSON).status_code == 400
        assert options.get("logoutOtherPcPollingTime") == 600
        assert api.patch(url, {"value": 0}, JSON).json()["value"] == 0
        assert api.patch(url, {"value": 60}, JSON).json()["value"] == 60
        assert api.patch("/api/v1/options/loginOtherPcPollingTime/", {"value": 59}, JSON).status_code == 400
        assert api.patch("/api/v1/options/loginOtherPcPollingTime/", {"value": 0}, JSON).status_code == 400

    def test_the_sentence_names_the_range(self, api):
        answer = api.patch("/api/v1/options/auto_logout/", {"value": 0}, JSON)
        assert answer.json()["errors"]["value"] == ["Enter a number from 1 to 1440."]

    def test_what_the_environment_decides_is_read_only(self, api, monkeypatch):
        option = options.Option("test_port", int, 1, "Port", environment="TEST_PORT", minimum=0, maximum=65535)
        monkeypatch.setitem(options.registry._entries, "test_port", option)
        monkeypatch.setenv("TEST_PORT", "7")
        shown = api.get("/api/v1/options/test_port/").json()
        assert (shown["value"], shown["read_only"]) == (7, True)
        body = problem(api.patch("/api/v1/options/test_port/", {"value": 8}, JSON))
        assert body["status"] == 409
        assert "TEST_PORT" in body["detail"]


class TestDescription:
    """The schema and its page, which need nothing from another host and no inline script."""

    def test_the_schema_describes_our_resources(self, api):
        paths = api.get("/api/schema/?format=json").json()["paths"]
        assert {"/api/v1/jobs/{id}/cancel/", "/api/v1/tokens/", "/api/v1/options/{name}/"} <= set(paths)

    def test_the_page_loads_only_our_own_files(self, api):
        page = api.get("/api/docs/")
        text = page.content.decode()
        assert page.status_code == 200
        assert re.findall(r"<script(?![^>]* src=\"/)", text) == []
        assert re.findall(r"(?:src|href)=\"(?!/)", text) == []
        assert "<style" not in text
        script = re.findall(r"src=\"(/api/docs/[^\"]*)\"", text)[0]
        assert "SwaggerUIBundle" in api.get(script.replace("&amp;", "&")).content.decode()

    def test_nobody_reads_it_without_signing_in(self, client):
        assert client.get("/api/schema/").status_code == 401
