"""Groups as a tree with one root; the tree is read in one query."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from apps.core.scope_sql import within
from apps.core.scoping import Everything, Scoped, scope_of

ROOT_NAME = gettext_noop("All components")


def shown(name: str, parent: int | None) -> str:
    """Give a group's name for readers: the root has one in their language until somebody renames it."""
    return gettext(name) if parent is None and name == ROOT_NAME else name


@dataclass(frozen=True)
class Tree:
    """The group tree in memory, or the part of it that somebody may see: ids, names and parents, nothing else.

    A group whose parent is not part of it stands at the top.
    """

    parents: dict[int, int | None]
    names: dict[int, str]
    whole: bool = True  # its top is the root of all groups

    @cached_property
    def children(self) -> dict[int | None, list[int]]:
        """Give the children of each group by name."""
        found: dict[int | None, list[int]] = defaultdict(list)
        for pk in sorted(self.parents, key=lambda pk: self.names[pk].casefold()):
            found[self.parents[pk]].append(pk)
        return found

    @property
    def root(self) -> int:
        """Give the id of the one root."""
        return self.children[None][0]

    def subtree(self, *roots: int) -> set[int]:
        """Give these groups and everything below them."""
        found: set[int] = set()
        waiting = [pk for pk in roots if pk in self.parents]
        while waiting:
            pk = waiting.pop()
            if pk not in found:
                found.add(pk)
                waiting.extend(self.children[pk])
        return found

    def path(self, pk: int) -> list[int]:
        """Give the way down to a group, itself last: from the root, or from the topmost group that is in this tree."""
        way: list[int] = []
        at: int | None = pk
        while at is not None and at in self.parents and at not in way:
            way.append(at)
            at = self.parents.get(at)
        return way[::-1]

    def path_name(self, pk: int) -> str:
        """Give a group's name with those above it, the root left out unless it is the group itself."""
        way = self.path(pk)
        return " · ".join(self.names[at] for at in ((way[1:] or way) if self.whole else way))

    def enclosing(self, groups: frozenset[int]) -> int | None:
        """Give the lowest group that holds all of these; None when one of them is not there."""
        if not groups <= self.parents.keys():
            return None
        common: int | None = None
        for level in zip(*(self.path(pk) for pk in groups), strict=False):
            if len(set(level)) > 1:
                break
            common = level[0]
        return common

    def ordered(self) -> list[int]:
        """Give all groups as a printed tree has them: by name, each before those below it."""
        return sorted(self.parents, key=lambda pk: [self.names[at].casefold() for at in self.path(pk)])


class GroupQuerySet(Scoped):
    """Words for asking after groups."""

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep the groups in which the user holds the permission."""
        scope = scope_of(user, permission)
        return self if isinstance(scope, Everything) else self.filter(pk__in=within(scope))

    def tree(self) -> Tree:
        """Read the tree of these groups in one query."""
        rows = list(self.order_by().values_list("pk", "parent_id", "name"))
        names = {pk: shown(name, parent) for pk, parent, name in rows}
        parents = {pk: parent if parent in names else None for pk, parent, _name in rows}
        return Tree(parents, names, whole=any(parent is None for _pk, parent, _name in rows))


class Group(models.Model):
    """One group; a component is in exactly one, and a grant reaches everything below its group."""

    name = models.CharField(_("name"), max_length=100)
    parent = models.ForeignKey(
        "self", verbose_name=_("parent"), null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    description = models.CharField(_("description"), max_length=300, blank=True)

    objects = GroupQuerySet.as_manager()
    scope_path = "pk"

    class Meta:
        ordering = ["name"]
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "name"],
                name="%(app_label)s_%(class)s_name_in_parent",
                violation_error_message=_("A group of this name stands there already."),
            ),
            models.UniqueConstraint(models.Value(1), condition=Q(parent=None), name="%(app_label)s_%(class)s_one_root"),
            models.CheckConstraint(condition=~Q(parent=models.F("pk")), name="%(app_label)s_%(class)s_not_its_own"),
        ]

    def __str__(self) -> str:
        return shown(self.name, self.parent_id)

    def get_absolute_url(self) -> str:
        """Give the group's page."""
        return reverse("groups:group", args=[self.pk])
