"""The disks of a component: how full, how large, how they grew and when they will be full."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.components.models import InventoryItem
from apps.components.pages.look import Look, common_origin
from apps.drivers.contract import InventoryKind, Quantity
from apps.monitoring import panels
from apps.monitoring.courses import Course
from apps.monitoring.models import Sensor
from apps.monitoring.services import history
from apps.monitoring.services.readings import SensorView
from apps.monitoring.services.trends import Forecast, forecast

GROWTH = timedelta(days=30)
SIZE, USED = "Size (bytes)", "Used (bytes)"  # what drivers call these details of a part


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk or file system; what the inventory does not say is None."""

    view: SensorView
    course: Course
    size: int | None
    used: float | None  # by the size and the last measurement, else as the inventory has it
    forecast: Forecast

    @property
    def free(self) -> float | None:
        """Give how much is left."""
        return None if self.size is None or self.used is None else self.size - self.used


@dataclass(frozen=True, slots=True)
class StoragePanel:
    """The disks, the fullest first."""

    disks: Sequence[Disk]
    may_set: bool

    @property
    def told_by(self) -> int | None:
        """Give the interface by which all of these came; None where there are several."""
        return common_origin(disk.view.interface_id for disk in self.disks)


def of(look: Look) -> list[SensorView]:
    """Give the sensors of the disks."""
    return [view for view in panels.views(look) if view.kind is Quantity.STORAGE]


def storage(look: Look) -> StoragePanel:
    """Give the table of the disks."""
    views = sorted(of(look), key=lambda view: -(view.value if view.value is not None else -1.0))
    sensors = list(Sensor.objects.filter(pk__in=[view.id for view in views]).select_related("interface__component"))
    end = timezone.now()
    summaries = history.summaries(sensors, end - GROWTH, end)
    parts = _parts(look)
    disks = []
    for view in views:
        details = parts.get((view.interface_id, view.key)) or parts.get((view.interface_id, view.name)) or {}
        size = details.get(SIZE)
        used = size * view.value / 100 if size is not None and view.value is not None else details.get(USED)
        summary = summaries.get(view.id)
        told = forecast(summary.trend) if summary else Forecast(None, None, None)
        disks.append(Disk(view, panels.course_of(look, view), int(size) if size is not None else None, used, told))
    return StoragePanel(disks, look.may("components"))


def _parts(look: Look) -> dict[tuple[int, str], dict[str, float]]:
    """Give the numbers that the inventory has of storage, by interface and key, and by interface and name."""
    rows = InventoryItem.objects.filter(interface__component=look.component, kind=InventoryKind.STORAGE)
    found: dict[tuple[int, str], dict[str, float]] = {}
    for interface_id, key, name, details in rows.values_list("interface_id", "key", "name", "details"):
        numbers = {
            label: value
            for label, value in details.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        found[interface_id, key] = numbers
        found.setdefault((interface_id, name), numbers)
    return found
