"""The simulated controller as ipmitool sees it, a client that we did not write."""

import pytest

from apps.simulators.bmc import Controller, Fault, Order
from tests.simulators.bmc.conftest import OPERATOR, VIEWER, Ipmitool, until


def cells(said: str, separator: str = ":") -> dict[str, str]:
    """Names and values of lines."""
    pairs = (line.split(separator) for line in said.splitlines() if separator in line)
    return {pair[0].strip(): separator.join(pair[1:2]).strip() for pair in pairs}


@pytest.mark.parametrize("suite", [3, 17])
async def test_it_speaks_both_suites(ipmitool: Ipmitool, controller: Controller, suite: int) -> None:
    said = cells(await ipmitool("mc", "info", suite=suite))
    assert (said["Firmware Revision"], said["IPMI Version"], said["Manufacturer ID"]) == ("2.45", "2.0", "119")
    assert (controller.sessions.opened, len(controller.sessions)) == (1, 0)


async def test_the_best_suite_is_found_by_asking(ipmitool: Ipmitool) -> None:
    said = await ipmitool("channel", "getciphers", "ipmi", "1")
    assert [line.split()[0] for line in said.splitlines()[1:]] == ["3", "17"]


async def test_a_wrong_suite_and_a_wrong_password_are_refused(ipmitool: Ipmitool, controller: Controller) -> None:
    assert "invalid confidentiality algorithm" in await ipmitool("mc", "info", suite=2, fails=True)
    controller.begin(Fault.WRONG_PASSWORD)
    assert "Unable to establish" in await ipmitool("mc", "info", fails=True)
    assert (controller.sessions.opened, len(controller.sessions)) == (0, 0)


async def test_power_boot_and_lamp(ipmitool: Ipmitool, controller: Controller) -> None:
    machine = controller.machine
    await ipmitool("chassis", "bootdev", "pxe", "options=efiboot")
    said = await ipmitool("chassis", "bootparam", "get", "5")
    assert "Force PXE" in said
    assert "BIOS EFI boot" in said
    assert "only next boot" in said
    started: list[object] = []
    machine.watch(lambda _, happening: started.append(happening))
    await ipmitool("chassis", "power", "cycle")
    await until(lambda: not machine.is_on)
    await until(lambda: machine.is_on)
    assert "No override" in await ipmitool("chassis", "bootparam", "get", "5")
    assert "chassis power control command" in await ipmitool("chassis", "restart_cause")
    await ipmitool("chassis", "power", "soft")
    await until(lambda: not machine.is_on)
    assert "state" in await ipmitool("chassis", "power", "reset", fails=True)  # not in the present state
    assert machine.orders == [Order.CYCLE, Order.SOFT]
    await ipmitool("chassis", "identify", "20")
    assert machine.is_lit
    await ipmitool("chassis", "identify", "0")
    assert not machine.is_lit
    await ipmitool("chassis", "identify", "force")
    assert machine.is_lit_for_good


async def test_sensors_show_load_faults_and_power(ipmitool: Ipmitool, controller: Controller) -> None:
    said = {line.split("|")[0].strip(): line.split("|")[1:] for line in (await ipmitool("sensor")).splitlines()}
    assert len(said) == 32
    values = {name: [cell.strip() for cell in columns] for name, columns in said.items()}
    assert values["CPU Usage"][:2] == ["50.000", "percent"]
    assert values["CPU1 Temp"][2:] == ["ok", "na", "na", "na", "85.000", "92.000", "na"]
    assert 11.9 < float(values["P12V"][0]) < 12.1
    controller.begin(Fault.FAN_STOPPED)
    controller.begin(Fault.PSU_FAILED)
    fan = cells(await ipmitool("sensor", "get", "Fan2"))
    assert fan["Status"] == "Lower Critical"
    supply = await ipmitool("sdr", "type", "Power Supply")
    assert "Presence detected, Failure detected" in supply
    assert "Redundancy Lost" in supply
    log = await ipmitool("sel", "elist")
    assert [line.split("|")[3].strip() for line in log.splitlines()] == [
        "Fan Fan2",
        "Fan Fan2",
        "Fan Fan Redundancy",
        "Power Supply PSU2 Status",
        "Power Supply PSU Redundancy",
    ]
    assert "Lower Critical going low  | Asserted | Reading 0 < Threshold 1000 RPM" in log


async def test_the_log_is_read_added_to_and_cleared(ipmitool: Ipmitool, controller: Controller) -> None:
    await ipmitool("event", "1")
    assert "Upper Critical going high" in await ipmitool("sel", "list")
    await ipmitool("sel", "time", "set", "11/20/26 10:00:00")
    assert (await ipmitool("sel", "time", "get")).startswith("11/20/26 10:00:0")
    for _ in range(controller.machine.log.room):
        controller.machine.opened = not controller.machine.opened
        controller.machine.look()
    said = cells(await ipmitool("sel", "info"))
    assert (said["Entries"], said["Overflow"], said["Free Space"]) == ("512", "true", "0 bytes")
    await ipmitool("sel", "clear")
    said = await ipmitool("sel", "list")
    assert "Log area reset/cleared" in said
    assert len(said.splitlines()) == 1
    assert "11/20/26" in said


async def test_parts_users_lan_and_power_meter(ipmitool: Ipmitool, controller: Controller) -> None:
    parts = cells(await ipmitool("fru", "print", "0"))
    assert (parts["Product Name"], parts["Product Serial"], parts["Product Asset Tag"]) == (
        "Express5800/R120k-2M",
        "SRV0001",
        "ASSET-7",
    )
    await ipmitool("lan", "set", "1", "snmp", "traps")
    await ipmitool("lan", "alert", "set", "1", "2", "ipaddr", "127.0.0.9")
    await ipmitool("lan", "alert", "set", "1", "2", "ack", "on")
    lan = cells(await ipmitool("lan", "print", "1"))
    assert (lan["IP Address"], lan["SNMP Community String"]) == ("127.51.0.1", "traps")
    alert = cells(await ipmitool("lan", "alert", "print", "1", "2"))
    assert (alert["Alert IP Address"], alert["Alert Acknowledge"]) == ("127.0.0.9", "Acknowledged")
    await ipmitool("user", "set", "name", "5", "bob")
    await ipmitool("user", "set", "password", "5", "another-password-20b", "20")
    assert "Success" in await ipmitool("user", "test", "5", "20", "another-password-20b")
    assert "incorrect" in await ipmitool("user", "test", "5", "20", "wrong", fails=True)
    await ipmitool("user", "priv", "5", "2", "1")
    await ipmitool("user", "enable", "5")
    assert ["5", "bob", "true", "false", "true", "USER"] in [
        line.split() for line in (await ipmitool("user", "list", "1")).splitlines()
    ]
    drawn = cells(await ipmitool("dcmi", "power", "reading"))
    assert drawn["Instantaneous power reading"] == "250 Watts"
    await ipmitool("dcmi", "power", "set_limit", "limit", "200")
    await ipmitool("dcmi", "power", "activate")
    assert cells(await ipmitool("dcmi", "power", "reading"))["Instantaneous power reading"] == "200 Watts"
    assert "Power Limit Active" in await ipmitool("dcmi", "power", "get_limit")


async def test_what_is_above_somebodys_privilege_is_refused(ipmitool: Ipmitool, controller: Controller) -> None:
    operator, viewer = ("-U", OPERATOR, "-L", "operator"), ("-U", VIEWER, "-L", "user")
    assert "is on" in await ipmitool("power", "status", before=viewer)
    assert "Insufficient privilege" in await ipmitool("power", "off", before=viewer, fails=True)
    assert "Insufficient privilege" in await ipmitool("user", "disable", "4", before=operator, fails=True)
    assert "Unable to establish" in await ipmitool("mc", "info", before=("-U", OPERATOR), fails=True)
    assert controller.machine.orders == []
    assert controller.accounts.places[4].enabled
    assert len(controller.sessions) == 0


async def test_the_watchdog_acts_when_nobody_touches_it(ipmitool: Ipmitool, controller: Controller) -> None:
    await ipmitool("mc", "watchdog", "reset", fails=True)
    assert not controller.watchdog.runs
    await ipmitool("raw", "0x06", "0x24", "0x04", "0x01", "0", "0", "0x02", "0x00")  # 0.2 s, then a reset
    said = cells(await ipmitool("mc", "watchdog", "get"))
    assert said["Watchdog Timer Action"].startswith("Hard Reset")
    await ipmitool("mc", "watchdog", "reset")
    await until(lambda: controller.machine.restart_cause)
    assert "watchdog expired" in await ipmitool("chassis", "restart_cause")
    assert "Watchdog2" in await ipmitool("sel", "list")
    assert controller.machine.orders == []
