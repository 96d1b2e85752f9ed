"""Which components statistics look at: those that somebody may see, all of them or a group with what is below it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from django.db.models import QuerySet

from apps.components.models import Category, Component
from apps.groups.models import Group, Tree
from apps.monitoring.packing import Ids


@dataclass(frozen=True)
class FleetScope:
    """The components with their groups, read in one query."""

    tree: Tree
    group: int | None
    rows: list[tuple[int, int, str]]  # id, group, category, in the order of the ids
    components: "QuerySet[Component]"

    @classmethod
    def of(cls, user: Any, group: int | None) -> Self | None:
        """Read it for a user; None where the group is none that he may see."""
        tree = Group.objects.visible_to(user).tree()
        if group is not None and group not in tree.parents:
            return None
        components = Component.objects.visible_to(user)
        if group is not None:
            components = components.filter(group__in=tree.subtree(group))
        rows = list(components.order_by("pk").values_list("pk", "group_id", "category"))
        return cls(tree, group, rows, components)

    @cached_property
    def ids(self) -> Ids:
        """Give the ids of all of them."""
        return np.array([pk for pk, _group, _category in self.rows], dtype=np.int64)

    @cached_property
    def drawing(self) -> Ids:
        """Give the ids of those whose power is added up: what a UPS passes on, others draw."""
        return np.array([pk for pk, _group, category in self.rows if category != Category.UPS], dtype=np.int64)

    @cached_property
    def groups(self) -> Ids:
        """Give the group of each."""
        return np.array([group for _pk, group, _category in self.rows], dtype=np.int64)
