"""Keeps whether machines are on, as their controllers say it: polls and orders write it, lists and dialogs read it.

An agent of an operating system falls silent when its machine is switched off. That is no fault as long as the machine's
controller says so, nor while the machine starts afterwards: whoever tells of silence asks here first.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from apps.components.models import Component, ManagementInterface, PowerSwitch
from apps.components.services import identity
from apps.core import rows
from apps.core.writes import turn
from apps.drivers.contract import PowerState

AT_ONCE = 500
STARTING = timedelta(minutes=10)  # from power on until an operating system must have answered
# When it was switched on is known of one that was seen off before.
_KEPT = (
    f"UPDATE {Component._meta.db_table} SET"  # noqa: S608 - a name of our own
    " power_since = CASE WHEN power_state = %s THEN power_since"
    " WHEN power_state = '' AND %s = 'on' THEN NULL ELSE %s END,"
    " power_state = %s, power_seen_at = %s, restart_cause = CASE WHEN %s = '' THEN restart_cause ELSE %s END,"
    " cpu = CASE WHEN %s = 'off' THEN NULL ELSE cpu END, memory = CASE WHEN %s = 'off' THEN NULL ELSE memory END,"
    " up_since = CASE WHEN %s = 'off' THEN NULL ELSE up_since END"
    " WHERE id = %s AND (power_seen_at IS NULL OR power_seen_at < %s)"
)


class Seen(NamedTuple):
    """How a component was seen, by its id; the cause of its last start is empty where that was not told."""

    component: int
    state: PowerState
    at: datetime
    restart_cause: str = ""


def keep(seen: Iterable[Seen]) -> None:
    """Keep the states of components; what was seen later stays.

    What the operating system told of its load and its start does not hold for a machine that is off.
    """
    told = []
    for one in seen:
        word, moment, cause = one.state.value, rows.moment(one.at), one.restart_cause[:100]
        told.append((word, word, moment, word, moment, cause, cause, word, word, word, one.component, moment))
    for start in range(0, len(told), AT_ONCE):
        with turn():
            rows.execute_many(_KEPT, told[start : start + AT_ONCE])


def excused(component_ids: Collection[int]) -> set[int]:
    """Give those whose agents are silent for a known reason: they are off, or were switched on a few minutes ago.

    A controller must say so that answers now.
    """
    if not component_ids:
        return set()
    answering = ManagementInterface.objects.filter(
        component__in=rows.among(component_ids),
        driver__in=identity.controllers(),
        enabled=True,
        last_error_code="",
        last_answer_at__isnull=False,
    )
    off = Q(component__power_state=PowerSwitch.OFF)
    starting = Q(component__power_state=PowerSwitch.ON, component__power_since__gt=timezone.now() - STARTING)
    return set(answering.filter(off | starting).order_by().values_list("component", flat=True))


def is_out_of_date(interface: ManagementInterface, measured_at: datetime) -> bool:
    """Say whether an agent measured something before its machine, which is off, was seen so."""
    component = interface.component
    return (
        component.power_state == PowerSwitch.OFF
        and component.power_since is not None
        and measured_at <= component.power_since
        and interface.driver not in identity.controllers()
    )


def ask_controllers(component_ids: Collection[int]) -> None:
    """Have the controllers of machines polled at once, because an agent has just fallen silent: are they off?"""
    now = timezone.now()
    theirs = ManagementInterface.objects.filter(
        component__in=rows.among(component_ids), driver__in=identity.controllers(), enabled=True, failures=0
    )
    theirs.filter(next_poll_at__gt=now, last_polled_at__lt=now - timedelta(seconds=5)).update(next_poll_at=now)
