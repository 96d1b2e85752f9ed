"""What stands in the side menu and the top bar: apps register their entries and counts, the page frame shows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import scoping

Section = Literal["", "operate", "manage", "settings"]
SECTIONS: dict[Section, Promise | str] = {
    "": "",
    "operate": _("Operate"),
    "manage": _("Manage"),
    "settings": _("Settings"),
}

Counter = Callable[[Any], Mapping[str, int]]
"""Gives a user's visible numbers by state word, in one query: ``{"critical": 9, "warning": 37}``."""


@dataclass(frozen=True, kw_only=True)
class MenuEntry:
    """One line of the side menu. It shows the sum of the counter that ``count`` names, in red when ``hot``."""

    label: Promise | str
    url_name: str
    icon: str
    section: Section = ""
    order: int = 100
    permission: str | None = None
    count: str | None = None
    hot: bool = False

    def open_to(self, user: Any) -> bool:
        """Say whether a user holds the permission that the page behind the entry needs."""
        return self.permission is None or scoping.may_somewhere(user, self.permission)


_entries: dict[str, MenuEntry] = {}
_counters: dict[str, Counter] = {}


def register(entry: MenuEntry) -> MenuEntry:
    """Put an entry in the menu, from ``AppConfig.ready()``; the later one of the same page wins."""
    _entries[entry.url_name] = entry
    return entry


def register_counter(name: str, counter: Counter) -> None:
    """Say how ``alerts``, ``jobs`` or another name is counted for a user."""
    _counters[name] = counter


def entries_for(user: Any) -> list[MenuEntry]:
    """Give the entries that a user may open, in the order of the menu."""
    order = list(SECTIONS)
    allowed = [entry for entry in _entries.values() if entry.open_to(user)]
    return sorted(allowed, key=lambda entry: (order.index(entry.section), entry.order))


def counts_for(user: Any, name: str) -> Mapping[str, int]:
    """Give a counter's numbers for a user; nothing when no app registered it."""
    counter = _counters.get(name)
    return counter(user) if counter else {}
