"""The verbs of groups: create, rename, move, remove. The tree keeps one root and no loops."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import audit, events, holdings, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.registries import Registry
from apps.core.writes import turn
from apps.groups.models import Group

Occupants = Callable[[int], Mapping[str, list[str]]]
"""Gives what stands in a group (by id), by a plural word for the kind: the names, or nothing."""

occupants: Registry[Occupants] = Registry("occupants of a group")

MoveHook = Callable[[Group, Actor], None]
move_hooks: Registry[MoveHook] = Registry("one who follows a group that moved")
"""Told of a group that stands below another one now; runs in its transaction."""

SHOWN = 5


def one_at_a_time() -> None:
    """Let those queue up who count and compare what stands in the tree, under this lock (on SQLite the turn is one)."""
    Group.objects.select_for_update().get(parent=None)


def topmost_group(user: Any, permission: str) -> Group | None:
    """Give the highest group in which a user holds the permission; None when there is none."""
    tree = Group.objects.all().tree()
    scope = scoping.EVERYTHING if user is None else scoping.scope_of(user, permission)
    if isinstance(scope, scoping.Everything):
        return Group.objects.get(pk=tree.root)
    ranked = sorted(scope & tree.parents.keys(), key=lambda pk: (len(tree.path(pk)), tree.path_name(pk).casefold()))
    return Group.objects.get(pk=ranked[0]) if ranked else None


def create(name: str, parent: Group, actor: Actor, description: str = "") -> Group:
    """Make a group below another one; raises ValidationError."""
    group = Group(name=name.strip(), parent=parent, description=description.strip())
    with turn():
        group.full_clean()
        group.save()
        audit.record(actor, "group.create", group, after=_facts(group))
        events.publish("component")
    return group


def change(
    group: Group,
    actor: Actor,
    *,
    name: str | None = None,
    description: str | None = None,
    parent: Group | None = None,
) -> Group:
    """Rename, describe or move a group; what is None stays. Raises ValidationError."""
    with turn():
        one_at_a_time()  # two moves at once cannot close a loop between them
        group = Group.objects.select_for_update().get(pk=group.pk)
        before, moved_from = _facts(group), group.parent_id
        if name is not None:
            group.name = name.strip()
        if description is not None:
            group.description = description.strip()
        if parent is not None and parent.pk != group.parent_id:
            _check_move(group, parent)
            group.parent = parent
        group.full_clean()
        group.save()
        if _facts(group) != before:
            audit.record(actor, "group.change", group, before=before, after=_facts(group))
            events.publish("component")
        if group.parent_id != moved_from:
            for hook in move_hooks:
                hook(group, actor)
    return group


def _check_move(group: Group, parent: Group) -> None:
    if group.parent_id is None:
        raise ValidationError({"parent": [_("The topmost group cannot be moved.")]})
    if parent.pk in Group.objects.all().tree().subtree(group.pk):
        raise ValidationError({"parent": [_("A group cannot stand in itself or in a group below it.")]})


def remove(group: Group, actor: Actor) -> None:
    """Remove an empty group; raises Conflict naming what stands in it."""
    with turn():
        group = Group.objects.select_for_update().get(pk=group.pk)
        if group.parent_id is None:
            raise Conflict(_("The topmost group cannot be removed."))
        inside = list(group.children.order_by("name").values_list("name", flat=True))
        names = inside + [name for ask in occupants for found in ask(group.pk).values() for name in found]
        if names:
            raise Conflict(_sentence(group, names))
        audit.record(actor, "group.remove", group, before=_facts(group) | holdings.of(group))
        group.delete()
        events.publish("component")


def _sentence(group: Group, names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    more = len(names) - SHOWN
    if more <= 0:
        return _("In the group %(group)s there still are: %(names)s.") % {"group": group.name, "names": shown}
    return ngettext(
        "In the group %(group)s there still are: %(names)s and %(count)s more.",
        "In the group %(group)s there still are: %(names)s and %(count)s more.",
        more,
    ) % {"group": group.name, "names": shown, "count": more}


def _facts(group: Group) -> dict[str, Any]:
    return {"name": group.name, "parent": group.parent_id, "description": group.description}
