"""Getting in from outside: failures that count, locks that show and are released, and whatever else is sent there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.blackbox.client import Answer, Caller
from tests.e2e.portal import PASSWORD


def ask(somebody: Caller, name: str, password: str = "wrong", **more: str) -> Answer:
    """Ask for a token."""
    return somebody.send("POST", "tokens/", {"username": name, "password": password, "name": "n", **more})


def locks(admin: Caller, name: str) -> list[dict[str, Any]]:
    """Give what is counted for a name."""
    return admin.rows(f"lock-outs/?kind=account&name={name}")


class TestLockOut:
    """By account: the machine itself, from which these tests ask, is never locked as an address."""

    def test_five_failures_lock_and_the_answer_is_always_the_same(
        self, admin: Caller, nobody: Caller, make_user: Callable[..., Caller]
    ) -> None:
        make_user("often-wrong", "viewer")
        answers = [ask(nobody, "often-wrong") for _ in range(5)]
        answers += [ask(nobody, "often-wrong", PASSWORD), ask(nobody, "is-nobody", PASSWORD)]
        assert {answer.status for answer in answers} == {401}
        assert len({str(answer.body) for answer in answers}) == 1
        [row] = locks(admin, "often-wrong")
        assert (row["failures"], row["is_locked"], row["known_browser"]) == (5, True, False)
        assert row["locked_until"] > row["last_failed_at"]
        admin.delete(f"lock-outs/{row['id']}/")
        assert ask(nobody, "often-wrong", PASSWORD).status == 201
        assert locks(admin, "often-wrong") == []

    def test_many_at_once_get_no_further_than_one_after_another(self, admin: Caller, nobody: Caller) -> None:
        with ThreadPoolExecutor(12) as pool:
            statuses = [answer.status for answer in pool.map(lambda _: ask(nobody, "at-once"), range(24))]
        assert statuses == [401] * 24
        [row] = locks(admin, "at-once")
        assert (row["failures"], row["is_locked"]) == (5, True)
        refused = admin.rows("audit/?action=token.create&object_name=at-once&outcome=refused&limit=100")
        assert len(refused) == 6  # each of the five, and once that it is locked

    def test_only_who_manages_access_sees_and_releases(
        self, admin: Caller, nobody: Caller, make_user: Callable[..., Caller]
    ) -> None:
        operator = make_user("lock-looker", "operator")
        ask(nobody, "looked-at")
        [row] = locks(admin, "looked-at")
        for somebody, status in ((operator, 403), (nobody, 401)):
            somebody.get("lock-outs/", status=status)
            somebody.delete(f"lock-outs/{row['id']}/", status=status)
        assert locks(admin, "looked-at") == [row]


class TestRolesThatNeedASecondFactor:
    """Whoever holds one gets no further by token until he has set it up on the page."""

    def test_tokens_wait(self, admin: Caller, nobody: Caller, root: int, make_user: Callable[..., Caller]) -> None:
        guard = make_user("guarded", "viewer")
        role = admin.post("roles/", {"name": "Second factor", "permissions": ["view"], "needs_second_factor": True})
        [user] = admin.rows("users/?username=guarded")
        assert user["second_factor"] is False
        guard.get("jobs/")
        grant = admin.post("grants/", {"user": user["id"], "role": role["id"], "group": root})
        assert "/second-factor/" in guard.get("jobs/", status=403)["detail"]
        assert ask(nobody, "guarded", PASSWORD).status == 403
        admin.delete(f"grants/{grant['id']}/")
        guard.get("jobs/")
        admin.delete(f"users/{user['id']}/second-factor/")  # there is none: nothing to do


@pytest.mark.parametrize("name", ["a\x00b", "a\u202eb", "a\u200bb", "\ufeff\u200e", "x" * 151, "", " "])
def test_what_is_no_name_is_named(nobody: Caller, name: str) -> None:
    assert nobody.errors("POST", "tokens/", {"username": name, "password": PASSWORD, "name": "n"}) == {"username"}


def test_a_megabyte_is_refused_by_name_and_more_by_size(nobody: Caller) -> None:
    sent = {"username": "admin", "password": "x" * 2**20, "name": "n"}
    assert nobody.errors("POST", "tokens/", sent) == {"password"}
    assert ask(nobody, "admin", "x" * 2**22).status == 413
    assert nobody.errors("POST", "tokens/", {**sent, "password": PASSWORD, "otp": "1" * 41}) == {"otp"}
