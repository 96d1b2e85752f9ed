"""The stretch of time that a page looks at: a range that ends now, or from and to; it stands in the address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.monitoring.time_range import BadRange, time_range

RANGES: dict[str, tuple[Promise | str, timedelta]] = {
    "1h": (_("1 h"), timedelta(hours=1)),
    "6h": (_("6 h"), timedelta(hours=6)),
    "24h": (_("24 h"), timedelta(days=1)),
    "7d": (_("7 d"), timedelta(days=7)),
    "30d": (_("30 d"), timedelta(days=30)),
    "90d": (_("90 d"), timedelta(days=90)),
    "1y": (_("1 y"), timedelta(days=365)),
    "2y": (_("2 y"), timedelta(days=730)),
}
NAMES: dict[str, Promise | str] = {
    "1h": _("Last hour"),
    "6h": _("Last 6 hours"),
    "24h": _("Last 24 hours"),
    "7d": _("Last 7 days"),
    "30d": _("Last 30 days"),
    "90d": _("Last 90 days"),
    "1y": _("Last year"),
    "2y": _("Last two years"),
}
USUAL = "24h"
LOCAL = "%Y-%m-%dT%H:%M"  # as a browser's control for date and time has it


@dataclass(frozen=True)
class Window:
    """From a moment up to another; ``word`` is the range where it ends now, empty where both ends were named."""

    start: datetime
    end: datetime
    word: str = ""

    @property
    def length(self) -> timedelta:
        """Give how long it is."""
        return self.end - self.start

    @property
    def before(self) -> "Window":
        """Give the stretch of the same length that ends where this one begins."""
        return Window(self.start - self.length, self.start)

    @cached_property
    def query(self) -> dict[str, str]:
        """Give what stands for it in an address."""
        if self.word:
            return {"range": self.word}
        return {"from": self.local_start, "to": self.local_end}

    @property
    def local_start(self) -> str:
        """Give the beginning as a control for date and time has it, in the reader's zone."""
        return f"{timezone.localtime(self.start):{LOCAL}}"

    @property
    def local_end(self) -> str:
        """Give the end as a control for date and time has it, in the reader's zone."""
        return f"{timezone.localtime(self.end):{LOCAL}}"


def of(query: Mapping[str, str], usual: str = USUAL, words: Iterable[str] = RANGES) -> Window:
    """Read it from an address; times without a zone are the reader's. Raises BadRange."""
    word = query.get("range", "")
    if (query.get("from") or query.get("to")) and word not in words:
        start, end = time_range(query, timezone.get_current_timezone())
        return Window(start, end)
    return ending_now(word if word in words else usual)


def forgiving(query: Mapping[str, str], usual: str = USUAL) -> tuple[Window, BadRange | None]:
    """Give the usual one, and what is wrong, where the address names none that can be."""
    try:
        return of(query, usual), None
    except BadRange as error:
        return ending_now(usual), error


def ending_now(word: str) -> Window:
    """Give one of the ranges."""
    end = timezone.now()
    return Window(end - RANGES[word][1], end, word)
