"""What goes with a row that is removed and would leave no trace of its own: the audit keeps it with the removal."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Model

from apps.core.registries import Registry

# What upper apps keep of a user, a team, a group: called with the row, gives lists of words by what they are.
registry: Registry[Callable[[Model], Mapping[str, list[str]]]] = Registry("holdings")


def of(row: Model) -> dict[str, Any]:
    """Give what goes with a row; what is empty is left out."""
    told: dict[str, Any] = {}
    for ask in registry:
        told |= {name: words for name, words in ask(row).items() if words}
    return told
