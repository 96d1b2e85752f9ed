"""Decides in which groups a user holds a permission: the union of the subtrees of his grants."""

import json
from functools import cache, cached_property
from typing import Any, NamedTuple

from django.db import connection

from apps.access.models import ApiToken, Grant
from apps.core.scoping import EVERYTHING, Scope
from apps.groups.models import Group, Tree


@cache
def _statement() -> str:
    """Write the query of a user's grants, which every request asks: Django writes it longer than a database answers."""
    columns = ("group_id", "role_id", "role__permissions", "role__needs_second_factor")
    sql, _the_user = Grant.objects.of(0).order_by().values_list(*columns).query.sql_with_params()
    return str(sql)


class Held(NamedTuple):
    """One grant: where, by which role, what, and whether the role needs a second factor."""

    group: int
    role: int
    permissions: frozenset[str]
    needs_factor: bool


class Holdings:
    """What one user was granted, read once; it lives on the user object, and that as long as one request.

    Who comes by a token holds what is left of that within the token's limits.
    """

    def __init__(self, user: Any) -> None:
        self._user_id: int = user.pk
        self.token: ApiToken | None = getattr(user, "token", None)
        self._scopes: dict[str, Scope] = {}

    @cached_property
    def _grants(self) -> list[Held]:
        statement = _statement()
        with connection.cursor() as cursor:
            cursor.execute(statement, [self._user_id] * statement.count("%s"))
            rows = cursor.fetchall()
        return [Held(group, role, frozenset(json.loads(words)), bool(factor)) for group, role, words, factor in rows]

    @cached_property
    def needs_second_factor(self) -> bool:
        """Say whether one of the roles needs a second factor."""
        return any(held.needs_factor for held in self._grants)

    @cached_property
    def _tree(self) -> Tree:
        return Group.objects.all().tree()

    def scope(self, permission: str) -> Scope:
        """Give the groups in which the user holds a permission."""
        if permission not in self._scopes:
            self._scopes[permission] = self._limited(permission, self._resolve(permission))
        return self._scopes[permission]

    def _resolve(self, permission: str) -> Scope:
        roots = [held.group for held in self._grants if permission in held.permissions and self._leaves(held.role)]
        if not roots:
            return frozenset()
        if self._tree.root in roots:
            return EVERYTHING
        return frozenset(self._tree.subtree(*roots))

    def _leaves(self, role: int) -> bool:
        return self.token is None or self.token.leaves_role(role)

    def _limited(self, permission: str, scope: Scope) -> Scope:
        token = self.token
        if token is None or not scope:
            return scope
        if token.permissions is not None and permission not in token.permissions:
            return frozenset()
        if token.groups is None or self._tree.root in token.groups:
            return scope
        return frozenset(group for group in self._tree.subtree(*token.groups) if group in scope)


def scope_of(user: Any, permission: str) -> Scope:
    """Give the groups in which a user holds a permission, or EVERYTHING."""
    return _holdings(user).scope(permission)


def needs_second_factor(user: Any) -> bool:
    """Say whether a user holds a role that needs a second factor, by whatever grant; registered with accounts."""
    return _holdings(user).needs_second_factor


def _holdings(user: Any) -> Holdings:
    holdings: Holdings | None = getattr(user, "_holdings", None)  # request.user is a lazy object: no look into __dict__
    if holdings is None or holdings.token is not getattr(user, "token", None):  # asked before the token was known
        holdings = user._holdings = Holdings(user)
    return holdings
