"""Events as traps: decoded, and acknowledged, by freeipmi, which we did not write."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from apps.protocols.snmp.notification import Notification, decode_notification
from apps.simulators.bmc import Controller, Fault, Machine
from apps.simulators.bmc.alerts import matches
from apps.simulators.bmc.settings import FILTER_LENGTH
from tests.peers import program
from tests.simulators.bmc.conftest import PASSWORD, USERNAME, Ipmitool, until

ENTERPRISE = "1.3.6.1.4.1.3183.1.1"


class Receiver(asyncio.DatagramProtocol):
    """Keeps what came, and from where."""

    def __init__(self) -> None:
        self.traps: list[Notification] = []
        self.senders: set[str] = set()

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self.traps.append(decode_notification(data))
        self.senders.add(peer[0])


@pytest.fixture
async def receiver(controller: Controller) -> AsyncIterator[Receiver]:
    """Who listens where the controller's first destination is."""
    loop = asyncio.get_running_loop()
    transport, receiver = await loop.create_datagram_endpoint(
        Receiver, local_addr=("127.0.0.1", 0), family=socket.AF_INET
    )
    controller.alerts.port = transport.get_extra_info("sockname")[1]
    controller.settings.destinations[1].address = IPv4Address("127.0.0.1")
    yield receiver
    transport.close()


async def ipmi_pet(controller: Controller, folder: Path, trap: Notification, *options: str) -> str:
    """What freeipmi makes of a trap."""
    octets = trap.varbinds[0].value
    assert isinstance(octets, bytes)
    process = await asyncio.create_subprocess_exec(
        program("ipmi-pet", "freeipmi-tools"),
        *("-h", f"{controller.address}:{controller.port}", "-u", USERNAME, "-p", PASSWORD, "-D", "LAN_2_0", "-I", "17"),
        *(f"--sdr-cache-directory={folder}", "--quiet-cache", *options),
        *(str(trap.specific), *(f"0x{octet:02x}" for octet in octets)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return (await asyncio.wait_for(process.communicate(), 60))[0].decode()


async def test_a_fault_is_told_and_freeipmi_understands_it(
    controller: Controller, receiver: Receiver, tmp_path: Path
) -> None:
    controller.begin(Fault.PSU_FAILED)
    await until(lambda: len(receiver.traps) == 2)
    first, second = receiver.traps
    assert (first.enterprise, first.specific, first.community) == (ENTERPRISE, 0x086F01, b"public")
    assert str(first.agent_address) in receiver.senders == {"127.51.0.1"}
    said = await ipmi_pet(controller, tmp_path, first)
    assert "PSU2 Status" in said
    assert "Power Supply Failure detected" in said
    assert "Redundancy Lost" in await ipmi_pet(controller, tmp_path, second)
    controller.mend(Fault.PSU_FAILED)
    await until(lambda: len(receiver.traps) == 4)
    assert receiver.traps[2].specific == 0x086F81


async def test_what_has_to_be_acknowledged_is_repeated_until_it_is(
    controller: Controller, receiver: Receiver, tmp_path: Path
) -> None:
    destination = controller.settings.destinations[1]
    destination.kind, destination.timeout, destination.retries = 0x80, 0, 3
    controller.begin(Fault.DRIVE_FAILED)
    await until(lambda: not controller.alerts.waiting)
    assert len(receiver.traps) == 4
    assert len({trap.varbinds for trap in receiver.traps}) == 1
    destination.timeout = 255
    controller.mend(Fault.DRIVE_FAILED)
    await until(lambda: len(receiver.traps) == 5)
    assert controller.alerts.waiting == 1
    await ipmi_pet(controller, tmp_path, receiver.traps[-1], "--pet-acknowledge")
    assert controller.alerts.waiting == 0


async def test_ipmitool_sets_where_alerts_go_and_what_becomes_one(
    controller: Controller, receiver: Receiver, ipmitool: Ipmitool
) -> None:
    policies = await ipmitool("pef", "policy", "list")
    assert "802.3 LAN | PET | public | 3 | 2 | 127.0.0.1" in policies
    assert "failed" not in policies
    await ipmitool("lan", "set", "1", "snmp", "secrets")
    await ipmitool("event", "1")
    await until(lambda: receiver.traps)
    assert receiver.traps[0].community == b"secrets"
    await ipmitool("pef", "filter", "disable", "1")
    await ipmitool("event", "2")
    assert len(controller.machine.log.entries) == 2
    await ipmitool("pef", "filter", "enable", "1")
    await ipmitool("event", "3")
    await until(lambda: len(receiver.traps) == 2)
    assert receiver.traps[1].specific == 0x0C6F00  # memory


def test_a_filter_looks_at_sensor_event_and_data() -> None:
    controller = Controller(Machine())
    event = controller.machine.event(0x08, 41, 0x6F, (0x01, 0xFF, 0xFF), None)
    base = bytes((0x80, 1, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)).ljust(FILTER_LENGTH, b"\0")

    def changed(place: int, *values: int) -> bytes:
        return base[:place] + bytes(values) + base[place + len(values) :]

    assert matches(base, event)
    assert matches(changed(6, 0x08, 41, 0x6F, 0x02, 0x00), event)
    assert not matches(changed(0, 0x00), event)
    assert not matches(changed(6, 0x04), event)
    assert not matches(changed(7, 40), event)
    assert not matches(changed(8, 0xEF), event)
    assert not matches(changed(9, 0x01, 0x00), event)
    assert matches(changed(11, 0x0F, 0x0F, 0x01), event)
    assert not matches(changed(11, 0x0F, 0x0F, 0x03), event)
