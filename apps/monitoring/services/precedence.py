"""Whose value counts where several ways of managing one machine measure the same.

Never that of who wrote last. Of what the hardware measures it is the controller's, which measures it also while no
operating system runs; of what an operating system counts it is an agent's. Power goes by who measures the whole first.
Of equals the interface that was there first counts. Who has no value, or a stale one only, stands back.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from apps.components.models import Component, ManagementInterface
from apps.components.services import identity
from apps.core.rows import among
from apps.monitoring import layouts, packing
from apps.monitoring.foremost import choose
from apps.monitoring.judging import columns as columns_of
from apps.monitoring.models import LastValues
from apps.monitoring.services.asking import Polled
from apps.monitoring.services.periods import Periods
from apps.monitoring.services.staleness import DECIDES_STALENESS, is_stale

POWER, UPTIME = "power", "uptime"
OF_HARDWARE = frozenset({POWER, "temperature", "humidity", "fan", "voltage", "current"})
"""Quantities, and columns of components named like them, of which a controller knows more than an agent."""

Rank = tuple[bool, bool, int]


def rank(what: str, interface_id: int, *, is_controller: bool, is_whole: bool = True) -> Rank:
    """Give the place of an interface among those that measure a quantity: the lowest counts."""
    return not is_whole, is_controller is not (what in OF_HARDWARE), interface_id


def controllers_of(component: Component) -> frozenset[int]:
    """Give those interfaces of a component that speak with its controller."""
    rows = ManagementInterface.objects.filter(component=component, driver__in=identity.controllers()).order_by()
    return frozenset(rows.values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Told:
    """What one interface measures of what lists sort by."""

    interface_id: int
    is_controller: bool
    has_meter: bool
    values: Mapping[str, float | None]

    def rank(self, what: str) -> Rank:
        """Give its place for one of them."""
        whole = self.has_meter or what != POWER
        return rank(what, self.interface_id, is_controller=self.is_controller, is_whole=whole)


Elsewhere = Mapping[int, Sequence[Told]]
"""By component: what each of its interfaces says, where there are several."""


def elsewhere(batch: Sequence[Polled]) -> Elsewhere:
    """Give what is known of components that are measured in several ways: from these polls, else what was last."""
    polled = {one.line.interface_id: one for one in batch if one.readings is not None}
    owners = Counter(one.line.component_id for one in polled.values())
    if not owners:
        return {}
    last = LastValues.objects.filter(interface__component__in=among(owners), interface__enabled=True)
    last = last.exclude(interface__in=among(polled)).select_related("interface__component").order_by()
    others = list(last.only("layout_id", "values", *DECIDES_STALENESS))
    several = {row.interface.component_id for row in others} | {pk for pk, number in owners.items() if number > 1}
    found: dict[int, list[Told]] = defaultdict(list)
    for one in polled.values():
        if one.line.component_id in several:
            found[one.line.component_id].append(_said(one))
    for told in _fresh(others):
        found[told[0]].append(told[1])
    return found


def _said(polled: Polled) -> Told:
    readings, line = polled.readings, polled.line
    values = {**readings.columns, UPTIME: readings.uptime} if readings is not None else {}
    has_meter = readings is not None and choose(readings.sensors).metered
    return Told(line.interface_id, line.driver in identity.controllers(), has_meter, values)


def _fresh(rows: Iterable[LastValues]) -> Iterable[tuple[int, Told]]:
    """Give (component, what it said) of those that are not stale."""
    controllers, periods, now = identity.controllers(), Periods.now(), timezone.now()
    for row in rows:
        interface = row.interface
        if is_stale(interface, row.measured_at, periods, now):
            continue
        chosen = layouts.foremost_of(row.layout_id)
        numbers = [None if value != value else value for value in packing.unpack(row.values).tolist()]
        values, uptime = columns_of(chosen, numbers)
        told = Told(row.pk, interface.driver in controllers, chosen.metered, {**values, UPTIME: uptime})
        yield interface.component_id, told


def columns(polled: Polled, known: Elsewhere) -> dict[str, float | None]:
    """Give what lists sort by, without what another interface of the component says with more right."""
    found = polled.readings.columns if polled.readings is not None else {}
    return {name: value for name, value in found.items() if counts(polled, name, value, known)}


def counts(polled: Polled, what: str, value: float | None, known: Elsewhere) -> bool:
    """Say whether it is this interface whose value counts."""
    told = known.get(polled.line.component_id, ())
    mine = next((one for one in told if one.interface_id == polled.line.interface_id), None)
    if mine is None:
        return True
    others = [one for one in told if one is not mine and one.values.get(what) is not None]
    return not others if value is None else not any(one.rank(what) < mine.rank(what) for one in others)
