"""Settings by Redfish: read, written one resource at a time in the version that was read, and refused in its words."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.drivers.contract import Carries, SettingsReport
from apps.drivers.ilo.driver import IloDriver
from apps.drivers.redfish.driver import RedfishDriver
from apps.protocols.errors import DeviceError, Unreachable
from apps.protocols.snmp.notification import decode_notification
from apps.simulators.redfish import Fault, Service, clock, traps
from apps.simulators.redfish.configuration import ACCOUNTS, PORT, SERVICES
from tests.redfish_peers import ilo, redfish_certificates, target  # noqa: F401


def values(report: SettingsReport) -> dict[str, Any]:
    return {setting.name: setting.value for setting in report}


async def written(device: IloDriver, changes: dict[str, Any], begun: list[str]) -> None:
    async for names in device.write_settings(changes):
        begun += names


async def test_each_resource_is_changed_once_and_the_network_last(ilo: Service) -> None:  # noqa: F811
    async with IloDriver(target(ilo.port)) as device:
        report = await device.read_settings()
        before = values(report)
        assert report.may_reset
        assert (before["network.address"], before["network.source"]) == ("192.0.2.41", "static")
        assert (before["services.https_port"], before["time.ntp_servers"]) == (443, "192.0.2.123")
        assert (before["users.1.name"], before["users.1.password"]) == ("watcher", None)
        assert {s.name: s.carries for s in report}["users.1.enabled"] is Carries.RIGHTS
        wanted = {
            "network.gateway": "192.0.2.254",
            "network.vlan": 17,
            "time.ntp": True,
            "time.ntp_servers": "192.0.2.5, 192.0.2.6",
            "services.ssh_port": 2222,
            "users.new.name": "eve",
            "users.new.password": "Geheim-4711",
            "users.new.privilege": "Operator",
        }
        names = [sorted(one) async for one in device.write_settings(wanted)]
        after = values(await device.read_settings())
    assert names == [
        ["time.ntp_servers"],
        ["users.new.name", "users.new.password", "users.new.privilege"],
        ["services.ssh_port", "time.ntp"],
        ["network.gateway", "network.vlan"],
    ]
    assert ilo.machine.configuration.writes == [clock.SERVICE, ACCOUNTS, SERVICES, PORT]
    assert {name: after[name] for name in wanted if "new" not in name} == {
        name: value for name, value in wanted.items() if "new" not in name
    }
    assert (after["users.2.name"], after["users.2.privilege"], after["users.2.enabled"]) == ("eve", "Operator", True)
    assert (after["network.address"], after["network.mask"]) == ("192.0.2.41", "255.255.255.0")
    assert ilo.machine.configuration.account_of("eve", "Geheim-4711") is not None
    assert not ilo.sessions


async def test_a_resource_that_somebody_changed_at_the_same_moment_is_not_changed(ilo: Service) -> None:  # noqa: F811
    async with IloDriver(target(ilo.port)) as device:
        await device.read_settings()
        ilo.machine.configuration.host_name = "somebody-elses"
        with pytest.raises(DeviceError, match="changed by somebody else"):
            await written(device, {"network.host_name": "ours"}, [])
    assert ilo.machine.configuration.host_name == "somebody-elses"
    assert ilo.machine.configuration.writes == []


async def test_what_is_refused_is_told_in_its_words_without_what_was_sent(ilo: Service) -> None:  # noqa: F811
    async with IloDriver(target(ilo.port)) as device:
        await device.read_settings()
        about: list[str] = []
        with pytest.raises(DeviceError, match="8 to 39 characters") as refused:
            await written(device, {"users.1.password": "kurz", "network.vlan": 3}, about)
    assert about == ["users.1.password"]
    assert "kurz" not in str(refused.value)
    assert ilo.machine.configuration.vlan == 0


async def test_it_goes_back_to_what_it_came_with(ilo: Service) -> None:  # noqa: F811
    async with IloDriver(target(ilo.port)) as device:
        await device.reset_settings()
    assert ilo.machine.configuration.resets == 1
    assert ilo.machine.configuration.dhcp


@pytest.fixture
def trap_port() -> Iterator[socket.socket]:
    """Listen for traps."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(10)
        yield opened


def heard(opened: socket.socket) -> tuple[str, str, str]:
    """Give version, community and name of the next trap."""
    told = decode_notification(opened.recv(4096))
    return told.version, told.community.decode(), told.trap_oid


async def test_alert_destinations_of_an_ilo_are_added_changed_and_removed_and_it_sends_there(
    ilo: Service,  # noqa: F811
    trap_port: socket.socket,
) -> None:
    ilo.machine.configuration.traps.port = trap_port.getsockname()[1]
    async with IloDriver(target(ilo.port)) as device:
        before = values(await device.read_settings())
        assert (before["destinations.alerts"], before["destinations.new.address"]) == (True, "")
        new = {"destinations.new.address": "127.0.0.1", "destinations.new.community": "alarm"}
        await written(device, new, [])
        after = values(await device.read_settings())
        assert (after["destinations.1.address"], after["destinations.1.community"]) == ("127.0.0.1", "alarm")
        assert after["destinations.1.protocol"] == "SNMPv1Trap"
        ilo.begin(Fault.PSU_FAILED)
        assert heard(trap_port) == ("1", "alarm", "1.3.6.1.4.1.232.0.6050")
        await written(device, {"destinations.1.community": "public"}, [])
        ilo.mend(Fault.PSU_FAILED)
        assert heard(trap_port) == ("1", "public", "1.3.6.1.4.1.232.0.6048")
        await device.read_settings()
        await written(device, {"destinations.1.address": ""}, [])
        assert "destinations.1.address" not in values(await device.read_settings())
    ilo.begin(Fault.PSU_FAILED)
    assert ilo.machine.configuration.traps.sent == 2
    assert ilo.machine.configuration.writes == [traps.DESTINATIONS, *[f"{traps.DESTINATIONS}/1"] * 2]


async def test_by_the_standard_a_destination_is_a_subscription_which_is_made_anew_when_it_moves(
    ilo: Service,  # noqa: F811
    trap_port: socket.socket,
) -> None:
    async with RedfishDriver(target(ilo.port)) as device:
        await device.subscribe("https://127.0.0.9:9/events/of-nobody-elses-business", "ours")
        await device.read_settings()
        await written(device, {"destinations.new.address": "192.0.2.5", "destinations.new.community": "alarm"}, [])
        report = await device.read_settings()
        found = values(report)
        assert (found["destinations.2.address"], found["destinations.2.protocol"]) == ("192.0.2.5", "SNMPv2c")
        assert found["receivers.1.address"] == "127.0.0.9:9"
        assert "nobody-elses-business" not in str(report)
        begun: list[str] = []
        await written(device, {"destinations.2.address": "127.0.0.1"}, begun)
        assert begun == ["destinations.2.address"] * 2  # the new one before the old one goes
        assert values(await device.read_settings())["destinations.3.address"] == "127.0.0.1"
        (kept,) = [one for one in ilo.events.destinations.values() if one["Protocol"] == "SNMPv2c"]
        assert (kept["Destination"], kept["SNMP"]) == ("snmp://127.0.0.1:162", {"TrapCommunity": "alarm"})
        kept["Destination"] = f"snmp://127.0.0.1:{trap_port.getsockname()[1]}"
        ilo.begin(Fault.FAN_STOPPED)
        assert heard(trap_port) == ("2c", "alarm", "1.3.6.1.4.1.232.0.6036")
        await device.read_settings()
        await written(device, {"destinations.3.community": "public"}, [])
        ilo.mend(Fault.FAN_STOPPED)
        assert heard(trap_port) == ("2c", "public", "1.3.6.1.4.1.232.0.6038")
        await device.read_settings()
        await written(device, {"destinations.3.address": ""}, [])
    assert [one["Protocol"] for one in ilo.events.destinations.values()] == ["Redfish"]


async def test_another_zone_waits_for_a_restart_of_which_the_ilo_says_so_and_comes_back(
    ilo: Service,  # noqa: F811
) -> None:
    ilo.restarts_in = 0.3
    async with IloDriver(target(ilo.port)) as device:
        report = await device.read_settings()
        assert (report.may_restart, report.awaits_restart) == (True, False)
        zone = next(one for one in report if one.name == "time.zone")
        assert [choice.label for choice in zone.choices][1] == "Asia/Tokyo, Tokyo, Osaka"
        clocks = {one.name: one for one in report if one.name in ("time.exact", "time.offset")}
        assert clocks["time.exact"].value is True
        assert not clocks["time.offset"].writable  # it cannot be set by hand
        await written(device, {"time.ntp_servers": "192.0.2.8"}, [])
        assert not device.wants_restart
        await device.read_settings()
        await written(device, {"time.zone": "1"}, [])
        assert device.wants_restart
        waiting = await device.read_settings()
        assert (waiting.awaits_restart, values(waiting)["time.zone"]) == (True, "1")
        assert values(waiting)["time.offset"] == "+00:00"
        await device.restart_controller()
        with pytest.raises(Unreachable):
            await device.read_settings()
    for _ in range(100):
        await asyncio.sleep(0.05)
        if ilo.machine.configuration.restarts:
            break
    async with IloDriver(target(ilo.port)) as device:
        report = await device.read_settings()
    assert (report.awaits_restart, values(report)["time.offset"]) == (False, "+09:00")
    assert ilo.machine.configuration.clock.servers == ["192.0.2.8", ""]


async def test_a_clock_that_may_be_set_is_set_to_our_time(ilo: Service) -> None:  # noqa: F811
    kept = ilo.machine.configuration.clock
    kept.by_hand, kept.drift = True, -3600.0
    async with RedfishDriver(target(ilo.port)) as device:
        before = values(await device.read_settings())
        assert (before["time.exact"], before["time.offset"]) == (False, "+00:00")
        begun: list[str] = []
        await written(device, {"time.exact": True, "time.offset": "+09:00"}, begun)
        after = values(await device.read_settings())
    assert begun == ["time.offset", "time.exact"]
    assert (after["time.exact"], after["time.offset"]) == (True, "+09:00")
    assert abs(kept.drift) < 5
    shown = datetime.strptime(str(after["time.now"]), "%Y-%m-%d %H:%M:%S%z")
    assert abs(shown - datetime.now(UTC)) < timedelta(seconds=10)
