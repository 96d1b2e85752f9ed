"""The history of a component's status: a strip over a range of time, how long it was how, and what that makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.components.models import Status
from apps.components.pages.look import Look
from apps.drivers.contract import WORST_FIRST
from apps.monitoring import windows
from apps.monitoring.services import availability
from apps.monitoring.services.availability import Availability, Stretch
from apps.monitoring.windows import RANGES, Window

SLOTS = 600  # of the strip; where more changes than that happened, each slot shows the worst of its time
CODES = {Status.CRITICAL: "c", Status.WARNING: "w", Status.UNKNOWN: "u", Status.NORMAL: "n"}


@dataclass(frozen=True, slots=True)
class StateRow:
    """How long it was in one state."""

    status: str
    length: timedelta
    share: str  # percent

    @property
    def long(self) -> bool:
        """Say whether it was long enough to be told."""
        return self.length >= timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class HistoryPanel:
    """All of the card."""

    window: Window
    ranges: Sequence[tuple[str, Promise | str, bool]]
    found: Availability
    strip: SafeString
    rows: Sequence[StateRow]

    @property
    def available(self) -> str:
        """Write how much of the time it was available; 100 means all."""
        return _cut(self.found.available)

    @property
    def answered(self) -> str:
        """Write how much of the time its state was known."""
        return _cut(self.found.answered)


def _cut(share: float | None) -> str:
    """Write a percentage with three digits after the point, never more than it was."""
    if share is None:
        return ""
    return number_format(f"{int(share * 1000) / 1000:.3f}".rstrip("0").rstrip("."), use_l10n=True)


def history(look: Look) -> HistoryPanel:
    """Give the strip over the range that the address names, a month where it names none."""
    word = look.request.GET.get("range", "")
    window = windows.ending_now(word if word in RANGES else "30d")
    found = availability.of(look.component, window.start, window.end, timezone.now())
    whole = found.known
    return HistoryPanel(
        window=window,
        ranges=[(name, label, name == window.word) for name, (label, _length) in RANGES.items()],
        found=found,
        strip=_strip(found.stretches, window),
        rows=[
            StateRow(status, length, _cut(100 * (length / whole)))
            for status, length in found.durations.items()
            if whole
        ],
    )


def _strip(stretches: Sequence[Stretch], window: Window) -> SafeString:
    """Draw the stretches; what is not known stays ground. The table beside it says the same in words."""
    places = [
        (
            CODES[Status(one.status)],
            (one.start - window.start) / window.length * SLOTS,
            (one.end - window.start) / window.length * SLOTS,
        )
        for one in stretches
    ]
    if len(places) > SLOTS:
        places = _worst_by_slot(stretches, window)
    drawn = format_html_join(
        "",
        '<rect class="f-{}" x="{}" width="{}" height="18"/>',
        ((code, f"{start:.2f}", f"{max(end - start, 0.6):.2f}") for code, start, end in places),
    )
    return format_html(
        '<svg class="strip" viewBox="0 0 {} 18" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="f-bg" width="{}" height="18"/>{}</svg>',
        SLOTS, SLOTS, drawn,
    )  # fmt: skip


def _worst_by_slot(stretches: Sequence[Stretch], window: Window) -> list[tuple[str, float, float]]:
    worst: dict[int, str] = {}
    for one in stretches:
        first = int((one.start - window.start) / window.length * SLOTS)
        last = int((one.end - window.start) / window.length * SLOTS)
        for slot in range(first, min(last, SLOTS - 1) + 1):
            if slot not in worst or WORST_FIRST[one.status] < WORST_FIRST[worst[slot]]:
                worst[slot] = one.status
    return [(CODES[Status(status)], float(slot), slot + 1.0) for slot, status in sorted(worst.items())]
