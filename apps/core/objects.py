"""Finds the object that a row names by its kind and id, where somebody may see it: its present name and its page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from apps.core.forms import row_id
from apps.core.registries import Registry


@dataclass(frozen=True, slots=True)
class Link:
    """What an object is called now, and where it is shown."""

    name: str
    url: str


# What upper apps know of kinds that have no page of their own: called with the id and the user who asks.
links: Registry[Callable[[int, Any], Link | None]] = Registry("link to an object")


def link_to(label: str, pk: object, user: Any) -> Link | None:
    """Give the object of a kind (``components.component``); None when it is gone, not visible, or has no page."""
    number = row_id(str(pk))
    if number is None:
        return None
    if label in links:
        return links.get(label)(number, user)
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return None
    visible = getattr(model._default_manager.all(), "visible_to", None)
    if visible is None or not hasattr(model, "get_absolute_url"):
        return None
    found = visible(user).filter(pk=number).first()
    return Link(str(found), found.get_absolute_url()) if found is not None else None
