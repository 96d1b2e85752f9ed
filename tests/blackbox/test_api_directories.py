"""Directories of a whole portal, from outside: the first one dead, people of the second come, act and are let go."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.blackbox.client import Caller
from tests.directory_peers import PEOPLE, Slapd, dn, free_tcp_port
from tests.directory_peers import slapd as slapd
from tests.e2e.portal import PASSWORD, Portal
from tests.system.waiting import until

CAROL = {"username": "carol", "password": PEOPLE["carol"][3]}


@pytest.fixture(scope="module")
def office(admin: Caller, slapd: Slapd, north: int) -> Iterator[dict[str, Any]]:
    """A dead directory, and a good one whose staff may look at one group."""
    dead = admin.post("directories/", slapd.fields(name="Dead", servers=[f"127.0.0.1:{free_tcp_port()}"]))
    made = admin.post("directories/", slapd.by_starttls(name="Office"))
    group = admin.post("directory-groups/", {"directory": made["id"], "name": "staff"})
    (viewer,) = admin.rows("roles/?name=viewer")
    admin.post("grants/", {"directory_group": group["id"], "role": viewer["id"], "group": north})
    yield made
    for one in (dead, made):
        admin.delete(f"directories/{one['id']}/")


class TestDirectories:
    """Signing in and being signed out."""

    def test_no_secret_comes_back(self, admin: Caller, office: dict[str, Any]) -> None:
        assert "bind_password" not in office
        assert "bind_password" not in str(admin.rows("directories/"))
        assert "search-Passw0rd" not in str(admin.rows("audit/?object_type=accounts.directory"))

    def test_the_second_directory_answers_where_the_first_is_dead(
        self, admin: Caller, nobody: Caller, office: dict[str, Any], north: int
    ) -> None:
        carol = nobody.sign_in(**CAROL)
        assert [group["id"] for group in carol.rows("groups/")][:1] == [north]
        carol.get("directories/", status=403)
        (user,) = admin.rows("users/?username=carol")
        assert (user["directory"], user["barred"], user["is_active"]) == (office["id"], "", True)
        for wrong in ({"password": "wrong"}, {"password": ""}, {"username": "*"}, {"username": "c*"}):
            answer = nobody.send("POST", "tokens/", {**CAROL, **wrong, "name": "x"})
            assert answer.status in {400, 401}

    def test_it_is_tested_as_a_sign_in_would_use_it(self, admin: Caller, office: dict[str, Any]) -> None:
        report = admin.post(f"directories/{office['id']}/test/", CAROL, status=200)
        assert report["lets_in"]
        assert {step["state"] for step in report["steps"]} == {"done"}
        assert admin.errors("POST", f"directories/{office['id']}/test/", {"username": 1}) == {"username"}

    def test_the_administrator_signs_in_although_a_directory_is_dead(self, portal: Portal, nobody: Caller) -> None:
        assert nobody.sign_in("admin", PASSWORD).get("users/?limit=1")["count"] >= 1

    @pytest.mark.slow
    def test_who_leaves_his_groups_there_is_signed_out_here_by_the_clock(
        self, admin: Caller, nobody: Caller, office: dict[str, Any], slapd: Slapd
    ) -> None:
        admin.patch("options/directory_refresh/", {"value": 1})
        carol = nobody.sign_in(**CAROL)
        slapd.set(dn("staff"), member=[dn("operators"), dn("admins")])
        try:
            until(lambda: carol.send("GET", "groups/").status == 401, "the token is worth nothing", 180)
        finally:
            slapd.set(dn("staff"), member=[dn("operators"), dn("admins"), dn("carol")])
        (user,) = admin.rows("users/?username=carol")
        assert (user["is_active"], user["barred"]) == (False, "unmapped")
