"""Processor load, load averages, processes, users, uptime and the state of devices (HOST-RESOURCES, UCD-SNMP-MIB)."""

from collections import Counter
from collections.abc import Iterator

from apps.drivers.contract import Fact, InventoryItem, InventoryKind, Quantity, Reading, Status
from apps.drivers.snmp import oids
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.rates import Interval
from apps.drivers.snmp.storage import is_usb
from apps.drivers.snmp.system import uptime
from apps.drivers.snmp.values import (
    Cells,
    Scalars,
    cell,
    decimal,
    indexes,
    line,
    number,
    object_identifier,
    sensor,
)

HOST_RESOURCES = Mib("HOST-RESOURCES-MIB", oids.HOST, oids.HOST_TABLES)
UCD_SNMP = Mib("UCD-SNMP-MIB", oids.UCD)
TICKS = "cpu"  # the key of the processor ticks in a snapshot
_DEVICE_STATES = {1: None, 2: Status.NORMAL, 3: Status.WARNING, 4: None, 5: Status.CRITICAL}
_DEVICE_KINDS = {oids.DEVICE_PROCESSOR: InventoryKind.PROCESSOR, oids.DEVICE_DISK_STORAGE: InventoryKind.STORAGE}
# An empty drive, a printer that is switched off and a card without a cable are no faults of a server.
_MAY_FAIL = {oids.DEVICE_PROCESSOR, oids.DEVICE_DISK_STORAGE}
_EMPTY_DRIVES = ("floppy", "cd", "dvd", "removable", "usb")


def cpu_ticks(ucd: Scalars) -> tuple[int | None, ...]:
    """Give the ticks of ``oids.CPU_TICKS``; empty when the agent does not count them, or has only just started."""
    found = tuple(number(ucd.get(oid)) for oid in oids.CPU_TICKS)
    return found if any(found) and found[-oids.CPU_IDLE_TICKS] is not None else ()


def cpu_readings(cells: Cells, interval: Interval) -> Iterator[Reading]:
    """Give the load of all processors together and of each.

    Together: the ticks since the last contact (UCD-SNMP-MIB ssCpuRaw) where there are any, because they leave nothing
    out; else the mean of hrProcessorLoad, which is an average over the last minute only.
    """
    loads = {
        index: load
        for index in indexes(cells, oids.HR_PROCESSOR_LOAD)
        if (load := number(cell(cells, oids.HR_PROCESSOR_LOAD, index))) is not None and 0 <= load <= 100
    }
    ticks = interval.now.counters.get(TICKS, ())
    if not loads and not ticks:
        return
    value, why = _busy(interval, len(ticks))
    if value is None and loads:
        value, why = sum(loads.values()) / len(loads), ""
    yield Reading(sensor("cpu", "CPU load", Quantity.CPU, "%"), value, why=why)
    if len(loads) > 1:
        for place, (index, load) in enumerate(loads.items(), 1):
            yield Reading(sensor(f"cpu.{index}", f"CPU {place}", Quantity.CPU, "%"), float(load))


def _busy(interval: Interval, places: int) -> tuple[float | None, str]:
    why = interval.why
    rates = []
    for place in range(places):
        rate = interval.rate(TICKS, place, 32)
        rates.append(rate.value or 0.0)
        if rate.value is None and interval.now.counters[TICKS][place] is not None:
            why = why or rate.why
    total, idle = sum(rates), sum(rates[-oids.CPU_IDLE_TICKS :])
    if why or total <= 0:
        return None, why
    return min(100.0 * (total - idle) / total, 100.0), ""


def host_readings(scalars: Scalars) -> Iterator[Reading]:
    """Give load averages, processes, users and uptime, each only where the agent has it."""
    for minutes, oid in oids.LOADS:
        load = decimal(scalars.get(oid))
        if load is not None and load >= 0:
            yield Reading(sensor(f"load.{minutes}", f"Load average {minutes} min", Quantity.LOAD, ""), load)
    processes = number(scalars.get(oids.HR_SYSTEM_PROCESSES))
    if processes is not None:
        yield Reading(sensor("processes", "Processes", Quantity.PROCESSES, ""), float(processes))
    users = number(scalars.get(oids.HR_SYSTEM_NUM_USERS))
    if users is not None:
        yield Reading(sensor("users", "Users", Quantity.OTHER, ""), float(users))
    up = uptime(scalars)
    if up is not None:
        yield Reading(sensor("uptime", "Uptime", Quantity.UPTIME, "s"), up.total_seconds())


def device_facts(cells: Cells) -> Iterator[Fact]:
    """Tell of processors and disks that the device calls down or failing (hrDeviceStatus); of nothing else."""
    for index in indexes(cells, oids.HR_DEVICE_STATUS):
        status = _DEVICE_STATES.get(number(cell(cells, oids.HR_DEVICE_STATUS, index)) or 0)
        kind = object_identifier(cell(cells, oids.HR_DEVICE_TYPE, index))
        name = line(cell(cells, oids.HR_DEVICE_DESCR, index)) or index
        if kind not in _MAY_FAIL or any(word in name.casefold() for word in _EMPTY_DRIVES):
            continue
        if status is Status.WARNING:
            yield Fact(f"device.{index}", status, "%(device)s reports a warning", {"device": name})
        elif status is Status.CRITICAL:
            yield Fact(f"device.{index}", status, "%(device)s is down", {"device": name})


def inventory(cells: Cells) -> Iterator[InventoryItem]:
    """List processors, one item for each model, and disks."""
    models: Counter[str] = Counter()
    for index in indexes(cells, oids.HR_DEVICE_TYPE):
        kind = _DEVICE_KINDS.get(object_identifier(cell(cells, oids.HR_DEVICE_TYPE, index)) or "")
        name = line(cell(cells, oids.HR_DEVICE_DESCR, index))
        if kind is InventoryKind.PROCESSOR:
            models[name or "Processor"] += 1
        elif kind is InventoryKind.STORAGE and not is_usb(name or ""):
            status = _DEVICE_STATES.get(number(cell(cells, oids.HR_DEVICE_STATUS, index)) or 0)
            yield InventoryItem(kind, f"device.{index}", name or index, status)
    for place, (name, count) in enumerate(models.items(), 1):
        yield InventoryItem(InventoryKind.PROCESSOR, f"processor.{place}", name, details={"Logical processors": count})
