"""One running portal with one real device behind it, seen from outside by everybody who may ask it something."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import migrated
from tests.blackbox.client import Caller
from tests.e2e.portal import ADMIN, PASSWORD, QUICK, Portal
from tests.peers import V3_LOGIN, Snmpd, snmpd

__all__ = ["snmpd"]

NEEDS_A_PORTAL = ("test_api_", "test_kills")


@pytest.hookimpl(tryfirst=True)  # before the groups are read, also where this folder alone is run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep those that share the portal on one worker."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.name.startswith(NEEDS_A_PORTAL):
            item.add_marker(pytest.mark.xdist_group("blackbox"))


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal on the embedded default, with an administrator."""
    portal = Portal(tmp_path_factory.mktemp("blackbox"), QUICK)
    migrated.put(portal.folder)
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(scope="session")
def admin(portal: Portal) -> Caller:
    """The administrator of everything."""
    return Caller(portal.url).sign_in(ADMIN, PASSWORD)


@pytest.fixture(scope="session")
def nobody(portal: Portal) -> Caller:
    """Somebody who has not signed in."""
    return Caller(portal.url)


@pytest.fixture(scope="session")
def root(admin: Caller) -> int:
    """The topmost group."""
    (top,) = [row for row in admin.rows("groups/") if row["parent"] is None]
    return int(top["id"])


@pytest.fixture(scope="session")
def make_user(admin: Caller, portal: Portal, root: int) -> Callable[..., Caller]:
    """Makes a user with a role on a group and signs him in."""
    roles = {row["name"]: row["id"] for row in admin.rows("roles/")}

    def make(name: str, role: str, group: int | None = None) -> Caller:
        body = {"username": name, "password": PASSWORD, "must_change_password": False}
        user = admin.post("users/", body)
        admin.post("grants/", {"user": user["id"], "role": roles[role], "group": group or root})
        return Caller(portal.url).sign_in(name, PASSWORD)

    return make


@pytest.fixture(scope="session")
def north(admin: Caller, root: int) -> int:
    """A group with one below it."""
    return int(admin.post("groups/", {"name": "North", "parent": root})["id"])


@pytest.fixture(scope="session")
def north_rack(admin: Caller, north: int) -> int:
    """The group below it."""
    return int(admin.post("groups/", {"name": "North rack", "parent": north})["id"])


@pytest.fixture(scope="session")
def login(admin: Caller) -> int:
    """A credential that the real device takes."""
    return int(admin.post("credentials/", {"name": "watcher", "kind": "snmp-v3", "fields": V3_LOGIN})["id"])


@pytest.fixture(scope="session")
def server(admin: Caller, snmpd: Snmpd, login: int) -> dict[str, Any]:
    """A component with a real agent behind it whose values were read."""
    interface = {"driver": "snmp_agent", "address": "127.0.0.1", "port": snmpd.port, "credential": login}
    made = admin.post("components/", {"name": "real-server", "interfaces": [interface]})
    job = admin.finish(admin.post(f"components/{made['id']}/refresh/", status=202))
    assert job["state"] == "done", admin.steps(job)
    return dict(admin.wait(f"components/{made['id']}/", lambda one: one["status"] == "normal", "it is normal"))
