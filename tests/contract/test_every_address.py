"""Every address of the portal, asked by everybody: what he gets, that refusals change nothing, and that nothing leaks.

A new address fails here until it has a line in ``expectations.py``; see docs/develop/who-may-do-what.md.
"""

import re

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from apps.alerts.services import catalogue
from apps.core.actors import SYSTEM
from tests.contract import world as worlds
from tests.contract.addresses import Address, every_address
from tests.contract.asking import REFUSALS, Answer, ask, digest, forget
from tests.contract.expectations import ASKERS, EVERYBODY, table
from tests.contract.world import AMBER, VIOLET, World

SURFACES = ("page", "api", "classic")
METHODS = {"page": ("GET", "POST"), "api": ("GET", "POST", "PATCH", "DELETE"), "classic": ("GET", "POST")}
HIDDEN = {"viewer": VIOLET, "operator": VIOLET, "stranger": AMBER}
# What everybody may change of his own: that he left, and how he looked at a page the last time.
ONES_OWN = {"accounts:logout", "admin:logout"}
REMEMBERED = 'UPDATE "accounts_user" SET "remembered"'


@pytest.fixture
def world():
    worlds.forget_the_past()
    yield worlds.build()
    catalogue.forget()


def of(surface: str) -> list[Address]:
    return [address for address in every_address() if address.surface == surface]


@pytest.mark.parametrize("surface", SURFACES)
def test_every_address_has_an_expectation_and_every_expectation_an_address(surface: str) -> None:
    names = {address.name for address in of(surface)}
    lines = set(table(surface))
    assert names - lines == set(), "say who may ask for these, in tests/contract/expectations.py"
    assert lines - names == set(), "these are gone; take them out of tests/contract/expectations.py"


@pytest.mark.django_db
@pytest.mark.parametrize("surface", SURFACES)
def test_everybody_gets_what_the_table_says(world: World, surface: str) -> None:
    """A refusal writes nothing, of which a digest over all tables is taken, too; what is hidden is read nowhere."""
    wrong: list[str] = []
    expected = table(surface)
    before = digest()
    # On another database it is their statements that may differ, not who may ask.
    askers = EVERYBODY if connection.vendor == "sqlite" else ("viewer", "administrator")
    clients = {asker: world.client(asker) for asker in askers}
    asked = [(one, one.path(world), expected[one.name].by_method) for one in of(surface) if one.name in expected]
    for asker, client in clients.items():
        for address, path, by_method in asked:
            # Whether an address takes a method is asked by who may most, and by who is not signed in.
            for method in METHODS[surface] if asker in {"administrator", "nobody"} else by_method:
                answer = ask(client, method, path, address.port)
                wanted = by_method.get(method, {}).get(asker)
                faults = _faults(answer, wanted, asker, address.name)
                wrong += [f"{asker}: {method} {path} ({address.name}) {fault}" for fault in faults]
    assert not wrong, "\n" + "\n".join(wrong)
    assert digest() == before, "a request that was refused changed something"


def _faults(answer: Answer, wanted: int | None, asker: str, name: str) -> list[str]:
    found = []
    if wanted is None:
        if answer.status not in REFUSALS and not answer.is_refusal:
            found.append(f"answered {answer.status}, but takes no such method")
    elif answer.status != wanted:
        found.append(f"answered {answer.status}, not {wanted}")
    written = [one for one in answer.written if not one.startswith(REMEMBERED)]
    if written and (answer.is_refusal or (asker == "viewer" and name not in ONES_OWN)):
        found.append(f"wrote {written[0][:120]}")
    if asker in HIDDEN and HIDDEN[asker].encode() in answer.content:
        found.append(f"tells of {HIDDEN[asker]}")
    found += answer.bare
    return found


# What differs between two looks at a page although nothing did.
PASSING = re.compile(r'(?i)csrf[^>]*?value="[^"]*"|nonce="[^"]*"|"X-CSRFToken": "[^"]*"|Error id <code>\w+')
# They speak of the whole, to the machine itself.
OF_THE_WHOLE = {"system:healthz", "system:metrics", "system:readyz"}


@pytest.mark.one_database
@pytest.mark.django_db
def test_nothing_is_told_of_what_is_hidden(world: World) -> None:
    """To who may do everything in one half: every page and list reads the same after the other half has grown."""
    client = world.client("chief")
    lines = {name: line for surface in SURFACES for name, line in table(surface).items() if name not in OF_THE_WHOLE}
    looked = [one for one in every_address() if one.name in lines and "GET" in lines[one.name].by_method]
    with time_machine.travel(timezone.now(), tick=False):
        before = {one.name: _read(client, one, world) for one in looked}
        worlds.half(f"{VIOLET}-2", SYSTEM, parent=world.violet.group)
        forget()
        after = {one.name: _read(client, one, world) for one in looked}
    told = [f"{name}: {_difference(before[name], after[name])}" for name in before if before[name] != after[name]]
    told += [f"{name}: names what is hidden" for name, text in after.items() if VIOLET in text]
    assert not told, "\n" + "\n".join(told)


@pytest.mark.one_database
@pytest.mark.django_db
@pytest.mark.parametrize(("asker", "found"), [("viewer", 0), ("chief", 0), ("administrator", 1)])
def test_searches_find_nothing_that_is_hidden(world: World, asker: str, found: int) -> None:
    client = world.client(asker)
    for resource in ("components", "groups", "credentials", "suspend-periods", "neighbours", "alerts", "incidents"):
        answer = client.get(f"/api/v1/{resource}/?q={VIOLET}")
        assert answer.status_code == 200, resource
        assert (resource, answer.json()["count"] > 0) == (resource, bool(found))
    for page in ("/components/", "/alerts/", "/incidents/", "/schedules/suspend-periods/"):
        text = client.get(f"{page}?q={VIOLET}").content.decode()
        assert (page, f"{VIOLET} " in text) == (page, bool(found))


def _difference(before: str, after: str) -> str:
    """Give the first line that changed."""
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((f"{old.strip()[:150]} → {new.strip()[:150]}" for old, new in lines if old != new), "longer")


def _read(client, address: Address, world: World) -> str:
    answer = ask(client, "GET", address.path(world), address.port)
    return f"{answer.status} {PASSING.sub('', answer.content.decode(errors='replace'))}"


def test_the_askers_are_those_of_the_table() -> None:
    assert set(HIDDEN) == set(ASKERS) - {"administrator"}
