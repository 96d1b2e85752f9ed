"""Settings by IPMI: LAN and users of a controller that we did not write, seen by ipmitool; the rest by a script."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.drivers.bmc import settings
from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import Carries, SettingsReport, Target
from apps.protocols.errors import DeviceError, Unreachable, Unsupported
from apps.protocols.ipmi import configuration as conf
from tests.ipmi_sim import PASSWORD, USERNAME, IpmiSim, ipmi_sim
from tests.protocols.ipmi.scripted import Reply, ScriptedSession


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    with ipmi_sim(tmp_path_factory.mktemp("bmc")) as running:
        yield running


def values(report: SettingsReport) -> dict[str, Any]:
    return {setting.name: setting.value for setting in report}


def driver(simulator: IpmiSim) -> BmcDriver:
    return BmcDriver(
        Target("127.0.0.1", simulator.port, "password", {"username": USERNAME, "password": PASSWORD}, timeout=1.0)
    )


async def test_lan_and_users_are_set_as_ipmitool_sees_them(simulator: IpmiSim) -> None:
    async with driver(simulator) as device:
        report = await device.read_settings()
        before = values(report)
        assert (before["network.address"], before["network.mask"]) == ("192.0.2.17", "255.255.255.0")
        assert before["network.gateway"] == "192.0.2.1"
        assert before["network.source"] == "static"
        assert (before["users.2.name"], before["users.2.privilege"]) == (USERNAME, "administrator")
        own = {setting.name: setting.carries for setting in report}
        assert own["users.2.password"] is Carries.PASSWORD
        assert not any(name.startswith("destinations.") for name in before)  # this one has none
        free = next(s.row for s in report if s.name.endswith(".name") and s.value == "")
        wanted = {
            "network.gateway": "192.0.2.254",
            "network.mask": "255.255.255.128",
            f"users.{free}.name": "newone",
            f"users.{free}.password": "Wort-4711",
            f"users.{free}.privilege": "operator",
            f"users.{free}.enabled": True,
        }
        written = [list(names) async for names in device.write_settings(wanted)]
    assert written[:2] == [[f"users.{free}.name"], [f"users.{free}.password"]]
    assert written[-2:] == [["network.mask"], ["network.gateway"]]
    lan = simulator.ipmitool("lan", "print", "1", fails=True)
    assert "Default Gateway IP      : 192.0.2.254" in lan
    assert "Subnet Mask             : 255.255.255.128" in lan
    users = [line.split() for line in simulator.ipmitool("user", "list", "1").splitlines()]
    assert [free, "newone"] in [line[:2] for line in users]
    line = next(line for line in users if line[:1] == [free])
    assert line[-1] == "OPERATOR"
    assert "Success" in simulator.ipmitool("user", "test", free, "16", "Wort-4711")
    async with driver(simulator) as device:
        after = values(await device.read_settings())
    assert {name: after[name] for name in wanted if not name.endswith("password")} == {
        name: value for name, value in wanted.items() if not name.endswith("password")
    }
    assert simulator.sessions() == 0


async def written(device: BmcDriver, changes: dict[str, Any], begun: list[str]) -> None:
    async for names in device.write_settings(changes):
        begun += names


async def test_what_it_does_not_know_is_refused_before_anything_is_written(simulator: IpmiSim) -> None:
    async with driver(simulator) as device:
        await device.read_settings()
        begun: list[str] = []
        with pytest.raises(Unsupported):
            await written(device, {"network.mask": "255.0.0.0", "network.colour": "red"}, begun)
        assert begun == []
    assert "255.0.0.0" not in simulator.ipmitool("lan", "print", "1", fails=True)


class Controller:
    """A controller with two destinations, filtering and serial over LAN, by the tables of the standard."""

    def __init__(self) -> None:
        self.lan = {
            (3, 0): bytes((192, 0, 2, 17)),
            (4, 0): b"\x01",
            (6, 0): bytes((255, 255, 255, 0)),
            (12, 0): bytes((192, 0, 2, 1)),
            (16, 0): b"public".ljust(18, b"\x00"),
            (17, 0): b"\x02",
            (20, 0): b"\x00\x00",
        }
        for number in (1, 2):
            self.lan[18, number] = bytes((number, 0x00, 3, 2))
            self.lan[19, number] = bytes((number, 0, 0, *bytes(4), *bytes(6)))
        self.pef, self.sol, self.access = 0x0E, 1, 0x22  # filtering off, its other bits on; always, no alerts
        self.refuses: tuple[int, int] | None = None
        self.silent_after_address = False
        self.is_silent = False

    def __call__(self, netfn: int, command: int, data: bytes) -> Reply:
        if self.is_silent:
            return None
        if (netfn, command) == self.refuses:
            return 0xCC, b""
        match netfn, command:
            case 0x06, 0x42:
                return 0, b"\x01"
            case 0x06, 0x41:
                return 0, bytes((self.access, 4))
            case 0x06, 0x40:
                self.access = data[1] & 0x3F
                return 0, b""
            case 0x04, 0x13:
                return 0, bytes((0x11, self.pef))
            case 0x04, 0x12:
                self.pef = data[1]
                return 0, b""
            case 0x0C, 0x22:
                return 0, bytes((0x11, self.sol))
            case 0x0C, 0x21:
                self.sol = data[2]
                return 0, b""
            case 0x0C, 0x02:
                found = self.lan.get((data[1], data[2]))
                return (0x80, b"") if found is None else (0, b"\x11" + found)
            case 0x0C, 0x01:
                return self._set(data)
        return 0xC1, b""

    def _set(self, data: bytes) -> Reply:
        number = data[2] if data[1] in (18, 19) else 0
        if data[1]:
            self.lan[data[1], number] = data[2:]
        if data[1] == 3 and self.silent_after_address:
            self.is_silent = True
            return None
        return 0, b""


async def write(controller: Controller, changes: dict[str, Any]) -> tuple[list[str], ScriptedSession]:
    session = ScriptedSession(controller)
    told = await settings.read(session)
    session.asked.clear()
    written: list[str] = []
    for names, order in settings.orders(told, changes, "admin", "192.0.2.17"):
        written += names
        await order(session)
    return written, session


async def test_destinations_and_filtering_are_set_and_the_other_bits_stay() -> None:
    controller = Controller()
    before = values(settings.report(await settings.read(ScriptedSession(controller)), "admin"))
    assert before["destinations.1.address"] == ""
    assert (before["destinations.pef"], before["destinations.alerts"]) == (False, False)
    assert before["destinations.community"] == "public"
    await write(
        controller,
        {
            "destinations.2.address": "198.51.100.9",
            "destinations.2.acknowledge": True,
            "destinations.community": "alarm",
            "destinations.pef": True,
            "destinations.alerts": True,
            "services.ipmi": "3",
            "services.sol": False,
        },
    )
    assert controller.lan[19, 2] == bytes((2, 0, 0, 198, 51, 100, 9, *bytes(6)))  # the MAC address is found out anew
    assert controller.lan[18, 2] == bytes((2, 0x80, 3, 2))
    assert controller.lan[16, 0] == b"alarm".ljust(18, b"\x00")
    assert (controller.pef, controller.sol, controller.access) == (0x0F, 0, 0x03)


async def test_the_address_comes_last_and_silence_after_it_is_told_as_silence() -> None:
    controller = Controller()
    controller.silent_after_address = True
    session = ScriptedSession(controller)
    told = await settings.read(session)
    session.asked.clear()
    orders = settings.orders(
        told, {"network.address": "198.51.100.7", "network.gateway": "198.51.100.1"}, "admin", "192.0.2.17"
    )
    assert [list(names) for names, _order in orders] == [["network.gateway"], ["network.address"]]
    await orders[0][1](session)
    with pytest.raises(Unreachable):
        await orders[1][1](session)
    sent = [data for netfn, command, data in session.asked if (netfn, command) == (0x0C, 0x01)]
    assert [data[1:3] for data in sent if data[1] == 0] == [b"\x00\x01", b"\x00\x02", b"\x00\x00"]
    assert [data[1] for data in sent if data[1]] == [12, 3]  # the address once
    assert controller.lan[3, 0] == bytes((198, 51, 100, 7))


async def test_a_value_that_is_refused_ends_as_the_words_of_the_controller() -> None:
    controller = Controller()
    controller.refuses = (0x04, 0x12)
    with pytest.raises((DeviceError, Unsupported), match="0xCC"):
        await write(controller, {"destinations.pef": True})


def test_numbers_of_vlans_are_those_of_the_standard() -> None:
    assert conf.vlan_bytes(100) == bytes((100, 0x80))
    assert conf.vlan_bytes(0) == bytes(2)
    assert [conf.vlan_number(data) for data in (bytes((100, 0x80)), bytes((100, 0)), None)] == [100, 0, None]
