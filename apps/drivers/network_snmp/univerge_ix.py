"""NEC UNIVERGE IX routers (PICO-SMI-MIB): load, memory and temperature."""

from collections.abc import Iterator

from apps.drivers.contract import Quantity, Reading, State
from apps.drivers.network_snmp.told import Load, Told, percent
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import number, sensor

_SYSTEM = "1.3.6.1.4.1.119.2.3.84.2"
CELSIUS = f"{_SYSTEM}.1.1.0"
CPU_1_MINUTE = f"{_SYSTEM}.5.3.0"
MEMORY_USAGE = f"{_SYSTEM}.6.2.0"

MIBS = (Mib("PICO-SMI-MIB", (CELSIUS, CPU_1_MINUTE, MEMORY_USAGE), root=_SYSTEM),)


def loads(told: Told) -> Iterator[Load]:
    """Give the router's load over the last minute and its heap."""
    cpu, memory = (percent(number(told.scalars.get(oid))) for oid in (CPU_1_MINUTE, MEMORY_USAGE))
    if cpu is not None or memory is not None:
        yield Load("ix", "CPU load", cpu, memory)


def readings(told: Told) -> Iterator[Reading]:
    """Give the temperature inside."""
    value = number(told.scalars.get(CELSIUS))
    if value is not None and value:
        yield Reading(sensor("temperature.chassis", "Chassis temperature", Quantity.TEMPERATURE, "°C"), float(value))


def states(told: Told) -> Iterator[State]:
    """These routers tell of no parts."""
    return iter(())
