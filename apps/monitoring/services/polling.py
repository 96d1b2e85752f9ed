"""Polls interfaces: health, readings, states, ports and event log of each, under a deadline of its own."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import partial

from apps.components import contact
from apps.components.contact import Line
from apps.components.models import ManagementInterface
from apps.core import options
from apps.drivers.contract import Limits
from apps.monitoring.models import Limit, Liveness
from apps.monitoring.services import event_logs, inventory, liveness, port_exclusion, rounds, writing
from apps.monitoring.services.asking import DEADLINE, Polled, ask
from apps.monitoring.services.inventory import Told
from apps.protocols.errors import ContactError

BLOCKING_AT_ONCE = 20
DEAD_AFTER = 2  # failures in a row, from which on an address that stays silent is not asked


def poll(
    interface_ids: Iterable[int],
    *,
    listed: Collection[int] = (),
    deadline: float = DEADLINE,
    even_silent: bool = False,
    every_log: bool = False,
) -> dict[int, ContactError | None]:
    """Poll these interfaces now and write what they say; gives how each went. Those that are gone are left out.

    Who failed often and does not answer pings either is not asked, unless ``even_silent`` says so. Event logs are read
    with it where they are due, all of them with ``every_log``. Those of ``listed`` are also asked who they are and what
    they are made of, in the same conversation: signing in is what costs a controller most.
    """
    lines = contact.lines(interface_ids, contact.POLL)
    own = own_limits(line.interface_id for line in lines)
    silent = set() if even_silent else _silent(lines)
    outcome: dict[int, ContactError | None] = {}

    def write(batch: Sequence[Polled | Told]) -> None:
        polls = [one for one in batch if isinstance(one, Polled)]
        if polls:
            writing.write(polls)
            event_logs.keep([polled.log for polled in polls if polled.log is not None])
        outcome.update({polled.line.interface_id: polled.error for polled in polls})
        if told := [one for one in batch if isinstance(one, Told)]:
            inventory.keep(told)

    blocking = [line for line in lines if line.spec is not None and line.spec.blocking]
    asked = [line for line in lines if line.spec is None or not line.spec.blocking]
    for share in (blocking, asked):
        share.sort(key=lambda line: line.failures > 0)  # those who answer find out whether a shared login is good
    excluded = port_exclusion.of_components({line.component_id for line in lines})
    logs = event_logs.due(lines, every=every_log)
    talk = partial(ask, own=own, excluded=excluded, silent=silent, logs=logs, listed=listed, deadline=deadline)
    at_once = options.get("poll_concurrency")
    rounds.run(asked, talk, write, concurrency=at_once)
    rounds.run(blocking, talk, write, concurrency=min(BLOCKING_AT_ONCE, at_once))
    return outcome


def own_limits(interface_ids: Iterable[int]) -> dict[int, dict[str, Limits]]:
    """Give the users' limits by interface and sensor."""
    found: dict[int, dict[str, Limits]] = defaultdict(dict)
    rows = Limit.objects.filter(interface__in=list(interface_ids)).values_list(
        "interface_id", "key", "lower_critical", "lower_warning", "upper_warning", "upper_critical"
    )
    for interface_id, key, *four in rows:
        found[interface_id][key] = Limits(*four)
    return found


def _silent(lines: Sequence[Line]) -> set[int]:
    """Give the interfaces that failed often and whose address is known to be silent now: they are not asked."""
    if not liveness.is_current():
        return set()
    failing = ManagementInterface.objects.filter(
        pk__in=[line.interface_id for line in lines], failures__gte=DEAD_AFTER
    ).values_list("pk", "component_id", "address")
    candidates = {(component, address): pk for pk, component, address in failing}
    if not candidates:
        return set()
    rows = Liveness.objects.filter(
        component__in={component for component, _address in candidates}, answers=False, ever_answered=True
    )
    return {candidates[place] for place in rows.values_list("component_id", "address") if place in candidates}
