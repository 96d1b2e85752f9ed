"""Tells what was measured last: for pages, the API and reports."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components.models import Component
from apps.core.phrases import Phrase
from apps.drivers.contract import Limits, Quantity, StateKind, Status
from apps.drivers.contract import Sensor as Point
from apps.monitoring import layouts, naming, packing, port_reports
from apps.monitoring.judging import STATUSES
from apps.monitoring.layouts import NO_LIMITS
from apps.monitoring.models import LastPorts, LastStates, LastValues, Sensor
from apps.monitoring.port_reports import PortView
from apps.monitoring.services.periods import Periods
from apps.monitoring.services.polling import own_limits
from apps.monitoring.services.staleness import is_stale

USER, DEVICE = "user", "device"
NOT_POLLED = gettext_noop("not polled")


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor as it is shown: its value with unit, status, limits and age."""

    id: int
    interface_id: int
    key: str
    name: str
    kind: Quantity
    unit: str
    value: float | None
    status: Status
    since: datetime  # when the status became this
    limits: Limits
    limits_source: str | None  # "user", "device", None where there are no limits
    measured_at: datetime
    stale: bool
    why: Phrase  # why there is no value; empty where there is one

    @property
    def label(self) -> str:
        """Give the name in the reader's language."""
        return naming.label(self.name, self.kind)


@dataclass(frozen=True, slots=True)
class PortsView:
    """The ports that one interface reported."""

    interface_id: int
    measured_at: datetime
    stale: bool
    ports: Sequence[PortView]


@dataclass(frozen=True, slots=True)
class StateView:
    """One state as it is shown."""

    interface_id: int
    key: str
    name: str
    kind: StateKind
    words: tuple[Phrase, ...]
    status: Status
    told_at: datetime | None  # by the device's own word
    since: datetime  # since when it says so, as far as we saw
    measured_at: datetime
    stale: bool

    @property
    def label(self) -> str:
        """Give the name in the reader's language."""
        return naming.label(self.name, "")


def latest(component: Component) -> list[SensorView]:
    """Give every sensor of a component in the order in which its interfaces list them."""
    return [view for one in latest_of([component.pk]).values() for view in one]


def latest_of(component_ids: Iterable[int]) -> dict[int, list[SensorView]]:
    """Give the sensors of several components; the number of queries does not depend on how many."""
    ids = list(component_ids)
    found: dict[int, list[SensorView]] = {pk: [] for pk in ids}
    last = (
        LastValues.objects.filter(interface__component__in=ids)
        .select_related("interface__component")
        .order_by("interface_id")
    )
    rows = list(last)
    interfaces = [row.interface_id for row in rows]
    known: dict[tuple[int, str], tuple[int, datetime]] = {
        (interface_id, key): (pk, since)
        for pk, interface_id, key, since in Sensor.objects.filter(interface__in=interfaces)
        .order_by()
        .values_list("pk", "interface_id", "key", "since")
    }
    own = own_limits(interfaces)
    periods = Periods.now()
    now = timezone.now()
    for row in rows:
        stale = is_stale(row.interface, row.measured_at, periods, now)
        found[row.interface.component_id] += _views(row, known, own.get(row.interface_id, {}), stale)
    return found


def _views(
    row: LastValues, known: Mapping[tuple[int, str], tuple[int, datetime]], own: Mapping[str, Limits], stale: bool
) -> list[SensorView]:
    points = layouts.sensors_of(row.layout_id)
    values = packing.unpack(row.values).tolist()
    whys = {place: why for why, places in json.loads(row.whys or "{}").items() for place in places}
    views = []
    for place, (point, value, letter) in enumerate(zip(points, values, row.statuses, strict=True)):
        entry = known.get((row.interface_id, point.key))
        if entry is None:
            continue  # it was listed a moment ago by a poll that is just being written
        limits, source = _limits(point, own)
        views.append(
            SensorView(
                id=entry[0],
                interface_id=row.interface_id,
                key=point.key,
                name=point.name,
                kind=point.quantity,
                unit=point.unit,
                value=None if value != value else value,
                status=STATUSES[letter],
                since=entry[1],
                limits=limits,
                limits_source=source,
                measured_at=row.measured_at,
                stale=stale,
                why=Phrase(whys.get(place, "")),
            )
        )
    return views


def _limits(point: Point, own: Mapping[str, Limits]) -> tuple[Limits, str | None]:
    if point.key in own:
        return own[point.key], USER
    return point.limits, None if point.limits == NO_LIMITS else DEVICE


def ports(component: Component) -> list[PortsView]:
    """Give the network ports of a component, by interface."""
    last = LastPorts.objects.filter(interface__component=component).select_related("interface__component")
    periods, now = Periods.now(), timezone.now()
    return [
        PortsView(
            row.interface_id,
            row.measured_at,
            is_stale(row.interface, row.measured_at, periods, now),
            port_reports.views(
                bytes(row.report),
                row.measured_at.timestamp(),
                bytes(row.previous) if row.previous is not None else None,
                row.previous_at.timestamp() if row.previous_at else None,
            ),
        )
        for row in last.order_by("interface_id")
    ]


def states(component: Component) -> list[StateView]:
    """Give every state of a component in the order in which its interfaces list them."""
    last = LastStates.objects.filter(interface__component=component).select_related("interface__component")
    periods, now = Periods.now(), timezone.now()
    return [
        StateView(
            row.interface_id,
            key,
            name,
            StateKind(kind),
            tuple(Phrase(word) for word in words),
            Status(status),
            datetime.fromtimestamp(told_at, UTC) if told_at is not None else None,
            datetime.fromtimestamp(since, UTC),
            row.measured_at,
            is_stale(row.interface, row.measured_at, periods, now),
        )
        for row in last.order_by("interface_id")
        for key, name, kind, words, status, told_at, since in json.loads(row.states)
    ]
