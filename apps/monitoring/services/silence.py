"""Tells an agent that is silent because its machine is off, or starts, from one that cannot be reached.

Such an agent is no reason for its component not to be normal. The first time that it is silent its controller is asked
at once; when the machine was switched on, the agent is asked every minute until it answers.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.utils import timezone

from apps.components.models import ManagementInterface, StatusCause
from apps.components.services import causes, identity, power_states
from apps.core import rows
from apps.drivers.contract import PowerState
from apps.monitoring.services.asking import Polled
from apps.protocols.errors import Unreachable

POLL, CONTACT = "poll", "contact"  # source and key of the cause that says so where it is a fault
AGAIN = timedelta(seconds=60)


def of(batch: Iterable[Polled]) -> dict[int, int]:
    """Give the agents that were silent: interface → component."""
    drivers = identity.controllers()
    return {
        polled.line.interface_id: polled.line.component_id
        for polled in batch
        if isinstance(polled.error, Unreachable) and polled.line.driver not in drivers
    }


def explain(silent: dict[int, int], batch: Sequence[Polled]) -> set[int]:
    """Give those of them that are silent because their machine is off or starts, and see to what follows.

    Also what was said of agents before their controller told that the machine is off is taken back.
    """
    excused = power_states.excused(set(silent.values()))
    explained = {pk for pk, component_id in silent.items() if component_id in excused}
    _ask_again(explained)
    power_states.ask_controllers({component for component in silent.values() if component not in excused})
    _take_back({polled.line.component_id for polled in batch if polled.power is PowerState.OFF})
    return explained


def _ask_again(interface_ids: set[int]) -> None:
    """Ask them soon where the machine is on: it starts."""
    if interface_ids:
        soon = timezone.now() + AGAIN
        starting = ManagementInterface.objects.filter(pk__in=rows.among(interface_ids), component__power_state="on")
        starting.filter(next_poll_at__gt=soon).update(next_poll_at=soon)


def _take_back(component_ids: set[int]) -> None:
    """Withdraw what was said of the agents of machines that are off."""
    if not component_ids:
        return
    told = StatusCause.objects.filter(source=POLL, key=CONTACT, component__in=rows.among(component_ids))
    told = told.exclude(interface__driver__in=identity.controllers())
    unreachable = told.filter(interface__last_error_code=Unreachable.code)
    causes.change((), list(unreachable.values_list("component_id", "interface_id", "source", "key")))
