"""The clock of a controller as settings: what it shows, whether it agrees with ours, how far it is from UTC."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from apps.drivers.contract.settings import Choice, Setting, SettingKind

EXACT_WITHIN = 6.0  # seconds by which two clocks that agree may differ: controllers tell whole seconds, and take some
NOT_TOLD = Choice("", "Not told")
_STEP, _FROM, _TO = 15, -12 * 60, 14 * 60  # minutes: where on Earth it is earliest and latest

SET_BY_PORTAL = "Switched on, it is set once to the time of the portal."


def offset_word(ahead: timedelta | None) -> str:
    """Write how far a clock is ahead of UTC: ``+09:00``; an empty text where nobody knows."""
    if ahead is None:
        return ""
    minutes = round(ahead.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def offset_of(word: str) -> timedelta | None:
    """Read what ``offset_word`` wrote."""
    if not word:
        return None
    hours, _colon, minutes = word[1:].partition(":")
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return -ahead if word[0] == "-" else ahead


_OFFSETS = tuple(
    Choice(word, f"UTC{word}")
    for word in (offset_word(timedelta(minutes=minutes)) for minutes in range(_FROM, _TO + 1, _STEP))
)


def clock_settings(
    shown: datetime | None, at: datetime, *, offset: str | None, settable: bool = True, offset_settable: bool = True
) -> Iterator[Setting]:
    """Give the settings of a clock that showed a time at a moment of ours; an offset of None has no setting."""
    local = shown.astimezone(timezone(offset_of(offset or "") or timedelta())) if shown is not None else None
    words = local.isoformat(" ", "seconds") if local is not None else ""
    yield Setting("time.now", "Time shown", SettingKind.TEXT, words, writable=False, individual=True)
    exact = shown is not None and abs((shown - at).total_seconds()) <= EXACT_WITHIN
    yield Setting(
        "time.exact",
        "Agrees with the clock of the portal",
        SettingKind.SWITCH,
        exact,
        writable=settable and not exact,
        hint=SET_BY_PORTAL if settable else "",
    )
    if offset is not None:
        known = {one.value for one in _OFFSETS}
        odd = () if offset in known else ((Choice(offset, f"UTC{offset}"),) if offset else (NOT_TOLD,))
        yield Setting(
            "time.offset",
            "Difference from UTC",
            SettingKind.CHOICE,
            offset,
            (*odd, *_OFFSETS),
            writable=offset_settable,
        )
