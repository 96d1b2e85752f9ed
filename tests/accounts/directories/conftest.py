"""Directories with real servers behind them; all their tests run on one worker, which starts the servers once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.access.models import Grant, Role
from apps.accounts.models import Directory
from apps.accounts.services.directories import configuring, mapping, memory
from apps.core.actors import COMMAND
from apps.groups.models import Group
from tests.directory_peers import AD_BASE, Samba, Slapd, dn, samba, slapd
from tests.factories import make_group, root_group

__all__ = ["samba", "slapd"]


@pytest.hookimpl(tryfirst=True)  # before the groups are read, also where this folder alone is run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep those that need a server on one worker."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and {"slapd", "samba"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("directories"))


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    """Let no test know which servers were silent in another one."""
    memory.forget()
    yield
    memory.forget()


def grant(directory: Directory, group_dn: str, role: str, group: Group | None = None) -> Grant:
    """Make a group of a directory known and grant it a role."""
    row = directory.groups.filter(dn=group_dn).first() or mapping.add(directory, group_dn, COMMAND)
    return Grant.objects.create(directory_group=row, role=Role.objects.get(name=role), group=group or root_group())


def make_directory(fields: dict[str, Any]) -> Directory:
    """Keep a directory as an administrator does."""
    return configuring.create(fields, COMMAND)


@pytest.fixture
def tokyo(db: None) -> Group:
    """A group below the root."""
    return make_group("Tokyo")


@pytest.fixture
def openldap(slapd: Slapd, tokyo: Group) -> Directory:
    """The OpenLDAP server as a directory: staff may look everywhere, operators act in Tokyo, admins administer."""
    directory = make_directory(slapd.fields())
    grant(directory, dn("staff"), "viewer")
    grant(directory, dn("operators"), "operator", tokyo)
    grant(directory, dn("admins"), "administrator")
    return directory


@pytest.fixture
def active_directory(samba: Samba, tokyo: Group) -> Directory:
    """The domain controller as a directory, mapped in the same way."""
    directory = make_directory(samba.fields())
    grant(directory, f"CN=PortalUsers,CN=Users,{AD_BASE}", "viewer")
    grant(directory, f"CN=Tokyo-Ops,CN=Users,{AD_BASE}", "operator", tokyo)
    grant(directory, f"CN=PortalAdmins,CN=Users,{AD_BASE}", "administrator")
    return directory
