"""The guide's table of ports, read beside what this portal has open now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.components.models import Component
from apps.drivers import registry as drivers
from apps.system import ports, reaching, running
from apps.system.reaching import FAR_PATIENCE, Reach
from apps.system.running import OpenPort

DIRECTIONS = {
    "in": pgettext_lazy("direction of a connection", "in: to the portal"),
    "out": pgettext_lazy("direction of a connection", "out: from the portal"),
    "inside": pgettext_lazy("direction of a connection", "inside this machine"),
}
PROTOCOLS = ("tcp", "udp", "icmp")
OFF, CLOSED, NOT_USED, NOT_OURS, NOT_KNOWN = "off", "closed", "not-used", "not-ours", "unknown"
STATES = {  # how a row stands, with its state word
    Reach.ANSWERS.value: ("normal", gettext_lazy("answers")),
    Reach.REFUSED.value: ("critical", gettext_lazy("nobody listens")),
    Reach.SILENT.value: ("warning", gettext_lazy("does not answer")),
    Reach.NO_ROUTE.value: ("critical", gettext_lazy("no route")),
    OFF: ("suspended", gettext_lazy("switched off")),
    CLOSED: ("critical", gettext_lazy("closed")),
    NOT_KNOWN: ("unknown", gettext_lazy("not known")),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table as it is in the fixture."""

    id: str
    section: str
    purpose: str
    peer: str
    direction: str
    protocol: str
    port: str = ""
    source: str = ""  # the fixed port of whoever connects
    variable: str = ""
    drivers: tuple[str, ...] = ()
    note: str = ""

    @property
    def numbers(self) -> list[int]:
        """Give the single ports that it names; ranges are looked for by whoever uses them."""
        return [int(word) for word in self.port.replace(",", " ").split() if word.isdigit()]


@dataclass(frozen=True, slots=True)
class Line:
    """A row with how it stands here."""

    row: Row
    port: str  # the number that it has here
    used: bool
    state: str  # a key of STATES, NOT_USED, or NOT_OURS for a port of somebody else
    next_port: int | None = None
    variable: str = ""
    option: str = ""

    @property
    def look(self) -> tuple[str, Any] | None:
        """Give the state word and what it reads, where there is a state."""
        return STATES.get(self.state)

    @property
    def firewall(self) -> str:
        """Say what a firewall between has to let through."""
        row, what = self.row, f"{self.row.protocol.upper()} {self.port}".strip()
        if not self.used or self.state == OFF or row.direction == "inside":
            return ""
        if row.direction == "out":
            if row.protocol == "icmp":
                return _("Let echo requests of the portal and their answers through.")
            return _("Let %(what)s from the portal to the device through.") % {"what": what}
        if only_this_machine():
            return _(
                "Only this machine can reach it: set ESM_BIND to an address that others reach, then let %(what)s in."
            ) % {"what": what}
        return _("Let %(what)s to the portal in.") % {"what": what}


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    """Give the table, in its order."""
    read = yaml.safe_load((settings.FIXTURES_DIR / "ports.yaml").read_text(encoding="utf-8"))
    return tuple(
        Row(**{("source" if name == "from" else name): _frozen(value) for name, value in each.items()}) for each in read
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def lines(*, ask: bool = True) -> list[Line]:
    """Give every row with how it stands; ``ask`` has our own ports asked whether they answer."""
    ours = {each.port.variable: each for process in running.look().processes for each in process.ports}
    known = set(drivers.specs())
    states = {variable: _state(opened, ask=ask) for variable, opened in ours.items()}
    return [_line(row, ours.get(row.variable), states, known) for row in rows()]


def _line(row: Row, opened: OpenPort | None, states: dict[str, str], known: set[str]) -> Line:
    if opened is not None:
        pending = opened.next_number if opened.next_number != opened.number else None
        return Line(
            row,
            str(opened.number),
            True,
            states[row.variable],
            pending,
            opened.decided_by,
            opened.port.option,
        )
    used = row.protocol == "icmp" or bool(known.intersection(row.drivers))
    return Line(row, row.port, used and not row.variable, NOT_OURS if used and not row.variable else NOT_USED)


def _state(opened: OpenPort, *, ask: bool) -> str:
    if opened.is_off:
        return OFF
    if opened.is_open is False:
        return CLOSED
    if not ask:
        return NOT_KNOWN
    binds = opened.port.binds or ports.addresses(settings.BIND)
    return reaching.ours(opened.port.protocol, binds, opened.number).value


def only_this_machine() -> bool:
    """Say whether the portal listens on loopback addresses alone."""
    return all(bind.startswith("127.") or bind == "::1" for bind in ports.addresses(settings.BIND))


def narrowed(
    found: Iterable[Line], words: str = "", direction: str = "", protocol: str = "", used: str = ""
) -> list[Line]:
    """Keep the lines that somebody looks for."""
    wanted = words.casefold().split()
    return [
        line
        for line in found
        if direction in {"", line.row.direction}
        and protocol in {"", line.row.protocol}
        and (not used or line.used == (used == "true"))
        and all(word in _text(line) for word in wanted)
    ]


def _text(line: Line) -> str:
    row = line.row
    told = (translated(text) for text in (row.section, row.purpose, row.peer))
    return " ".join((row.id, *told, line.port, row.source, row.protocol)).casefold()


def translated(text: str) -> str:
    """Give a text of the table in the reader's language."""
    return _(text) if text else ""


def testable(line: Line) -> Sequence[int]:
    """Give the ports of a device that can be tried from here."""
    return line.row.numbers if line.row.direction == "out" and line.row.protocol == "tcp" else ()


def try_component(component: Component, number: int) -> list[tuple[str, Reach]]:
    """Open a connection to this port at each address of a component, and say what came of it."""
    addresses = dict.fromkeys(component.interfaces.order_by("pk").values_list("address", flat=True))
    return [(address, reaching.tcp(address, number, FAR_PATIENCE)) for address in addresses]
