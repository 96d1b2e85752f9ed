"""Keeps what the parts of devices say of themselves in words, and since when each says so."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.drivers.contract import State
from apps.monitoring.models import LastStates

POST = "post"  # the key of the state by which a controller tells how far a machine has started
IN_POST = frozenset({"Power-on self test running", "Power-on self test nearly done", "In the setup of the firmware"})
AT_WORK = "Firmware progress"  # the word of controllers of which some never take it back
AT_WORK_FOR = timedelta(days=1)
JITTER = 60.0  # seconds by which the time that a device tells may wander while nothing happened


def starting(component_ids: Sequence[int]) -> set[int]:
    """Give the components whose firmware said last that it is testing itself: they start, or stand in their setup."""
    rows = LastStates.objects.filter(interface__component__in=list(component_ids), states__contains=f'["{POST}",')
    since = (timezone.now() - AT_WORK_FOR).timestamp()
    return {
        component
        for component, states in rows.order_by().values_list("interface__component", "states")
        if any(row[0] == POST and _is_in_post(row[3], row[6], since) for row in json.loads(states))
    }


def _is_in_post(words: Sequence[str], began: float, since: float) -> bool:
    return bool(IN_POST.intersection(words)) or (AT_WORK in words and began > since)


def packed(told: Iterable[tuple[int, Sequence[State], float]]) -> dict[int, str]:
    """Give what is to be kept of the states of interfaces: a state that is as it was keeps the time it began."""
    batch = list(told)
    rows = LastStates.objects.filter(interface__in=[pk for pk, _states, _at in batch]).order_by()
    before = dict(rows.values_list("pk", "states"))
    return {pk: _packed(states, before.get(pk, "[]"), at) for pk, states, at in batch}


def _packed(states: Sequence[State], before: str, at: float) -> str:
    known: Mapping[str, list[Any]] = {row[0]: row for row in json.loads(before)}
    rows = []
    for state in {state.key: state for state in reversed(states)}.values():
        told_at = state.at.timestamp() if state.at is not None else None
        words, status = [word.replace("\x00", "")[:300] for word in state.words], state.status.value
        row = [state.key[:200], state.name.replace("\x00", "")[:300], state.kind.value, words, status, told_at, at]
        old = known.get(state.key[:200])
        if old is not None and old[3:5] == [words, status]:
            same_time = told_at is not None and old[5] is not None and abs(old[5] - told_at) <= JITTER
            row[5:] = [old[5] if same_time else told_at, old[6]]
        rows.append(row)
    return json.dumps(rows[::-1], ensure_ascii=False, separators=(",", ":"))
