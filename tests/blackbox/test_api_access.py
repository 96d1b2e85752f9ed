"""Who may do what over the API: tokens, users, roles, grants, scope, audit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.blackbox.client import Caller
from tests.e2e.portal import ADMIN, PASSWORD
from tests.system.waiting import until

SIGN_IN = {"username": ADMIN, "password": PASSWORD}


class TestTokens:
    """Getting in."""

    def test_a_token_is_given_once_and_lasts_ninety_days(self, admin: Caller, nobody: Caller) -> None:
        made = nobody.post("tokens/", {**SIGN_IN, "name": "for the books"})
        assert set(made) == {"id", "token"}
        (listed,) = [row for row in admin.rows("tokens/") if row["id"] == made["id"]]
        assert listed["name"] == "for the books"
        assert made["token"] not in str(listed)
        created, expires = (datetime.fromisoformat(listed[name]) for name in ("created_at", "expires_at"))
        assert timedelta(days=89) < expires - created < timedelta(days=91)
        holder = admin.as_holder_of(made["token"])
        holder.get("components/")
        admin.delete(f"tokens/{made['id']}/")
        holder.get("components/", status=401)

    def test_it_ends_when_it_says(self, nobody: Caller) -> None:
        soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
        made = nobody.post("tokens/", {**SIGN_IN, "name": "short", "expires_at": soon})
        holder = nobody.as_holder_of(made["token"])
        holder.get("components/?limit=1")
        until(lambda: holder.send("GET", "components/?limit=1").status == 401, "the token has ended")

    def test_a_read_only_token_reads(self, nobody: Caller) -> None:
        made = nobody.post("tokens/", {**SIGN_IN, "name": "eyes", "read_only": True})
        holder = nobody.as_holder_of(made["token"])
        holder.get("components/")
        holder.post("components/", {"name": "never"}, status=403)
        holder.post("credentials/", {}, status=403)
        holder.patch("options/monitoring_interval/", {"value": 600}, status=403)

    @pytest.mark.parametrize(
        ("change", "fields"),
        [
            ({"username": None}, {"username"}),
            ({"name": ""}, {"name"}),
            ({"expires_at": "soon"}, {"expires_at"}),
            ({"expires_at": "2001-01-01T00:00:00Z"}, {"expires_at"}),
        ],
    )
    def test_bad_fields_are_named(self, nobody: Caller, change: dict[str, Any], fields: set[str]) -> None:
        assert nobody.errors("POST", "tokens/", {**SIGN_IN, "name": "n", **change}) == fields

    def test_a_wrong_password_or_token_is_401(self, nobody: Caller) -> None:
        nobody.post("tokens/", {"username": ADMIN, "password": "wrong", "name": "n"}, status=401)
        nobody.post("tokens/", {"username": "nobody", "password": PASSWORD, "name": "n"}, status=401)
        for token in ("", "x", "x" * 5000):
            answer = nobody.as_holder_of(token).send("GET", "components/")
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")


@dataclass(frozen=True)
class Fleet:
    """A component in each of two groups."""

    here: int
    below: int
    elsewhere: int


@pytest.fixture(scope="module")
def fleet(admin: Caller, root: int, north: int, north_rack: int) -> Fleet:
    """Something to see and something not to see."""
    south = admin.post("groups/", {"name": "South", "parent": root})["id"]
    groups = {"here": north, "below": north_rack, "elsewhere": south}
    return Fleet(**{k: admin.post("components/", {"name": f"scoped {k}", "group": g})["id"] for k, g in groups.items()})


@pytest.fixture(scope="module")
def viewer(make_user: Callable[..., Caller], north: int) -> Caller:
    """Sees the north."""
    return make_user("northern-viewer", "viewer", north)


@pytest.fixture(scope="module")
def operator(make_user: Callable[..., Caller], north: int) -> Caller:
    """Acts in the north."""
    return make_user("northern-operator", "operator", north)


class TestScope:
    """What is not visible does not exist; what is not permitted is refused."""

    def test_lists_counts_and_searches_show_what_is_granted(self, viewer: Caller, fleet: Fleet) -> None:
        page = viewer.get("components/?q=scoped")
        assert (page["count"], {row["id"] for row in page["results"]}) == (2, {fleet.here, fleet.below})
        everything = viewer.get("components/")
        assert fleet.elsewhere not in {row["id"] for row in everything["results"]}
        assert everything["count"] == len(everything["results"])
        assert viewer.rows("components/?q=scoped%20elsewhere") == []
        names = {row["name"] for row in viewer.rows("groups/")}
        assert {"North", "North rack"} <= names
        assert "South" not in names

    def test_the_invisible_is_404_for_every_verb(self, operator: Caller, viewer: Caller, fleet: Fleet) -> None:
        path = f"components/{fleet.elsewhere}/"
        for somebody in (operator, viewer):
            for method, tail in (
                ("GET", ""),
                ("PATCH", ""),
                ("DELETE", ""),
                ("POST", "check/"),
                ("POST", "refresh/"),
                ("GET", "sensors/"),
                ("GET", "samples/?sensor=1"),
                ("GET", "inventory/"),
                ("GET", "event-log/"),
            ):
                body = {} if method in {"PATCH", "POST"} else None
                assert somebody.send(method, path + tail, body).status == 404, (method, tail)

    def test_a_viewer_is_refused_what_he_sees_but_may_not_do(self, viewer: Caller, fleet: Fleet) -> None:
        path = f"components/{fleet.here}/"
        viewer.patch(path, {"alias": "mine"}, status=403)
        viewer.delete(path, status=403)
        viewer.post(f"{path}check/", status=403)
        viewer.post(f"{path}refresh/", status=403)
        viewer.post("components/", {"name": "never"}, status=403)
        viewer.post("groups/", {"name": "never", "parent": 1}, status=403)
        viewer.post("credentials/", {"name": "never", "kind": "password", "fields": {}}, status=403)

    def test_an_operator_checks_and_changes_nothing(self, admin: Caller, operator: Caller, fleet: Fleet) -> None:
        job = operator.finish(operator.post(f"components/{fleet.below}/check/", status=202))
        assert job["created_by"] == "northern-operator"
        operator.patch(f"components/{fleet.here}/", {"alias": "mine"}, status=403)
        operator.post("components/", {"name": "never"}, status=403)

    def test_jobs_and_alerts_of_others_do_not_exist(self, admin: Caller, viewer: Caller, fleet: Fleet) -> None:
        job = admin.finish(admin.post(f"components/{fleet.elsewhere}/check/", status=202))
        viewer.get(f"jobs/{job['id']}/", status=404)
        viewer.get(f"jobs/{job['id']}/steps/", status=404)
        viewer.post(f"jobs/{job['id']}/cancel/", status=404)
        assert job["id"] not in {row["id"] for row in viewer.rows("jobs/")}
        for alert in admin.rows("alerts/?unmatched=all&limit=3"):
            viewer.get(f"alerts/{alert['id']}/", status=404)
        for incident in admin.rows("incidents/?limit=3"):
            viewer.get(f"incidents/{incident['id']}/", status=404)
        assert viewer.get("alerts/?unmatched=all")["count"] == viewer.get("incidents/")["count"] == 0

    def test_what_one_may_not_see_cannot_be_named(
        self, make_user: Callable[..., Caller], north: int, fleet: Fleet, admin: Caller
    ) -> None:
        chief = make_user("second-chief", "administrator", north)
        south = admin.get(f"components/{fleet.elsewhere}/")["group"]
        assert chief.errors("POST", "components/", {"name": "n", "group": south}) == {"group"}
        assert chief.errors("POST", "components/", {"name": "n", "parent": fleet.elsewhere}) == {"parent"}
        assert chief.errors("PATCH", f"components/{fleet.here}/", {"group": south}) == {"group"}
        for resource in ("users/", "roles/", "grants/", "options/"):
            chief.get(resource, status=403)
        about = f"audit/?object_type=components.component&object_id={fleet.elsewhere}"
        assert admin.rows(about) != []
        assert chief.rows(about) == []
        assert chief.rows(about.replace(str(fleet.elsewhere), str(fleet.here))) != []

    def test_nobody_gets_nothing(self, nobody: Caller, fleet: Fleet) -> None:
        for resource in (
            *("components/", f"components/{fleet.here}/", "credentials/", "jobs/", "alerts/", "incidents/", "groups/"),
            *("drivers/", "users/", "roles/", "grants/", "tokens/", "audit/", "options/", "/api/schema/"),
        ):
            nobody.get(resource, status=401)
        nobody.post("components/", {"name": "n"}, status=401)


class TestAdministration:
    """The resources of those who run the portal."""

    def test_users_roles_and_grants_are_made_changed_and_removed(self, admin: Caller, north: int) -> None:
        role = admin.post("roles/", {"name": "collector", "permissions": ["view", "check"]})
        assert (role["permissions"], role["built_in"]) == (["view", "check"], False)
        user = admin.post("users/", {"username": "carla", "password": "a quite long password"})
        assert "password" not in user
        grant = admin.post("grants/", {"user": user["id"], "role": role["id"], "group": north})
        assert set(grant) == {"id", "user", "team", "directory_group", "role", "group"}
        assert admin.rows(f"grants/?user={user['id']}") == [grant]
        assert admin.patch(f"users/{user['id']}/", {"email": "c@example.org"})["email"] == "c@example.org"
        assert [row["id"] for row in admin.rows("users/?username=carla")] == [user["id"]]
        admin.delete(f"roles/{role['id']}/", status=409)
        admin.delete(f"grants/{grant['id']}/")
        admin.delete(f"roles/{role['id']}/")
        admin.delete(f"users/{user['id']}/")
        for path in (f"users/{user['id']}/", f"roles/{role['id']}/", f"grants/{grant['id']}/"):
            admin.get(path, status=404)

    @pytest.mark.parametrize(
        ("path", "body", "fields"),
        [
            ("users/", {}, {"username", "password"}),
            ("users/", {"username": "dora", "password": "short"}, {"password"}),
            ("users/", {"username": ADMIN, "password": "a quite long password"}, {"username"}),
            ("users/", {"username": "x" * 100_000, "password": "a quite long password"}, {"username"}),
            ("roles/", {"name": "r", "permissions": ["fly"]}, {"permissions"}),
            ("roles/", {"name": "viewer", "permissions": []}, {"name"}),
            ("grants/", {"user": 987654, "role": 987654, "group": 987654}, {"user", "role", "group"}),
            ("groups/", {"name": "no parent", "parent": None}, {"parent"}),
            ("groups/", {"name": "", "parent": 1}, {"name"}),
        ],
    )
    def test_bad_fields_are_named(self, admin: Caller, path: str, body: Any, fields: set[str]) -> None:
        names = {name.split(".")[0] for name in admin.errors("POST", path, body)}
        assert names == fields

    def test_options_have_ranges(self, admin: Caller) -> None:
        names = {row["name"].lower() for row in admin.rows("options/?limit=1000")}
        assert "monitoring_interval" in names
        option = admin.get("options/MONITORING_INTERVAL/")
        assert (option["default"], option["minimum"], option["maximum"]) == (600, 60, 86400)
        try:
            assert admin.patch("options/monitoring_interval/", {"value": 900})["value"] == 900
            for wrong in (59, 86401, "x", None, True, 60.5):
                assert admin.errors("PATCH", "options/monitoring_interval/", {"value": wrong}) == {"value"}
            assert admin.get("options/monitoring_interval/")["value"] == 900
        finally:
            admin.patch("options/monitoring_interval/", {"value": 600})
        admin.get("options/nothing_of_that_kind/", status=404)

    def test_drivers_say_what_they_need(self, admin: Caller, viewer: Caller) -> None:
        rows = {row["name"]: row for row in viewer.rows("drivers/")}
        # The hidden one is for developers.
        assert "fake" not in rows
        assert {"alert_only", "ilo", "network_snmp", "redfish", "snmp_agent", "ups_snmp"} <= set(rows)
        assert rows["snmp_agent"]["credential_kinds"] == ["snmp-community", "snmp-v3"]
        assert rows["snmp_agent"]["default_port"] == 161
        assert admin.get("drivers/snmp_agent/") == rows["snmp_agent"]
        admin.get("drivers/fake/", status=404)

    def test_the_audit_says_who_did_what_and_is_sealed(self, admin: Caller) -> None:
        made = admin.post("components/", {"name": "audited"})
        query = f"audit/?action=component.register&object_id={made['id']}"
        (entry,) = admin.rows(query)
        assert (entry["object_name"], entry["outcome"], entry["address"]) == ("audited", "success", "127.0.0.1")
        assert entry["actor_name"].startswith(ADMIN)
        admin.wait(query, lambda page: page["results"][0]["digest"], "the entry is sealed")
        admin.post("audit/", {"action": "made.up"}, status=405)
        admin.delete(f"audit/{entry['id']}/", status=405)

    def test_no_secret_is_in_the_audit(self, admin: Caller) -> None:
        fields = {"username": "u", "password": "never-to-be-read"}
        admin.post("credentials/", {"name": "secret keeper", "kind": "password", "fields": fields})
        admin.post("users/", {"username": "emil", "password": "never-to-be-read-2"})
        assert "never-to-be-read" not in str(admin.rows("audit/?limit=1000"))
