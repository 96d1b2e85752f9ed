"""Invents a year of alerts for the measurements, and writes them past the models: a million in a minute or two.

The rows are what the receiver would have stored: about 1 KB each, folded into incidents, most of them of few noisy
components, one in fifty unknown. The same call gives the same rows.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models

AT_ONCE = 5000
SPAN = timedelta(days=365)
OPEN_FOR = timedelta(days=3)  # a problem as young as this may still be open
FOLDED = 4  # alerts of one problem, at most
UNKNOWN_OID = "1.3.6.1.4.1.99999.0"

# What came, how often of a thousand, from where; the rest of what an alert says follows from these.
KINDS = (
    ("linkDown", "warning", "SNMP Trap", "snmp-trap", 180, "Link of %(object)s went down"),
    ("linkUp", "normal", "SNMP Trap", "snmp-trap", 180, "Link of %(object)s came up"),
    ("coldStart", "information", "SNMP Trap", "snmp-trap", 300, "The device was started"),
    ("authenticationFailure", "warning", "UNIVERGE_IX", "snmp-trap", 60, "A wrong community was used"),
    ("warmStart", "information", "Tape Library", "snmp-trap", 195, "The tape %(object)s was changed"),
    ("portal.access-lost", "critical", "Portal", "portal", 20, "%(component)s does not answer"),
    ("portal.access-recovered", "normal", "Portal", "portal", 20, "%(component)s answers again"),
    ("portal.alerts-suppressed", "warning", "Portal", "portal", 5, "Alerts were suppressed"),
    ("egpNeighborLoss", "critical", "Rare", "snmp-trap", 0.02, "The neighbour %(object)s was lost"),
    (None, "unknown", "SNMP Trap", "snmp-trap", 40, "Unknown trap %(trap_oid)s"),
)


@dataclass(slots=True)
class Problem:
    """An incident in the making."""

    pk: int
    kind: int
    component: int
    object: str
    first: datetime
    last: datetime
    count: int = 0


@dataclass
class Course:
    """Everything that happened, in the order of time; walking through it a second time gives the same."""

    components: Sequence[tuple[int, str]]  # id and name
    definitions: dict[str, int]
    count: int
    until: datetime
    first_alert: int
    first_incident: int
    problems: list[Problem] = field(default_factory=list)

    def walk(self) -> Iterator[tuple[int, int, tuple[int, str], str, datetime, Problem | None]]:
        """Give of every alert its number, kind, component, part, time and problem."""
        chance = random.Random(21120)
        noisy = self.components[: max(1, len(self.components) // 20)]
        running: dict[tuple[int, int, str], Problem] = {}
        self.problems = []
        kinds = chance.choices(range(len(KINDS)), [kind[4] for kind in KINDS], k=self.count)
        for number, index in enumerate(kinds):
            at = self.until - SPAN * (self.count - number) / self.count
            component = chance.choice(noisy if chance.random() < 0.5 else self.components)
            thing = f"port{chance.randrange(48)}"
            is_problem = KINDS[index][0] is not None and KINDS[index][1] in {"critical", "warning"}
            problem = self._fold(running, index, component[0], thing, at) if is_problem else None
            yield number, index, component, thing, at, problem

    def alerts(self) -> Iterator[dict[str, Any]]:
        """Give the alerts."""
        for number, index, (pk, name), thing, at, problem in self.walk():
            key, severity, alert_type, source, _weight, title = KINDS[index]
            heard = source != "portal"
            stranger = key is None and number % 3 == 0
            address = f"192.0.2.{number % 250 + 1}" if stranger else f"10.{pk >> 16}.{pk >> 8 & 255}.{pk & 255}"
            oid = f"1.3.6.1.6.3.1.1.5.{index}" if key else f"{UNKNOWN_OID}.{number % 97}"
            yield {
                "id": self.first_alert + number,
                "received_at": at,
                "occurred_at": None if heard else at,
                "source": source,
                "address": address if heard else None,
                "version": "2c" if heard else "",
                "trap_oid": oid if heard else "",
                "bindings": _bindings(number, thing) if heard else "[]",
                "datagram": _DATAGRAM if heard else b"",
                "component_id": None if stranger else pk,
                "component_name": "" if stranger else name,
                "definition_id": self.definitions.get(key) if key else None,
                "matched": key is not None,
                "object": thing,
                "severity": severity,
                "alert_type": alert_type,
                "product": "Bench Switch 48" if alert_type == "UNIVERGE_IX" else "",
                "title": _phrase(title, thing, name, oid),
                "detail": _phrase("The network port %(object)s of %(component)s said so at its own time.", thing, name),
                "remedy": "Check the cable, the port of the other side and whether somebody switched the port off.",
                "incident_id": problem.pk if problem else None,
                "quiet": "suspended" if number % 199 == 0 else "acknowledged" if number % 997 == 0 else "",
            }

    def _fold(self, running: dict[Any, Problem], kind: int, component: int, thing: str, at: datetime) -> Problem:
        key = (component, kind, thing)
        problem = running.get(key)
        if problem is None or problem.count == FOLDED or at - problem.last > OPEN_FOR:
            pk = self.first_incident + len(self.problems)
            problem = running[key] = Problem(pk, kind, component, thing, at, at)
            self.problems.append(problem)
        problem.count += 1
        problem.last = at
        return problem

    def incidents(self) -> Iterator[dict[str, Any]]:
        """Give the incidents of the problems: the newest of a kind and place may be open, one in ten acknowledged."""
        names = dict(self.components)
        newest = {(one.component, one.kind, one.object): one.pk for one in self.problems}
        for one in self.problems:
            key, severity, _type, _source, _weight, title = KINDS[one.kind]
            may = newest[one.component, one.kind, one.object] == one.pk and self.until - one.last < OPEN_FOR
            state = ("acknowledged" if one.pk % 10 == 0 else "open") if may else "closed"
            yield {
                "id": one.pk,
                "component_id": one.component,
                "component_name": names[one.component],
                "place": f"component {one.component}",
                "definition_id": self.definitions[str(key)],
                "object": one.object,
                "severity": severity,
                "title": _phrase(title, one.object, names[one.component]),
                "state": state,
                "count": one.count,
                "first_at": one.first,
                "last_at": one.last,
                "acknowledged_by_name": "operator" if state == "acknowledged" else "",
                "acknowledged_at": one.last if state == "acknowledged" else None,
                "closed_at": one.last + timedelta(hours=1) if state == "closed" else None,
                "closed_why": "Link came up" if state == "closed" else "",
            }


_DATAGRAM = bytes(range(160))
_LABELS = ("linkDown port", "Interface GigabitEthernet1/0", "Uplink to the core", "Rack 12, row B", "left")


def _bindings(number: int, thing: str) -> str:
    rows = [
        {"oid": f"1.3.6.1.2.1.2.2.1.{place}.{number % 48}", "type": "OctetString", "value": f"{label} {thing}"}
        for place, label in enumerate(_LABELS)
    ]
    return json.dumps(rows)


def _phrase(text: str, thing: str, name: str, oid: str = "") -> str:
    known = {"object": thing, "component": name, "trap_oid": oid}
    params = {word: value for word, value in known.items() if f"%({word})s" in text}
    return json.dumps([text, params]) if params else text


def write(model: type[models.Model], rows: Iterable[dict[str, Any]]) -> int:
    """Write rows past the model, what they leave out at its default; gives how many."""
    fields = model._meta.concrete_fields
    ready: dict[str, Any] = {}
    for one in fields:
        value = one.get_db_prep_save(None if one.primary_key else one.get_default(), connection)
        ready[one.column] = value.dumps(value.obj) if hasattr(value, "dumps") else value
    columns = list(ready)
    lines = ([{**ready, **row}[column] for column in columns] for row in rows)
    quoted = ", ".join(connection.ops.quote_name(column) for column in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    if connection.vendor == "postgresql":
        return _copy(f"COPY {table} ({quoted}) FROM STDIN", lines)
    places = ", ".join("?" for _column in columns)
    return _insert(f"INSERT INTO {table} ({quoted}) VALUES ({places})", lines)


def _copy(statement: str, lines: Iterable[list[Any]]) -> int:
    written = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            copy.write_row(line)
            written += 1
    return written


def _insert(statement: str, lines: Iterable[list[Any]]) -> int:
    """Write in turns, in the form in which Django keeps times on SQLite."""
    from itertools import islice

    from apps.core.writes import turn

    written, lines = 0, iter(lines)
    connection.ensure_connection()
    while part := list(islice(lines, AT_ONCE)):
        for line in part:
            for place, value in enumerate(line):
                if isinstance(value, datetime):
                    line[place] = value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
        with turn():
            connection.connection.executemany(statement, part)
        written += len(part)
    return written
