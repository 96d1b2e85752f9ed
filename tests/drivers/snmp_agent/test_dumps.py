"""Dumps of real servers, and of whatever else runs a plain agent, are read as a plain look at them does."""

from pathlib import Path

import pytest

from apps.drivers.snmp import oids
from tests.drivers.dumps import Dump, assert_ports, assert_readings, assert_system, dumps, see

OTHERS = dumps("bmc", "iot", "storage")


@pytest.mark.parametrize("path", [*dumps("os/linux", "os/windows"), *OTHERS])
async def test_a_server_is_read_as_its_dump_says(path: Path) -> None:
    dump = Dump.load(path)

    seen = await see("snmp_agent", path)

    assert_system(seen.identity, dump)
    assert_ports(seen.ports, dump)
    assert_readings(seen.readings)
    processes = dump.number(oids.HR_SYSTEM_PROCESSES)
    assert seen.values.get("processes") == (None if processes is None else float(processes))
    loads = [int(load) for load in dump.column(oids.HR_PROCESSOR_LOAD).values()]
    if loads and oids.SS_CPU_RAW_IDLE not in dump.values:
        assert seen.values["cpu"] == pytest.approx(sum(loads) / len(loads))
    assert [fact for fact in seen.facts if not fact.key.startswith("device.")] == []
