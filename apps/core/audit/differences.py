"""What an act changed, value by value: nested facts are laid open, of lists only what went and what came is shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core import audit_words
from apps.core.audit.recording import CHANGED

SHOWN = 20  # items of a list at once; the others are folded away
MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs: what it is called, and its former and present items; a plain value is one item."""

    label: str
    before: Sequence[str]
    after: Sequence[str]
    listed: bool = False  # only what went out of a list and what came in
    same: int = 0  # items that stayed

    @property
    def shown_before(self) -> Sequence[str]:
        """Give the first former items."""
        return self.before[:SHOWN]

    @property
    def more_before(self) -> Sequence[str]:
        """Give the other former items."""
        return self.before[SHOWN:]

    @property
    def shown_after(self) -> Sequence[str]:
        """Give the first present items."""
        return self.after[:SHOWN]

    @property
    def more_after(self) -> Sequence[str]:
        """Give the other present items."""
        return self.after[SHOWN:]


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """Give what differs, in the order in which it was written."""
    return list(_of_mappings("", before or {}, after or {}))


def _of_mappings(way: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*old, *new]):
        was, now = (audit_words.value_word(name, one.get(name, MISSING)) for one in (old, new))
        yield from _of_values(way + audit_words.field_word(name), was, now)


def _of_values(label: str, was: Any, now: Any) -> Iterator[Difference]:
    if was == now and now != CHANGED:
        return
    if _empty(was) and _empty(now):
        return
    if _is_mapping(was, now):
        yield from _of_mappings(f"{label} · ", {} if _empty(was) else was, {} if _empty(now) else now)
    elif _is_list(was, now):
        yield from _of_lists(label, [] if _empty(was) else was, [] if _empty(now) else now)
    else:
        yield Difference(label, _items(was), _items(now))


def _of_lists(label: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    if any(isinstance(one, dict) for one in [*old, *new]):
        yield from _of_rows(label, old, new)
        return
    was, now = [_text(one) for one in old], [_text(one) for one in new]
    gone, come = [one for one in was if one not in set(now)], [one for one in now if one not in set(was)]
    if gone or come:
        yield Difference(label, gone, come, listed=True, same=len(was) - len(gone))
    else:
        yield Difference(label, was, now)  # the order differs, or how often


def _of_rows(label: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    """Compare rows by their ids where they have some, else by their place."""
    was, now = _by_id(old), _by_id(new)
    for place in dict.fromkeys([*was, *now]):
        yield from _of_values(f"{label} {place}", was.get(place, MISSING), now.get(place, MISSING))


def _by_id(found: Sequence[Any]) -> dict[str, Any]:
    return {
        f"#{one['id']}" if isinstance(one, dict) and one.get("id") is not None else str(place): one
        for place, one in enumerate(found, 1)
    }


def _empty(value: Any) -> bool:
    return value is MISSING or value in audit_words.EMPTY


def _is_mapping(was: Any, now: Any) -> bool:
    return all(isinstance(one, dict) or _empty(one) for one in (was, now)) and (
        isinstance(was, dict) or isinstance(now, dict)
    )


def _is_list(was: Any, now: Any) -> bool:
    return all(isinstance(one, list) or _empty(one) for one in (was, now)) and (
        isinstance(was, list) or isinstance(now, list)
    )


def _items(value: Any) -> list[str]:
    if value is MISSING:
        return []
    if isinstance(value, list):
        return [_text(one) for one in value]
    return [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, dict | list) and value:
        return str(value)
    return audit_words.plain(value)
