"""How values read: state words, times, spans and quantities, in the reader's language."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

NBSP = "\N{NO-BREAK SPACE}"
SI = ("", "k", "M", "G", "T", "P", "E")
IEC = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
BINARY_UNITS = frozenset({"B", "B/s"})
KILOWATTS_FROM = 10_000  # W: one device is told in watts, a room in kilowatts
DECIMAL_UNITS = frozenset({"bit/s", "Hz", "packets/s"})


@dataclass(frozen=True, slots=True)
class State:
    """How one state word looks and reads: the code of its colours, its word, an icon where it has no glyph of ours."""

    code: str
    word: Promise | str
    icon: str = ""


STATES: dict[str, State] = {
    "critical": State("c", gettext_lazy("Critical")),
    "warning": State("w", gettext_lazy("Warning")),
    "information": State("i", gettext_lazy("Information")),
    "unknown": State("u", gettext_lazy("Unknown")),
    "suspended": State("s", gettext_lazy("Suspended")),
    "normal": State("n", gettext_lazy("Normal")),
    "waiting": State("q", gettext_lazy("Waiting"), "clock"),
    "running": State("a", gettext_lazy("Running"), "progress"),
    "cancelling": State("x", gettext_lazy("Being cancelled"), "ban"),
    "done": State("n", gettext_lazy("Done")),
    "failed": State("c", gettext_lazy("Failed")),
    "skipped": State("x", gettext_lazy("Skipped"), "ban"),
    "cancelled": State("x", gettext_lazy("Cancelled"), "ban"),
    "open": State("w", pgettext_lazy("incident", "Open")),
    "acknowledged": State("i", gettext_lazy("Acknowledged")),
    "closed": State("n", gettext_lazy("Closed")),
}


def word_of(state: object) -> str:
    """Give the word of a state; one that is not known is shown as it is."""
    known = STATES.get(str(state))
    return str(known.word) if known else str(state)


def ago_patterns() -> dict[str, str]:
    """Give the sentences for elapsed time, also to the script that keeps them current in an open page."""
    return {
        "now": _("just now"),
        "s": _("%(n)s s ago"),
        "min": _("%(n)s min ago"),
        "h": _("%(n)s h ago"),
        "d": _("%(n)s d ago"),
        "in_s": _("in %(n)s s"),
        "in_min": _("in %(n)s min"),
        "in_h": _("in %(n)s h"),
        "in_d": _("in %(n)s d"),
    }


def ago(elapsed: timedelta) -> str:
    """Write how long ago something was, or, when it lies ahead, in how long it is."""
    seconds = elapsed.total_seconds()
    prefix = "in_" if seconds <= -1 else ""
    size = abs(seconds)
    patterns = ago_patterns()
    if size < 1:
        return patterns["now"]
    for unit, length, up_to in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400), ("d", 86400, math.inf)):
        if size < up_to:
            return patterns[prefix + unit] % {"n": number_format(int(size // length), use_l10n=True)}
    raise AssertionError("every size is below infinity")


def moment(when: datetime) -> str:
    """Write a full time with its zone, in the reader's zone."""
    local = timezone.localtime(when) if timezone.is_aware(when) else when
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or ''}".rstrip()


def duration(value: timedelta | float) -> str:
    """Write a span with its two largest units."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 0:
        return f"−{duration(-seconds)}"
    if seconds < 1:
        return f"{number_format(round(seconds * 1000))}{NBSP}ms"
    whole = int(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    parts = [(days, _("d")), (hours, _("h")), (minutes, _("min")), (secs, _("s"))]
    first = next(index for index, (number, _unit) in enumerate(parts) if number)
    shown = [part for part in parts[first : first + 2] if part[0]]
    return " ".join(f"{number_format(number, force_grouping=True)}{NBSP}{unit}" for number, unit in shown)


def quantity(value: float, unit: str = "") -> str:
    """Write a value with its unit: bytes with binary, bits with decimal prefixes, others with three digits or so."""
    if not math.isfinite(value):
        return _("not measured")
    prefix = ""
    unit = "/s" if unit == "1/s" else unit
    if unit in BINARY_UNITS or unit in DECIMAL_UNITS:
        step, names = (1024, IEC) if unit in BINARY_UNITS else (1000, SI)
        index = 0
        while abs(value) >= step * 0.9995 and index < len(names) - 1:
            value, index = value / step, index + 1
        prefix = names[index]
    elif unit == "W" and abs(value) >= KILOWATTS_FROM:
        value, prefix = value / 1000, "k"
    text = _digits(value)
    return f"{text}{NBSP}{prefix}{unit}" if unit else text


def _digits(value: float) -> str:
    if isinstance(value, int) or float(value).is_integer() or abs(value) >= 100:
        return number_format(round(value), use_l10n=True, force_grouping=True)
    places = 1 if abs(value) >= 10 else 2
    if abs(value) < 0.005:
        return number_format(f"{value:.2g}" if "e" not in f"{value:.2g}" else f"{value:.6f}", use_l10n=True)
    return number_format(f"{value:.{places}f}".rstrip("0").rstrip("."), use_l10n=True)
