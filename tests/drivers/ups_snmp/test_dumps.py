"""Dumps of real UPSs, and of what stands beside them, are read as a plain look at them does."""

from pathlib import Path

import pytest

from apps.drivers.contract import Status
from apps.drivers.ups_snmp import rfc1628, xups
from apps.drivers.ups_snmp.driver import UpsSnmpDriver
from tests.drivers.dumps import DATA, Dump, asked_of, assert_ports, assert_readings, assert_system, dumps, see

SOURCES = {3: "On line", 4: "On bypass", 5: "On battery"}
CONDITIONS = {2: "Normal", 3: "Low", 4: "Depleted"}
TESTS = {1: "Passed", 6: "Not tested yet"}


@pytest.mark.parametrize("path", dumps("UPS"))
async def test_a_ups_is_read_as_its_dump_says(path: Path) -> None:
    dump = Dump.load(path, asked_of(UpsSnmpDriver))

    seen = await see("ups_snmp", path)

    assert_system(seen.identity, dump)
    assert_ports(seen.ports, dump)
    assert_readings(seen.readings)
    assert seen.facts == ()
    _assert_battery(seen, dump)
    _assert_lines(seen, dump)


def _assert_battery(seen, dump: Dump) -> None:
    """What UPS-MIB says of the battery is what is shown; a number below nothing is "not measured"."""
    words = {state.key: state.words[0] for state in seen.states}
    for oid, key, scale in (
        (rfc1628.CHARGE_REMAINING, "battery.charge", 1.0),
        (rfc1628.BATTERY_VOLTAGE, "battery.voltage", 0.1),
        (rfc1628.BATTERY_TEMPERATURE, "battery.temperature", 1.0),
        (rfc1628.MINUTES_REMAINING, "battery.runtime", 1.0),
    ):
        said = dump.number(oid)
        # Agents say 0 minutes for a battery that is full and well.
        if said is not None and said >= 0 and not (oid == rfc1628.MINUTES_REMAINING and said == 0):
            assert seen.values[key] == pytest.approx(said * scale), key
    for oid, key, meaning in (
        (rfc1628.OUTPUT_SOURCE, "source", SOURCES),
        (rfc1628.BATTERY_STATUS, "battery", CONDITIONS),
        (rfc1628.TEST_RESULT, "test", TESTS),
    ):
        said = dump.number(oid)
        if said is not None:
            assert words[key] == meaning[said]


def _assert_lines(seen, dump: Dump) -> None:
    """Each line that the agent counts has its voltage; tenths of volts and hundredths of hertz are seen through."""
    for part, lines, column in (
        ("input", rfc1628.INPUT_LINES, rfc1628.INPUT_VOLTAGE),
        ("output", rfc1628.OUTPUT_LINES, rfc1628.OUTPUT_VOLTAGE),
        ("bypass", rfc1628.BYPASS_LINES, rfc1628.BYPASS_VOLTAGE),
    ):
        counted = dump.number(lines)
        shown = {key for key in seen.values if key.startswith(f"{part}.") and key.endswith(".voltage")}
        if counted is not None:
            assert len(shown) == counted
            for index, value in dump.column(column).items():
                line = index.split(".")[0]
                if int(line) <= counted:
                    volts = int(value) / 10 if int(value) >= 1000 else int(value)
                    assert seen.values[f"{part}.{line}.voltage"] == volts


async def test_what_upsmib_does_not_say_the_maker_does() -> None:
    huawei = await see("ups_snmp", DATA / "UPS/huawei-gse200m.snmprec.bz2")
    assert (huawei.values["battery.charge"], huawei.values["battery.runtime"]) == (100.0, 468.0)
    assert huawei.identity.serial_number == "2102310NYJ10EB000045"

    path = DATA / "UPS/eaton-9px-partial.snmprec.bz2"
    eaton, dump = await see("ups_snmp", path), Dump.load(path)
    assert eaton.identity.model == "Eaton 9PX 2200i RT 3U"
    assert eaton.values["battery.charge"] == dump.number(xups.CAPACITY) == 100
    assert eaton.values["battery.runtime"] == pytest.approx((dump.number(xups.SECONDS_REMAINING) or 0) / 60, abs=0.05)
    assert eaton.values["output.load"] == dump.number(xups.OUTPUT_LOAD) == 9
    assert [(state.key, state.words[0]) for state in eaton.states] == [("source", "On line"), ("battery", "Normal")]


@pytest.mark.parametrize(
    ("name", "model", "power"),
    [("apc-7902b", "AP7902B", None), ("apc-8641", "AP8641", None), ("apc-8932", "AP8932", 160)],
)
async def test_a_rack_pdu_says_what_it_is_and_is_no_ups(name: str, model: str, power: float | None) -> None:
    seen = await see("ups_snmp", DATA / f"UPS/{name}.snmprec")
    assert (seen.identity.manufacturer, seen.identity.model) == ("APC", model)
    assert seen.identity.serial_number
    assert power is None or seen.values["power"] == power
    assert [state for state in seen.states if state.status is not Status.NORMAL] == []
    assert "battery.charge" not in seen.values
