"""From datagrams to committed alerts: what the receiver does in its one database thread."""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection
from django.utils import timezone

from apps.alerts.models import Alert, Count
from apps.alerts.models import Counter as CounterRow
from apps.alerts.receivers import controllers, snmp_trap
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.refusals import Refusals, report
from apps.alerts.receivers.senders import Found, Senders
from apps.alerts.receivers.snmp_trap import Trap
from apps.alerts.receivers.storm import StormGuard
from apps.alerts.receivers.users import Admitted, Users
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.ingestion import store
from apps.alerts.services.interpretation import interpret
from apps.alerts.services.naming import NAME_BINDINGS, Part, names_of, shown_object
from apps.alerts.services.raising import raise_alert
from apps.components.models import Component
from apps.core import options
from apps.core.writes import turn
from apps.protocols.snmp.ber import Malformed

log = logging.getLogger(__name__)

LARGEST_BATCH = 2000  # one of 500 costs half as much again an alert
SMALLEST_BATCH = 100  # fewer cost nearly as much
LONGEST_TURN = 0.25  # seconds: others wait for the database meanwhile, on SQLite
REPEATS_FOR = timedelta(minutes=10)
REMEMBERED = 20_000  # informs and platform events
REPORT_EVERY = 60.0  # seconds between two reports of what was suppressed and refused

RELAY = "relay"
THIS_MACHINE = frozenset({"127.0.0.1", "::1"})
VERSION_OPTIONS = {"1": "trap_v1", "2c": "trap_v2c"}
DatabaseAway = (OperationalError, InterfaceError, ProgrammingError)  # the last: its tables are not there yet


class Store:
    """Decodes, sorts out and stores. Raises ``DatabaseAway`` when nothing was done and it should be tried again."""

    def __init__(self) -> None:
        self.guard = StormGuard()
        self.senders = Senders()
        self.users = Users()
        self.refusals = Refusals()
        self.counts = self.refusals.counts
        self.batch_size = LARGEST_BATCH // 8
        self._answered: OrderedDict[tuple[str, int | None, str], float] = OrderedDict()
        self._reported_at = time.monotonic()

    def prepare(self, datagrams: Sequence[Datagram]) -> list[Trap]:
        """Decode, refuse what is malformed, of a version or community that is not accepted, or too much."""
        with closing_on_failure():
            communities = frozenset(word.encode() for word in options.get("trap_communities"))
            relays = frozenset(options.get("trap_relays"))
            if options.get("trap_method") == RELAY:
                relays |= THIS_MACHINE
            versions = {version for version, name in VERSION_OPTIONS.items() if options.get(name)} | {"3"}
            origin_rate, total_rate = options.get("trap_origin_rate"), options.get("trap_total_rate")
        traps = []
        for datagram in datagrams:
            self.counts[Count.RECEIVED] += 1
            try:
                received = snmp_trap.receive(datagram)
            except Malformed as error:
                self.counts[Count.MALFORMED] += 1
                log.debug("not a notification from %s: %s", datagram.address, error)
                continue
            except Exception:  # a fault of ours in one datagram must not stop the others
                self.counts[Count.FAILED] += 1
                log.exception("a datagram from %s could not be decoded", datagram.address)
                continue
            version = received.notification.version
            if version not in versions:
                self.refusals.note(datagram.address, Count.VERSION)
                continue
            if communities and version != "3" and received.notification.community not in communities:
                self.refusals.note(datagram.address, Count.REFUSED)
                continue
            trap = snmp_trap.understand(datagram, received, relays)
            if self.guard.admits(trap.address, datagram.arrived, origin_rate, total_rate):
                traps.append(trap)
            else:
                self.counts[Count.SUPPRESSED] += 1
        return traps

    def commit(self, traps: Sequence[Trap], *, again: bool = False) -> list[Trap]:
        """Store traps in one write turn; gives those whose senders wait to be told, which may be done now.

        What the database does not take for its content is looked for by halves, counted and left out.
        """
        if not traps:
            return []
        try:
            with closing_on_failure(), turn():
                started = time.monotonic()
                fresh, events = self._without_repeats(traps), [trap for trap in traps if trap.event is not None]
                # Repeated events are answered, too. All is looked for before the first thing is stored.
                found = self.senders.find({trap.address for trap in (*fresh, *events)}) if fresh or events else {}
                self._find_controllers(events, found)
                if fresh:
                    store(self._arrivals(fresh, found))
                new = {Count.STORED: len(fresh), Count.REPEATED: len(traps) - len(fresh)}
                CounterRow.add({name.value: self.counts[name] + new.get(name, 0) for name in Count})
        except DatabaseAway:
            raise
        except Exception as error:
            if len(traps) == 1 and isinstance(error, IntegrityError) and not again:
                # Its component or definition was removed between our look and the end of the transaction: look again.
                catalogue.forget()
                return self.commit(traps, again=True)
            if len(traps) == 1:
                self.counts[Count.FAILED] += 1
                log.warning("an alert from %s could not be stored: %s", traps[0].address, type(error).__name__)
                return []
            middle = len(traps) // 2
            return [*self.commit(traps[:middle]), *self.commit(traps[middle:])]
        self.counts.clear()
        self._learn(time.monotonic() - started, len(traps))
        repeated = [trap for trap in traps if trap.may_repeat]
        for trap in repeated:
            self._answered[trap.repeat_key] = time.monotonic()
        while len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)
        return [trap for trap in repeated if trap.answer is not None]

    def _find_controllers(self, traps: Sequence[Trap], found: Found) -> None:
        """Note on platform events how their controllers are told that they were heard."""
        if not traps:
            return
        ports = controllers.ports_of({each.pk for trap in traps for each in found.get(trap.address, ())})
        for trap in traps:
            for component in found.get(trap.address, ()):
                if trap.event is not None and component.pk in ports:
                    trap.answer = partial(controllers.acknowledge, trap.event, trap.address, ports[component.pk])

    def count(self, what: Count, number: int) -> None:
        """Count what happened outside, before a datagram came here."""
        self.counts[what] += number

    def count_refusals(self, refusals: Refusals) -> None:
        """Count what was refused outside."""
        self.refusals.take_over(refusals)

    def admitted(self) -> Admitted:
        """Give who may send notifications of version 3 by now."""
        with closing_on_failure():
            return self.users.read()

    def keep_house(self) -> None:
        """Write the counts, and report once a minute what was suppressed or refused."""
        with closing_on_failure():
            with turn():
                CounterRow.add({name.value: self.counts[name] for name in Count})
            self.counts.clear()
            if time.monotonic() - self._reported_at >= REPORT_EVERY:
                self.report_suppressed()
                self.report_refused()

    def report_refused(self) -> None:
        """Raise alerts for the senders that were refused since the last time."""
        if self.refusals.senders:
            report(self.refusals.senders, self.senders)
            self.refusals.senders.clear()

    def report_suppressed(self) -> None:
        """Raise one alert for everything that was suppressed since the last one."""
        self._reported_at = time.monotonic()
        if not self.guard.suppressed:
            return
        (origin, most) = self.guard.suppressed.most_common(1)[0]
        params = {"count": str(self.guard.suppressed.total()), "origin": origin, "most": str(most)}
        raise_alert("portal.alerts-suppressed", component=None, params=params)
        self.guard.suppressed.clear()

    def _learn(self, took: float, number: int) -> None:
        """Keep a turn short where others wait for it: as many alerts at once as were stored in that time."""
        if connection.vendor != "sqlite":
            self.batch_size = LARGEST_BATCH
        elif took > LONGEST_TURN or number == self.batch_size:
            self.batch_size = min(max(int(number * LONGEST_TURN / took), SMALLEST_BATCH), LARGEST_BATCH)

    def _without_repeats(self, traps: Sequence[Trap]) -> list[Trap]:
        """Leave out informs and platform events that are stored already: senders repeat them until they are answered.

        Other traps are never repeated by their senders, so an equal one is a new one.
        """
        horizon = time.monotonic() - REPEATS_FOR.total_seconds()
        asked = {trap.digest for trap in traps if trap.may_repeat and trap.repeat_key not in self._answered}
        since = timezone.now() - REPEATS_FOR
        stored = Alert.objects.with_digests(asked).received_after(since).order_by() if asked else Alert.objects.none()
        seen = set(stored.values_list("address", "request_id", "digest"))
        fresh = []
        for trap in traps:
            key = trap.repeat_key
            stored_key = (trap.address, trap.notification.request_id, trap.digest)
            if trap.may_repeat and (self._answered.get(key, -math.inf) > horizon or stored_key in seen):
                continue
            if trap.may_repeat:
                seen.add(stored_key)
            fresh.append(trap)
        return fresh

    def _arrivals(self, traps: Sequence[Trap], found: Found) -> list[Arrival]:
        """Say what the traps mean: their definitions, components and objects."""
        known = catalogue.current()
        arrivals = []
        for trap in traps:
            notification = trap.notification
            candidates = found.get(trap.address, ())
            component = candidates[0] if len(candidates) == 1 else None
            enterprise = notification.enterprise or ""
            meaning = interpret(known, notification.trap_oid, enterprise, trap.bindings, component)
            arrivals.append(
                Arrival(
                    source=snmp_trap.SOURCE,
                    received_at=trap.datagram.received_at,
                    definition=meaning.definition,
                    severity=meaning.severity,
                    alert_type=meaning.alert_type,
                    product=meaning.product,
                    component=component,
                    address=trap.address,
                    occurred_at=trap.event.at if trap.event is not None else None,
                    object=meaning.object,
                    params=meaning.params,
                    version=notification.version,
                    trap_oid=notification.trap_oid,
                    enterprise=enterprise,
                    request_id=notification.request_id,
                    bindings=trap.bindings,
                    datagram=trap.stored,
                    digest=trap.digest,
                    candidates=tuple(each.pk for each in candidates) if component is None else (),
                )
            )
        give_names(arrivals)
        return arrivals


def give_names(arrivals: Sequence[Arrival]) -> None:
    """Give each numbered object its name, asked for all of a kind at once."""
    wanted: dict[str, set[Part]] = {}
    for arrival in arrivals:
        part = _part(arrival)
        if part is not None and arrival.definition is not None:
            wanted.setdefault(arrival.definition.object_kind, set()).add(part)
    known = {kind: names_of(kind, parts) for kind, parts in wanted.items()}
    for arrival in arrivals:
        definition = arrival.definition
        if definition is not None and definition.object:
            part = _part(arrival)
            name = known.get(definition.object_kind, {}).get(part) if part else None
            shown = shown_object(definition, arrival.object, arrival.params, name)
            arrival.params = {**arrival.params, "object": shown}


def _part(arrival: Arrival) -> Part | None:
    """Give the part whose name has to be asked for; None when the alert brought a name, or nobody can know."""
    component: Component | None = arrival.component
    if component is None or not arrival.object or any(arrival.params.get(name) for name in NAME_BINDINGS):
        return None
    return component.pk, arrival.object


@contextmanager
def closing_on_failure() -> Iterator[None]:
    """Drop a connection that failed, so that the next attempt opens another one."""
    try:
        yield
    except DatabaseAway:
        if not connection.in_atomic_block:
            connection.close()
        raise
