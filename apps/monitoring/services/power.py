"""What one component draws: now, over a range by our own history, over the controller's own window, and its cap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.components.models import Component
from apps.core.phrases import Phrase
from apps.drivers.contract import Quantity
from apps.monitoring import foremost
from apps.monitoring.judging import NOT_MEASURED
from apps.monitoring.models import FleetQuantity, LastPower, Sensor
from apps.monitoring.services import fleet_history, history, precedence
from apps.monitoring.services.readings import SensorView


@dataclass(frozen=True, slots=True)
class Own:
    """What the controller says over a window of its own; None where it does not tell."""

    minimum: float | None
    average: float | None
    maximum: float | None
    over: timedelta | None

    @property
    def seconds(self) -> float | None:
        """Give how long that window is in seconds."""
        return self.over.total_seconds() if self.over is not None else None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a component draws. ``sensor`` is its meter; without one the watts are those of its parts together."""

    watts: float | None
    measured_at: datetime | None
    stale: bool
    why: Phrase  # why there are no watts
    sensor: SensorView | None
    interface_id: int | None  # that measures it
    own: Own | None
    cap: float | None  # W; None: there is none, or none is told
    throttled: bool | None
    told_at: datetime | None  # when the controller told the last three
    capped_by: int | None = None  # the interface that told them

    @property
    def above_cap(self) -> bool:
        """Say whether it draws more than its cap."""
        return self.cap is not None and self.watts is not None and not self.stale and self.watts > self.cap


NOTHING = Drawn(None, None, False, Phrase(NOT_MEASURED), None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Over:
    """What our own history says over a range."""

    low: float
    mean: float
    high: float


def of(component: Component, views: Sequence[SensorView]) -> Drawn | None:
    """Give what a component draws by the sensors that it has; None where nothing of it measures power.

    Two ways that both measure it measure the same: ``precedence`` says which counts, of those that have a value.
    """
    by_interface: dict[int, list[SensorView]] = {}
    for view in views:
        if view.kind is Quantity.POWER and view.unit == "W":
            by_interface.setdefault(view.interface_id, []).append(view)
    told = {row.interface_id: row for row in LastPower.objects.filter(interface__component=component).order_by("pk")}
    if not by_interface:
        return None
    meters = {pk: _meter(found) for pk, found in by_interface.items()}
    controllers = precedence.controllers_of(component) if len(by_interface) > 1 else frozenset()

    def order(pk: int) -> tuple[bool, precedence.Rank]:
        meter = meters[pk]
        fresh = [view for view in ([meter] if meter else by_interface[pk]) if view.value is not None and not view.stale]
        rank = precedence.rank(precedence.POWER, pk, is_controller=pk in controllers, is_whole=meter is not None)
        return not fresh, rank

    chosen = min(by_interface, key=order)
    meter = meters[chosen]
    return _drawn([meter] if meter else by_interface[chosen], meter, told)


def _meter(found: Sequence[SensorView]) -> SensorView | None:
    place = foremost.meter_among([(view.key, view.name) for view in found])
    return None if place is None else found[place]


def _drawn(found: Sequence[SensorView], meter: SensorView | None, told: dict[int, LastPower]) -> Drawn:
    values = [view.value for view in found if view.value is not None]
    first = found[0]
    mine = told.get(first.interface_id)
    capped = next((row for row in (mine, *told.values()) if row is not None and row.cap), mine)
    return Drawn(
        watts=sum(values) if values else None,
        measured_at=first.measured_at,
        stale=first.stale,
        why=Phrase("") if values else (first.why or Phrase(NOT_MEASURED)),
        sensor=meter,
        interface_id=first.interface_id,
        own=_own(mine),
        cap=capped.cap if capped is not None else None,
        throttled=capped.throttled if capped is not None else None,
        told_at=capped.told_at if capped is not None else None,
        capped_by=capped.interface_id if capped is not None else None,
    )


def _own(row: LastPower | None) -> Own | None:
    if row is None or (row.minimum is None and row.average is None and row.maximum is None):
        return None
    over = timedelta(seconds=row.seconds) if row.seconds else None
    return Own(row.minimum, row.average, row.maximum, over)


def over(component: Component, drawn: Drawn | None, start: datetime, end: datetime) -> Over | None:
    """Give what it drew over a range; None where nothing was measured."""
    if drawn is not None and drawn.sensor is not None:
        rows = Sensor.objects.filter(pk=drawn.sensor.id).select_related("interface__component")
        found = history.summaries(list(rows), start, end).get(drawn.sensor.id)
        return Over(found.low, found.mean, found.high) if found is not None else None
    totals = fleet_history.totals(FleetQuantity.POWER, fleet_history.chosen([component.pk]), start, end)
    mean = float(totals.mean[0])
    return None if mean != mean else Over(float(totals.low[0]), mean, float(totals.high[0]))
