"""Decides in which groups a user holds a permission: the union of the subtrees of his grants."""

from typing import Any

from apps.access.models import Grant
from apps.core.scoping import EVERYTHING, Scope
from apps.groups.models import Group, Tree


def scope_of(user: Any, permission: str) -> Scope:
    """Give the groups; what was read is kept on the user object, which lives as long as one request."""
    cached: dict[str, Scope] = user.__dict__.setdefault("_scopes", {})
    if permission not in cached:
        cached[permission] = _resolve(user, permission)
    return cached[permission]


def _resolve(user: Any, permission: str) -> Scope:
    if "_granted" not in user.__dict__:
        rows = Grant.objects.filter(user=user.pk).select_related("role").order_by()
        user._granted = [(row.group_id, frozenset(row.role.permissions)) for row in rows]
    roots = [group for group, permissions in user._granted if permission in permissions]
    if not roots:
        return frozenset()
    tree: Tree = user.__dict__.setdefault("_tree", None) or Group.objects.all().tree()
    user._tree = tree
    if tree.root in roots:
        return EVERYTHING
    return frozenset(tree.subtree(*roots))
