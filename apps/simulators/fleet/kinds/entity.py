"""What a simulated device is made of: ENTITY-MIB (RFC 6933) and the sensors of ENTITY-SENSOR-MIB (RFC 3433)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.protocols.snmp.ber import Oid, Tag
from apps.simulators.fleet.shape import Shape

ENTRY = "1.3.6.1.2.1.47.1.1.1.1"
SENSOR = "1.3.6.1.2.1.99.1.1.1"
STACK, CHASSIS, POWER_SUPPLY, FAN, SENSOR_CLASS, MODULE = 11, 3, 6, 7, 8, 9
CELSIUS, RPM, WATTS = 8, 10, 6
_UNITS, _OK = 9, 1


@dataclass(frozen=True, slots=True)
class Item:
    """One part. ``reads`` gives the value of a sensor in units of ``measures``."""

    index: int
    description: str
    kind: int
    within: int = 0
    name: str = ""
    revision: str = ""
    is_device: bool = False  # carries the serial number and the UUID of the device
    vendor_type: Oid = "0.0"
    measures: int = 0
    reads: Callable[[Any], int] | None = None


def build(shape: Shape, items: Sequence[Item], manufacturer: str, model: str) -> None:
    """Show the parts, and the values of those that are sensors."""
    text, number = Tag.OCTET_STRING, Tag.INTEGER
    shape.constants(f"{ENTRY}.2", text, [(i.index, i.description.encode()) for i in items])
    shape.constants(f"{ENTRY}.3", Tag.OBJECT_IDENTIFIER, [(i.index, i.vendor_type) for i in items])
    shape.constants(f"{ENTRY}.4", number, [(i.index, i.within) for i in items])
    shape.constants(f"{ENTRY}.5", number, [(i.index, i.kind) for i in items])
    shape.constants(f"{ENTRY}.6", number, [(i.index, place) for place, i in enumerate(items, 1)])
    shape.constants(f"{ENTRY}.7", text, [(i.index, (i.name or i.description).encode()) for i in items])
    shape.constants(f"{ENTRY}.10", text, [(i.index, i.revision.encode()) for i in items])
    rows = [(i.index, i) for i in items]
    shape.column(f"{ENTRY}.11", text, rows, lambda m, i: m.device.serial_number.encode() if i.is_device else b"")
    shape.constants(f"{ENTRY}.12", text, [(i.index, manufacturer.encode() if i.is_device else b"") for i in items])
    shape.constants(f"{ENTRY}.13", text, [(i.index, model.encode() if i.is_device else b"") for i in items])
    shape.constants(f"{ENTRY}.16", number, [(i.index, 1 if i.is_device else 2) for i in items])
    shape.column(f"{ENTRY}.19", text, rows, lambda m, i: m.device.uuid.bytes if i.is_device else b"")
    sensors = [item for item in items if item.reads]
    shape.constants(f"{SENSOR}.1", number, [(i.index, i.measures) for i in sensors])
    shape.constants(f"{SENSOR}.2", number, [(i.index, _UNITS) for i in sensors])
    shape.constants(f"{SENSOR}.3", number, [(i.index, 0) for i in sensors])
    shape.column(f"{SENSOR}.4", number, [(i.index, i.reads) for i in sensors], lambda m, read: read(m))
    shape.constants(f"{SENSOR}.5", number, [(i.index, _OK) for i in sensors])
    units = {CELSIUS: b"degrees Celsius", RPM: b"rpm", WATTS: b"watts"}
    shape.constants(f"{SENSOR}.6", text, [(i.index, units[i.measures]) for i in sensors])
    shape.column(f"{SENSOR}.7", Tag.TIME_TICKS, [(i.index, None) for i in sensors], lambda m, _: m.uptime)
    shape.constants(f"{SENSOR}.8", Tag.GAUGE32, [(i.index, 1000) for i in sensors])
