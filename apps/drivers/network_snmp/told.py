"""What a network device told of its hardware, and what is made of it whoever made the device."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.drivers.contract import Quantity, Reading
from apps.drivers.snmp.entity import Part
from apps.drivers.snmp.values import Cells, Scalars, sensor


@dataclass(frozen=True, slots=True)
class Told:
    """All values that were read, and the parts that they belong to."""

    scalars: Scalars
    cells: Cells
    parts: "dict[str, Part]"

    def name(self, index: str, otherwise: str) -> str:
        """Give what a part is called."""
        part = self.parts.get(index)
        return part.name if part is not None else otherwise


@dataclass(frozen=True, slots=True)
class Load:
    """How busy one processing part is, in %; None is "not measured"."""

    key: str
    name: str
    cpu: float | None = None
    memory: float | None = None


def load_readings(loads: Sequence[Load]) -> Iterator[Reading]:
    """Give the busiest part as the device's load, then each part where there are several."""
    for quantity, key, name in ((Quantity.CPU, "cpu", "CPU load"), (Quantity.MEMORY, "memory", "Memory")):
        values = [(load, load.cpu if quantity is Quantity.CPU else load.memory) for load in loads]
        measured = [(load, value) for load, value in values if value is not None]
        if not measured:
            continue
        yield Reading(sensor(key, name, quantity, "%"), max(value for _, value in measured))
        if len(measured) > 1:
            for load, value in measured:
                yield Reading(sensor(f"{key}.{load.key}", load.name, quantity, "%"), value)


def percent(value: int | None) -> float | None:
    """Give a share in %, None for what is none."""
    return float(value) if value is not None and 0 <= value <= 100 else None


def share(used: int | None, free: int | None) -> float | None:
    """Give what is used of a whole in %."""
    if used is None or free is None or used < 0 or free < 0 or used + free == 0:
        return None
    return 100.0 * used / (used + free)
