"""Makes the history of a demonstration by watching the simulated fleet at times that have passed.

It is the portal's own way: poll, judge, write, receive traps, roll up. Only two clocks are others: that of this process
and the fleet's. Times far back are looked at less often, because charts of them are made of hours anyway; in the last
day often enough that a chart has no gaps.
"""

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.gate import Gate
from apps.alerts.receivers.store import Store
from apps.components.models import ManagementInterface
from apps.components.services import identity
from apps.monitoring.models import Sample, Span
from apps.monitoring.services import fleet, inventory, polling, rollups
from apps.protocols.snmp.usm import Engine
from apps.simulators.fleet.agents import SentTrap
from apps.simulators.fleet.control import Remote
from apps.system.demo.moved_clock import MovedClock

HOUR = 3600.0
STEPS = ((25 * HOUR, 2 * HOUR), (2 * HOUR, 1400.0), (0.0, 300.0))  # how old at least, seconds between two looks
LEAST_GAP = 600.0  # seconds that a portal may have stood still without anybody missing it
DEADLINE = 6.0  # seconds for a device that is dead in the past
TRAPS_AT_ONCE = 250
_ENGINE_ID = b"\x80\x00\x1f\x88\x05history"  # nobody asks for it
FLEET_EVERY = 2.0 * fleet.EVERY  # seconds

log = logging.getLogger(__name__)


def moments(start: float, now: float) -> Iterator[float]:
    """Give the times to look at from ``start`` up to now."""
    at = start
    while at < now - STEPS[-1][1] / 2:
        yield at
        step = next(step for age, step in STEPS if now - at > age)
        at += step


def last_sample() -> float | None:
    """Give the time of the newest sample, None where there is none."""
    newest = Sample.objects.order_by("-pk").values_list("at", flat=True).first()
    return None if newest is None else newest / 1000


def make(remote: Remote, hours: float, now: float, tell: Callable[[float], None]) -> None:
    """Make what is missing of the last hours; ``tell`` hears how far it has come, from 0 to 1."""
    known = last_sample()
    if known is not None and now - known < LEAST_GAP:
        return
    start = now - hours * HOUR if known is None else max(known + STEPS[-1][1], now - hours * HOUR)
    watched = ManagementInterface.objects.filter(enabled=True).exclude(driver__in=identity.controllers())
    ids = list(watched.order_by("pk").values_list("pk", flat=True))
    if known is None:
        inventory.read(ids)  # who they are, before anybody asks
    past = list(moments(start, now))
    reception = _Reception()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused, MovedClock() as clock:

        def watch(at: float) -> None:
            _sample_fleet(clock, max(clock.at, now - STEPS[0][0]), at)
            sent = remote.set_clock(at, patient=False)
            clock.at = at
            reception.take(sent, unused)
            polling.poll(ids, deadline=DEADLINE, even_silent=True)

        try:
            remote.set_clock(start - STEPS[-1][1], patient=False)
            clock.at = start
            for number, at in enumerate(past):
                watch(at)
                tell(number / len(past))
            watch(clock.real_time())  # what happened while the past was watched is not left out
        except BaseException:
            remote.set_clock(clock.real_time())  # nobody is told late of what was to be history
            raise
        finally:
            remote.set_clock(None)
    for span in Span:
        rollups.roll_up(span)


def _sample_fleet(clock: MovedClock, after: float, until: float) -> None:
    """Keep between two looks what the whole fleet had at the first one, as the portal does every few minutes."""
    at = after - after % FLEET_EVERY + FLEET_EVERY
    while at < until:
        clock.at = at
        fleet.sample()
        at += FLEET_EVERY


class _Reception:
    """Has traps stored as the receiver does, each at its own time."""

    def __init__(self) -> None:
        self._store = Store()
        self._gate = Gate(Engine(_ENGINE_ID, 1, 0))
        self._gate.admit(self._store.admitted())

    def take(self, sent: Sequence[SentTrap], unused: socket.socket) -> None:
        """Store what was sent."""
        datagrams = [
            Datagram(data, (address, 0), unused, arrived=at, received_at=datetime.fromtimestamp(at, UTC))
            for at, address, data in sent
        ]
        let_in = [datagram for datagram in datagrams if self._gate.lets_in(datagram)]
        for start in range(0, len(let_in), TRAPS_AT_ONCE):
            self._store.commit(self._store.prepare(let_in[start : start + TRAPS_AT_ONCE]))
