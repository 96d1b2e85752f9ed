"""How long a component was in which state over a range of time, by the history of its status."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.components.models import Component, Status, StatusChange

AVAILABLE = frozenset({Status.NORMAL.value, Status.WARNING.value})
ANSWERED = frozenset({Status.NORMAL.value, Status.WARNING.value, Status.CRITICAL.value})
NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time without a change."""

    status: str
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Give how long it was."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Availability:
    """The stretches of a range, oldest first; what lies before the registration or after now is not in it."""

    stretches: Sequence[Stretch]
    durations: dict[str, timedelta]  # by status
    changes: int

    @property
    def known(self) -> timedelta:
        """Give how much of the range is known."""
        return sum(self.durations.values(), NOTHING)

    @property
    def available(self) -> float | None:
        """Give the share of the time in which it was normal or warning, in percent; None where nothing is known."""
        return self._share(AVAILABLE)

    @property
    def answered(self) -> float | None:
        """Give the share of the time in which its state was known at all, in percent."""
        return self._share(ANSWERED)

    def _share(self, statuses: frozenset[str]) -> float | None:
        if not self.known:
            return None
        return 100 * (sum((self.durations[status] for status in statuses), NOTHING) / self.known)


def of(component: Component, start: datetime, end: datetime, now: datetime) -> Availability:
    """Walk the changes of a range. What it was at the beginning, the first change since then says, else its status."""
    begin, stop = max(start, component.created_at), min(end, now)
    durations = dict.fromkeys(Status.values, NOTHING)
    if begin >= stop:
        return Availability([], durations, 0)
    rows = StatusChange.objects.filter(component=component, at__gt=begin).order_by("at", "pk")
    changes = list(rows.values_list("at", "old", "new").iterator(2000))
    status = changes[0][1] if changes else component.status
    stretches: list[Stretch] = []
    at, number = begin, 0
    for moment, _old, new in changes:
        if moment >= stop:
            break
        number += new != status
        if moment > at:
            _add(stretches, Stretch(status, at, moment))
            at = moment
        status = new
    _add(stretches, Stretch(status, at, stop))
    for stretch in stretches:
        durations[stretch.status] += stretch.length
    return Availability(stretches, durations, number)


def _add(stretches: list[Stretch], new: Stretch) -> None:
    if stretches and stretches[-1].status == new.status:
        new = Stretch(new.status, stretches.pop().start, new.end)
    stretches.append(new)
