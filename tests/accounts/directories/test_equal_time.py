"""Whoever is refused was asked for everywhere, and one password was tried: how long it takes tells of no name."""

import pytest

from apps.accounts.models import Directory, User
from apps.accounts.services.directories import asking, signing_in
from apps.accounts.services.directories.asking import Answer
from apps.accounts.services.directories.faults import Refusal
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(db) -> list[Directory]:
    return [Directory.objects.create(name=name, position=place) for place, name in enumerate("ABC")]


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, bool]]:
    """What was asked of whom: the directory, and whether a password was tried there or feigned. B alone knows hana."""
    seen: list[tuple[str, bool]] = []

    def ask(directory: Directory, name: str, password: str | None, *, feign: bool = False, **how: object) -> Answer:
        knows = name == "hana" and directory.name == "B"
        seen.append((directory.name, feign or (knows and password is not None)))
        return Answer(refusal=Refusal.WRONG_PASSWORD if knows and password else Refusal.UNKNOWN)

    monkeypatch.setattr(asking, "ask", ask)
    return seen


def refused(name: str, asked: list[tuple[str, bool]]) -> tuple[list[str], int]:
    assert signing_in.sign_in(name, "a wrong one", "192.0.2.1") is None
    return sorted(directory for directory, _tried in asked), sum(tried for _directory, tried in asked)


def test_an_unknown_name(three, asked):
    assert refused("nobody", asked) == (["A", "B", "C"], 1)


def test_a_name_that_signs_in_for_the_first_time(three, asked):
    assert refused("hana", asked) == (["A", "B", "C"], 1)


@pytest.mark.parametrize("home", [0, 1, 2])
def test_an_account_of_a_directory_whose_password_goes_to_no_other(three, asked, home):
    make_user("viewer", username="hana", directory=three[home], entry_id="1")
    assert refused("hana", asked) == (["A", "B", "C"], 1)
    assert asked[0][0] == "ABC"[home]


def test_an_account_whose_directory_is_switched_off(three, asked):
    make_user("viewer", username="hana", directory=three[1], entry_id="1")
    Directory.objects.filter(name="B").update(enabled=False)
    assert refused("hana", asked) == (["A", "C"], 1)
    asked.clear()
    assert refused("nobody", asked) == (["A", "C"], 1)


def test_a_local_account(three, asked):
    User.objects.create_user("taro", password="a right password")
    assert refused("taro", asked) == (["A", "B", "C"], 1)
