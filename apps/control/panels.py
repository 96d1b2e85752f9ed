"""What control shows on the pages of components: the menu of orders, and whether the machine is on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.components.models import PowerSwitch
from apps.components.pages.look import Look
from apps.control.batch_views import coming_for
from apps.control.models import ConsoleSession, RemoteBatch
from apps.control.operations import CLEAR_LOG, POWER
from apps.control.pages.choices import CHOICES, MenuLine, menu, offered
from apps.control.services import own_pages, targets
from apps.control.services.remote_batches import PLANNING
from apps.core import scoping
from apps.drivers import registry
from apps.drivers.contract import Capability

COMING = 3


@dataclass(frozen=True, slots=True)
class ConsoleView:
    """The machine's text console."""

    holders: list[str]  # who has it open


@dataclass(frozen=True, slots=True)
class PowerView:
    """Whether a machine is on, as somebody saw it last."""

    state: str
    label: str
    seen_at: datetime | None
    metered: bool  # there is a tab of its power
    restart_cause: str  # why it last started; empty: nobody tells


@dataclass(frozen=True, slots=True)
class Orders:
    """What the menu offers."""

    lines: list[MenuLine]
    may_plan: bool  # for later
    unasked: bool = False  # no device has said yet which power orders it offers


def orders(look: Look) -> Orders | None:
    """Give what the user may order of the component; None where that is nothing.

    A device that has not said yet what it offers may be the very one that has to be switched now: all is offered, with
    a word that nobody knows yet. No kind of driver could say it beforehand, for much is optional, such as a power cycle
    in IPMI.
    """
    specs = registry.specs()
    enabled = [row for row in look.interfaces if row.enabled and row.driver in specs]
    capabilities = frozenset().union(*(specs[row.driver].capabilities for row in enabled))
    wakes = look.may("power") and bool(targets.mac_addresses([look.component.pk]))
    switching = [row for row in enabled if Capability.POWER in specs[row.driver].capabilities]
    all_told = all(row.power_actions is not None for row in switching)
    told = {action for row in switching for action in row.power_actions or ()} if all_told else None
    names = offered(look.request.user, look.component.group_id, capabilities, wakes=wakes, actions=told)
    unasked = not all_told and any(CHOICES[name].operation == POWER for name in names)
    return Orders(menu(names), look.may(PLANNING), unasked) if names else None


def consoles(look: Look) -> ConsoleView | None:
    """Give what the user may open; None where that is nothing."""
    if not look.may("console"):
        return None
    specs = registry.specs()
    enabled = [row for row in look.interfaces if row.enabled and row.driver in specs]
    offered = any(Capability.CONSOLE in specs[row.driver].capabilities for row in enabled)
    if not offered:
        return None
    rows = ConsoleSession.objects.open().filter(component=look.component)
    return ConsoleView([row.holder_name or row.opened_by_name for row in rows])


def own_page(look: Look) -> bool | None:
    """Say that the controller has a web page of its own which the user may open; None where it has none."""
    enabled = [row for row in look.interfaces if row.enabled]
    return (look.may("console") and own_pages.of(look.component, enabled) is not None) or None


def clearing(look: Look) -> MenuLine | None:
    """Give the order that empties the event log, where the user may give it."""
    found = orders(look)
    return next((line for line in (found.lines if found else ()) if line.choice.operation == CLEAR_LOG), None)


def orders_of_many(request: HttpRequest) -> Orders | None:
    """Give what the user may order of any component at all; which of the chosen ones can, the dialog says."""
    lines = menu(offered(request.user, None, None, wakes=True))
    return Orders(lines, scoping.may_somewhere(request.user, PLANNING)) if lines else None


def coming(look: Look) -> list[RemoteBatch] | None:
    """Give what is planned for the component next; None where nothing is."""
    return list(coming_for(look.request.user, look.component).select_related("group")[:COMING]) or None


def power(look: Look) -> PowerView:
    """Give whether it is on."""
    state = look.component.power_state
    label: Any = PowerSwitch(state).label if state else ""
    metered = Capability.POWER_METER in look.capabilities and look.component.power is not None
    cause = look.component.restart_cause
    return PowerView(state, str(label), look.component.power_seen_at, metered, _(cause) if cause else "")
