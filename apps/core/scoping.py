"""The one gate of visibility: what a user may see or do, decided by a resolver that the access app registers.

A permission is a word of ``PERMISSIONS``. No resolver, or nobody signed in, means nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.scope_sql import within


class Everything:
    """Stands for all groups there are and will be."""

    def __contains__(self, group: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True


EVERYTHING: Final = Everything()
Scope = Everything | frozenset[int]


@dataclass(frozen=True)
class Section:
    """Permissions that belong together on a page."""

    label: Promise | str
    permissions: dict[str, Promise | str]


SECTIONS = (
    Section(
        _("Watching"),
        {
            "view": _("See components, alerts and jobs"),
            "alerts": _("Acknowledge and close alerts"),
            "check": _("Check connections and collect now"),
            "suspend": _("Suspend components and plan suspend periods"),
        },
    ),
    Section(
        _("Acting on devices"),
        {
            "power": _("Switch on and shut down, light the locator lamp"),
            "force": _("Force off, reset, and choose the boot device"),
            "console": _("Open and hold consoles"),
            "device_settings": _("Change settings of devices, one or many at once"),
            "firmware": _("Update firmware and software"),
            "schedules": _("Plan operations for later (remote batch)"),
        },
    ),
    Section(
        _("Looking after the fleet"),
        {
            "components": _("Register, change and remove components"),
            "credentials": _("Set credentials"),
            "groups": _("Change the group tree"),
            "reports": _("Make reports and have them sent"),
            "audit": _("Read the audit log"),
        },
    ),
    Section(
        _("The whole portal"),
        {
            "definitions": _("Change alert definitions"),
            "triggers": _("Set who is told of alerts"),
            "licenses": _("Manage licences"),
            "settings": _("Change environment settings"),
            "access": _("Manage users, roles and addresses"),
        },
    ),
)
PERMISSIONS = {word: label for section in SECTIONS for word, label in section.permissions.items()}
WHOLE = frozenset(SECTIONS[-1].permissions)
"""Permissions over things that belong to no group: held over a part of the fleet, they open nothing."""

_resolver: Callable[[Any, str], Scope] | None = None
_enclosing: Callable[[frozenset[int]], int | None] | None = None


def register_resolver(resolver: Callable[[Any, str], Scope]) -> None:
    """Say who decides in which groups a user holds a permission."""
    global _resolver
    _resolver = resolver


def register_enclosing(enclosing: Callable[[frozenset[int]], int | None]) -> None:
    """Say who knows the lowest group that holds several others."""
    global _enclosing
    _enclosing = enclosing


def enclosing(groups: frozenset[int]) -> int | None:
    """Give the lowest group that holds all of some groups; None where nobody knows, and of none."""
    if len(groups) == 1:
        return next(iter(groups))
    return _enclosing(groups) if groups and _enclosing is not None else None


def scope_of(user: Any, permission: str = "view") -> Scope:
    """Give the ids of the groups in which a user holds a permission, or EVERYTHING."""
    if permission not in PERMISSIONS:
        raise ValueError(f"there is no permission {permission!r}")
    if _resolver is None or user is None or not user.is_authenticated or not user.is_active:
        return frozenset()
    scope = _resolver(user, permission)
    return frozenset() if permission in WHOLE and not isinstance(scope, Everything) else scope


def may(user: Any, permission: str, group_id: int | None = None) -> bool:
    """Say whether a user holds a permission in a group, or, without one, over the whole fleet."""
    scope = scope_of(user, permission)
    if group_id is None:
        return scope is EVERYTHING
    return group_id in scope


def owners(user: Any) -> tuple[int, ...]:
    """Give whose own rows (jobs, tokens) a user sees whatever group they are in: his; nobody's by a limited token."""
    if user is None or not user.is_authenticated or getattr(user, "is_limited", False):
        return ()
    return (user.pk,)


def may_somewhere(user: Any, permission: str) -> bool:
    """Say whether a user holds a permission in any group at all."""
    return bool(scope_of(user, permission))


class Scoped(models.QuerySet):  # type: ignore[type-arg]
    """A queryset whose rows belong to groups; the model names the way there in ``scope_path``."""

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep the rows in whose group the user holds the permission; rows without a group need the whole fleet."""
        scope = scope_of(user, permission)
        if isinstance(scope, Everything):
            return self
        path: str = getattr(self.model, "scope_path", "group")
        return self.filter(**{f"{path}__in": within(scope)})


class ScopedModel(models.Model):
    """A model that only ever is read through ``visible_to`` by pages and the API."""

    scope_path: ClassVar[str] = "group"
    objects = Scoped.as_manager()

    class Meta:
        abstract = True
