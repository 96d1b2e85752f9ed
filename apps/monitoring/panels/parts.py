"""What the component's page shows of its parts: network ports, states, and the way of the power through a UPS."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.components.pages.look import Look, common_origin
from apps.drivers.contract import WORST_FIRST, Capability, PortState, StateKind, Status, UpsPart
from apps.monitoring import exclusions
from apps.monitoring.models import Neighbour
from apps.monitoring.port_reports import PortView
from apps.monitoring.services import neighbours, port_exclusion, readings
from apps.monitoring.services.readings import PortsView, SensorView, StateView

PORT_STATES: dict[PortState, tuple[str, Promise | str]] = {  # the state that it looks like, its word
    PortState.UP: ("normal", pgettext_lazy("port", "Up")),
    PortState.DOWN: ("unknown", pgettext_lazy("port", "Down")),
    PortState.DISABLED: ("suspended", pgettext_lazy("port", "Disabled")),
    PortState.DORMANT: ("information", pgettext_lazy("port", "Dormant")),
    PortState.NOT_PRESENT: ("unknown", pgettext_lazy("port", "Not present")),
    PortState.UNKNOWN: ("unknown", pgettext_lazy("port", "Unknown")),
}
STATE_ICONS: dict[StateKind, str] = {
    StateKind.POWER: "plug",
    StateKind.BATTERY: "battery-charging",
    StateKind.COOLING: "propeller",
    StateKind.TEMPERATURE: "temperature",
    StateKind.PROCESSOR: "cpu",
    StateKind.MEMORY: "device-sd-card",
    StateKind.STORAGE: "database",
    StateKind.MODULE: "stack-2",
    StateKind.CHASSIS: "server",
    StateKind.TEST: "clipboard",
    StateKind.ALARM: "bell",
    StateKind.OTHER: "box",
}
PARTS: dict[UpsPart, tuple[Promise | str, str]] = {  # in the order in which the power flows
    UpsPart.INPUT: (_("Input"), "plug"),
    UpsPart.BYPASS: (_("Bypass"), "route"),
    UpsPart.BATTERY: (_("Battery"), "battery-charging"),
    UpsPart.OUTPUT: (_("Output"), "bolt"),
}
CHARGE = "battery.charge"
OF_UPS = ("source", "battery", "test")  # states that the panel of the UPS shows
FIRST_PORTS, FIRST_STATES = 8, 8


@dataclass(frozen=True, slots=True)
class PortRow:
    """One line of a port table."""

    interface_id: int
    view: PortView
    state: str  # the state that it looks like
    word: Promise | str
    excluded: bool
    heard: Sequence[Neighbour] = ()


@dataclass(frozen=True, slots=True)
class PortPanel:
    """The network ports of a component; ``rows`` may be a part of all."""

    rows: Sequence[PortRow]
    up: int
    total: int
    excluded: int
    stale_since: datetime | None
    may_set: bool

    @property
    def told_by(self) -> int | None:
        """Give the interface by which all of these came; None where there are several."""
        return common_origin(row.interface_id for row in self.rows)


@dataclass(frozen=True, slots=True)
class StatePanel:
    """What the parts of a component say of themselves; ``rows`` may be a part of all."""

    rows: Sequence[tuple[StateView, str]]  # the state, its icon
    total: int
    bad: int
    stale_since: datetime | None

    @property
    def told_by(self) -> int | None:
        """Give the interface by which all of these came; None where there are several."""
        return common_origin(view.interface_id for view, _icon in self.rows)


@dataclass(frozen=True, slots=True)
class PartOfUps:
    """One station of the power's way: what is measured there."""

    part: UpsPart
    label: Promise | str
    icon: str
    sensors: Sequence[SensorView]  # of the whole
    lines: Sequence[tuple[str, Sequence[SensorView]]] = ()  # where there are several, what is measured at each


@dataclass(frozen=True, slots=True)
class UpsPanel:
    """An uninterruptible power supply: where its power comes from and goes to, and what it complains of."""

    source: StateView | None
    battery: StateView | None
    test: StateView | None
    charge: SensorView | None
    alarms: Sequence[StateView]
    parts: Sequence[PartOfUps] = field(default_factory=tuple)
    stale_since: datetime | None = None


# --- ports ---------------------------------------------------------------------------------------------------------


def port_reports_of(look: Look) -> list[PortsView]:
    """Give the ports by interface, read once for the page."""
    return look.once("ports", lambda: readings.ports(look.component))


def _ports(look: Look, *, most: int | None = None) -> PortPanel | None:
    reports = port_reports_of(look)
    ports = [(report.interface_id, port) for report in reports for port in report.ports]
    if not ports:
        return None
    excluded = look.once("excluded", lambda: port_exclusion.of_component(look.component))
    heard = look.once("neighbours", lambda: neighbours.by_port(neighbours.of_component(look.component)))
    shown = ports
    if most is not None:
        shown = sorted(ports, key=lambda one: (one[1].state is not PortState.UP, -_busy(one[1]), one[1].index))[:most]
    return PortPanel(
        rows=[
            PortRow(
                interface_id,
                port,
                *PORT_STATES[port.state],
                exclusions.is_excluded(port, excluded),
                heard.get((interface_id, port.index), ()),
            )
            for interface_id, port in shown
        ],
        up=sum(port.state is PortState.UP for _interface, port in ports),
        total=len(ports),
        excluded=len(exclusions.indexes((port for _interface, port in ports), excluded)),
        stale_since=min((report.measured_at for report in reports if report.stale), default=None),
        may_set=look.may("components"),
    )


def _busy(port: PortView) -> float:
    return (port.in_rate or 0.0) + (port.out_rate or 0.0)


def first_ports(look: Look) -> PortPanel | None:
    """Give the busiest ports; None when no interface reported any."""
    return _ports(look, most=FIRST_PORTS)


def all_ports(look: Look) -> PortPanel:
    """Give every port in the device's order."""
    return _ports(look) or PortPanel([], 0, 0, 0, None, False)


def count_ports(look: Look) -> int | None:
    """Give how many ports there are, for the tab."""
    return sum(len(report.ports) for report in port_reports_of(look)) or None


# --- states --------------------------------------------------------------------------------------------------------


def _states(look: Look) -> list[StateView]:
    return look.once("states", lambda: readings.states(look.component))


def _is_of_ups(view: StateView) -> bool:
    return view.key in OF_UPS or view.kind is StateKind.ALARM


def _state_panel(look: Look, most: int | None = None) -> StatePanel | None:
    found = _states(look)
    if Capability.UPS in look.capabilities:
        found = [view for view in found if not _is_of_ups(view)]
    if not found:
        return None
    by_rank = sorted(found, key=lambda view: WORST_FIRST[view.status])
    return StatePanel(
        rows=[(view, STATE_ICONS[view.kind]) for view in (by_rank[:most] if most is not None else by_rank)],
        total=len(found),
        bad=sum(WORST_FIRST[view.status] < WORST_FIRST[Status.UNKNOWN] for view in found),
        stale_since=min((view.measured_at for view in found if view.stale), default=None),
    )


def first_states(look: Look) -> StatePanel | None:
    """Give the worst states; None where no part says anything."""
    return _state_panel(look, FIRST_STATES)


def all_states(look: Look) -> StatePanel | None:
    """Give every state, the worst first."""
    return _state_panel(look)


# --- UPS -----------------------------------------------------------------------------------------------------------


def ups(look: Look) -> UpsPanel | None:
    """Give the way of the power; None before the UPS told anything."""
    sensors = look.once("sensors", lambda: readings.latest(look.component))
    states = {view.key: view for view in _states(look)}
    parts = []
    for part, (label, icon) in PARTS.items():
        mine = [view for view in sensors if view.key.startswith(f"{part}.")]
        by_line: dict[str, list[SensorView]] = defaultdict(list)
        for view in mine:
            number = view.key.split(".")[1]
            by_line[number if number.isdigit() else ""].append(view)
        whole = by_line.pop("", [])
        lines = [(f"L{number}", found) for number, found in by_line.items()]
        if len(lines) == 1:
            whole, lines = [*lines[0][1], *whole], []
        if mine:
            parts.append(PartOfUps(part, label, icon, [view for view in whole if view.key != CHARGE], lines))
    if not parts and not states:
        return None
    stale = [view.measured_at for view in sensors if view.stale]
    stale += [view.measured_at for view in states.values() if view.stale]
    return UpsPanel(
        source=states.get("source"),
        battery=states.get("battery"),
        test=states.get("test"),
        charge=next((view for view in sensors if view.key == CHARGE), None),
        alarms=[view for view in states.values() if view.kind is StateKind.ALARM],
        parts=parts,
        stale_since=min(stale, default=None),
    )
