"""Settings by Redfish: read, written one resource at a time in the version that was read, and refused in its words."""

from typing import Any

import pytest

from apps.drivers.contract import Carries, SettingsReport
from apps.drivers.ilo.driver import IloDriver
from apps.protocols.errors import DeviceError
from apps.simulators.redfish import Service
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
        ["users.new.name", "users.new.password", "users.new.privilege"],
        ["time.ntp", "time.ntp_servers", "services.ssh_port"],
        ["network.gateway", "network.vlan"],
    ]
    assert ilo.machine.configuration.writes == [ACCOUNTS, SERVICES, PORT]
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
