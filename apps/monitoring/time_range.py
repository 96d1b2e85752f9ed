"""Reads a range of time from a query: ISO 8601, a date, or seconds since 1970."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_noop

DEFAULT_LENGTH = timedelta(days=1)
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
NO_TIME = gettext_noop("Enter a time such as 2026-01-31T12:00:00Z.")
WRONG_ORDER = gettext_noop("This must lie before the end.")


class BadRange(ValueError):
    """One of the two is no time, or they stand in the wrong order; ``sentence`` is to be translated."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field, self.sentence = field, sentence
        super().__init__(f"{field}: {sentence}")


def time_range(query: Mapping[str, str], zone: tzinfo = UTC) -> tuple[datetime, datetime]:
    """Give ``from`` (a day before the end, when left out) and ``to`` (now, when left out); raises BadRange.

    A time that names no zone is one of ``zone``.
    """
    end = moment(query, "to", zone) or timezone.now()
    start = moment(query, "from", zone) or end - DEFAULT_LENGTH
    if start >= end:
        raise BadRange("from", WRONG_ORDER)
    return start, end


def moment(query: Mapping[str, str], field: str, zone: tzinfo = UTC) -> datetime | None:
    """Give one time of a query, None when it is left out; raises BadRange."""
    raw = query.get(field, "").strip()
    if not raw:
        return None
    try:
        found = _parsed(raw, zone)
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found <= LATEST:
        raise BadRange(field, NO_TIME)
    return found


def _parsed(raw: str, zone: tzinfo) -> datetime | None:
    if raw.isascii() and raw.isdigit() and len(raw) <= 11:
        return datetime.fromtimestamp(int(raw), UTC)
    # A plus sign that was not escaped arrives as a space.
    found = parse_datetime(raw.replace(" ", "+") if "T" in raw else raw)
    if found is None:
        day = parse_date(raw)
        return datetime(day.year, day.month, day.day, tzinfo=zone) if day is not None else None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
