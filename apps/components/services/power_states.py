"""Keeps whether machines are on, as their controllers say it: polls and orders write it, lists and dialogs read it."""

from collections.abc import Iterable
from datetime import datetime

from apps.components.models import Component
from apps.core import rows
from apps.core.writes import turn
from apps.drivers.contract import PowerState

AT_ONCE = 500


def keep(seen: Iterable[tuple[int, PowerState, datetime]]) -> None:
    """Keep the states of components (id, state, when it was seen); what was seen later stays."""
    told = [(state.value, rows.moment(at), state.value, rows.moment(at), pk, rows.moment(at)) for pk, state, at in seen]
    for start in range(0, len(told), AT_ONCE):
        with turn():
            rows.execute_many(
                f"UPDATE {Component._meta.db_table} SET"  # noqa: S608
                " power_since = CASE WHEN power_state <> %s OR power_since IS NULL THEN %s ELSE power_since END,"
                " power_state = %s, power_seen_at = %s WHERE id = %s"
                " AND (power_seen_at IS NULL OR power_seen_at < %s)",
                told[start : start + AT_ONCE],
            )
