"""Says who may do what where, and why: by which role, held by whom, granted on which group.

It reads what the resolver decides by, and says the same: a test compares both over every group and permission.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from apps.access.models import HOLDERS, ApiToken, Grant
from apps.accounts.models import User
from apps.core.scoping import PERMISSIONS, WHOLE
from apps.groups.models import Group, Tree

Reasons = Mapping[str, Sequence[Grant]]
"""The grants by which each permission is held, by its word; what is held by none is not in it."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is held in one group, or by one user, as a page and the API show it."""

    subject: Any  # the id of a group, or a user
    reasons: Reasons


class Rights:
    """What one user may do in every group, and why; by a token, within its limits."""

    def __init__(self, user: User, token: ApiToken | None = None) -> None:
        self.user = user
        self.token = token

    @cached_property
    def tree(self) -> Tree:
        """Give the tree of all groups."""
        return Group.objects.all().tree()

    @cached_property
    def _granted(self) -> Mapping[int, list[Grant]]:
        found: dict[int, list[Grant]] = defaultdict(list)
        if self.user.is_active:
            for grant in Grant.objects.of(self.user.pk).complete():
                if self.token is None or self.token.leaves_role(grant.role_id):
                    found[grant.group_id].append(grant)
        return found

    @cached_property
    def _left(self) -> frozenset[int] | None:
        """Give the groups that a token leaves; None for all."""
        if self.token is None or self.token.groups is None or self.tree.root in self.token.groups:
            return None
        return frozenset(self.tree.subtree(*self.token.groups))

    def reasons(self, group: int) -> Reasons:
        """Give what the user holds in a group, and by which grants, from the topmost down."""
        if self._left is not None and group not in self._left:
            return {}
        return _by_word(self._granted, self.tree, group, self._leaves)

    def _leaves(self, word: str) -> bool:
        if self.token is None:
            return True
        if word in WHOLE and self._left is not None:
            return False
        return self.token.permissions is None or word in self.token.permissions

    def rows(self) -> Iterator[Row]:
        """Give every group in which anything is held, as a printed tree has them."""
        for pk in self.tree.ordered():
            if reasons := self.reasons(pk):
                yield Row(pk, reasons)


def _by_word(granted: Mapping[int, Sequence[Grant]], tree: Tree, group: int, leaves: Any) -> Reasons:
    found: dict[str, list[Grant]] = defaultdict(list)
    for at in tree.path(group):
        for grant in granted.get(at, ()):
            for word in grant.role.permissions:
                if word in PERMISSIONS and leaves(word) and (word not in WHOLE or at == tree.root):
                    found[word].append(grant)
    return {word: found[word] for word in PERMISSIONS if word in found}


def holders_in(group: int) -> list[Row]:
    """Give the active users who may do anything in a group, with what and why, by name."""
    tree = Group.objects.all().tree()
    grants = list(Grant.objects.filter(group__in=tree.path(group)).complete())
    by_user: dict[int, dict[int, list[Grant]]] = defaultdict(lambda: defaultdict(list))
    for user, grant in _held(grants):
        by_user[user][grant.group_id].append(grant)
    users = User.objects.filter(pk__in=by_user, is_active=True).order_by("username")
    rows = [Row(user, _by_word(by_user[user.pk], tree, group, lambda _word: True)) for user in users]
    return [row for row in rows if row.reasons]


def _held(grants: Sequence[Grant]) -> Iterator[tuple[int, Grant]]:
    """Give each of these grants with the users who hold it by whatever way."""
    for holder in HOLDERS:
        by_holder: dict[int, list[Grant]] = defaultdict(list)
        for grant in grants:
            if (pk := getattr(grant, f"{holder.field}_id")) is not None:
                by_holder[pk].append(grant)
        model: Any = Grant._meta.get_field(holder.field).related_model
        members = model._default_manager.filter(pk__in=by_holder).exclude(**{holder.members: None})
        for pk, user in members.order_by().values_list("pk", holder.members).distinct():
            for grant in by_holder[pk]:
                yield user, grant


def words_of(rows: Iterable[Row]) -> list[str]:
    """Give the permissions that appear in any of some rows, in their order."""
    held = {word for row in rows for word in row.reasons}
    return [word for word in PERMISSIONS if word in held]
