"""Serial over LAN: its packets by the bytes of the standard, and a line behind a controller that we did not write."""

import asyncio
from collections.abc import Iterator

import pytest

from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import SerialLine, Target
from apps.protocols.errors import InUse
from apps.protocols.ipmi.sol import BREAK, DEACTIVATED, NACK, UNAVAILABLE, Hearing, Packet, Sending
from tests.ipmi_sim import PASSWORD, USERNAME, IpmiSim, ipmi_sim
from tests.login_prompt import SerialConsole, serial_console
from tests.system.waiting import until


def test_a_packet_is_four_bytes_and_what_was_said() -> None:
    packet = Packet.decode(b"\x03\x02\x01\x50ok")
    assert packet == Packet(3, 2, 1, NACK | DEACTIVATED, b"ok")
    assert packet.encode() == b"\x03\x02\x01\x50ok"
    assert Packet.decode(b"\x01\x00\x00") is None


def test_what_is_typed_goes_in_packets_that_the_controller_can_take_one_after_the_other() -> None:
    sending = Sending(8)  # four bytes of characters
    assert [sending.put(one) for one in (b"abc", b"def", None)] == [True, True, True]
    assert sending.next() == Packet(1, 0, 0, 0, b"abcd")
    assert sending.next() is None  # the first one is not acknowledged yet
    assert sending.acknowledge(Packet(0, 1, 2, 0))  # two of four were taken
    assert sending.next() == Packet(2, 0, 0, 0, b"cdef")
    assert not sending.acknowledge(Packet(0, 2, 0, NACK))
    assert sending.next() == Packet(3, 0, 0, 0, b"cdef")
    assert sending.acknowledge(Packet(0, 3, 4, 0))
    assert sending.next() == Packet(4, 0, 0, BREAK)


def test_what_a_machine_that_is_off_does_not_take_is_not_typed_when_it_comes_on() -> None:
    sending = Sending(255)
    sending.put(b"reboot\r")
    sending.next()
    sending.acknowledge(Packet(0, 1, 0, NACK | UNAVAILABLE))
    assert sending.next() is None


def test_sequence_numbers_go_from_one_to_fifteen() -> None:
    sending = Sending(255)
    seen = []
    for _ in range(17):
        sending.put(b"x")
        packet = sending.next()
        assert packet is not None
        seen.append(packet.sequence)
        sending.acknowledge(Packet(0, packet.sequence, 1, 0))
    assert seen == [*range(1, 16), 1, 2]


def test_too_much_at_once_is_refused_and_not_kept_in_memory() -> None:
    sending = Sending(255)
    assert sending.put(b"x" * 65536)
    assert not sending.put(b"y")


def test_a_packet_that_came_twice_is_shown_once_with_what_it_has_more() -> None:
    hearing = Hearing()
    assert hearing.take(Packet(1, 0, 0, 0, b"log")) == (b"log", Packet(0, 1, 3, 0))
    assert hearing.take(Packet(1, 0, 0, 0, b"login")) == (b"in", Packet(0, 1, 5, 0))
    assert hearing.take(Packet(1, 0, 0, 0, b"login")) == (b"", Packet(0, 1, 5, 0))
    assert hearing.take(Packet(0, 1, 1, 0)) == (b"", None)
    assert hearing.take(Packet(2, 0, 0, 0, b": ")) == (b": ", Packet(0, 2, 2, 0))


@pytest.fixture(scope="module")
def serial() -> Iterator[SerialConsole]:
    """The machine's side, there before the controller looks for it."""
    with serial_console() as console:
        yield console


@pytest.fixture(scope="module")
def simulator(serial: SerialConsole, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    """A controller with a serial line."""
    with ipmi_sim(tmp_path_factory.mktemp("bmc"), serial.port) as running:
        yield running


def driver(simulator: IpmiSim) -> BmcDriver:
    """One conversation."""
    return BmcDriver(Target("127.0.0.1", simulator.port, "password", {"username": USERNAME, "password": PASSWORD}))


async def heard(line: SerialLine, text: bytes) -> bytes:
    """Wait until the machine has said something."""
    said = b""
    async with asyncio.timeout(30):
        while text not in said:
            said += await line.read()
    return said


def test_a_login_prompt_answers_and_the_line_is_given_back(simulator: IpmiSim, serial: SerialConsole) -> None:
    async def story() -> None:
        async with driver(simulator) as device:
            line = await device.open_console()
            await line.write(b"\r")
            await heard(line, b"login: ")
            await line.write(b"root\rsecret\r" + b"echo " + b"x" * 600 + b"\r")
            assert b"\r\n" + b"x" * 600 + b"\r\n" in await heard(line, b"x" * 600 + b"\r\n[root@")

    asyncio.run(story())
    assert b"root\rsecret\recho xxx" in serial.typed
    assert simulator.sessions() == 0


def test_a_line_that_another_program_has_is_taken_only_when_that_is_asked_for(simulator: IpmiSim) -> None:
    """The other program is a second process of ours: two in one process wait for each other."""
    import multiprocessing

    fork = multiprocessing.get_context("spawn")
    opened, done = fork.Event(), fork.Event()
    other = fork.Process(target=_hold, args=(simulator.port, opened, done))
    other.start()
    try:
        assert opened.wait(30)

        async def story() -> None:
            async with driver(simulator) as device:
                with pytest.raises(InUse, match="in use by another program"):
                    await device.open_console()
                line = await device.open_console(take=True)
                await line.write(b"\r")
                await heard(line, b"\r\n")

        asyncio.run(story())
    finally:
        done.set()
        other.join(30)
    until(lambda: simulator.sessions() == 0, "all sessions are closed", 30)


def test_what_a_killed_process_left_open_is_cleared_by_its_mark(simulator: IpmiSim) -> None:
    import multiprocessing

    fork = multiprocessing.get_context("spawn")
    opened, done, marks = fork.Event(), fork.Event(), fork.SimpleQueue()
    other = fork.Process(target=_hold, args=(simulator.port, opened, done, marks))
    other.start()
    assert opened.wait(30)
    mark = marks.get()
    other.kill()
    other.join(30)
    assert simulator.sessions() == 1

    async def clear() -> None:
        async with driver(simulator) as device:
            await device.clear_console(mark)
            line = await device.open_console()  # nobody has it any more
            await line.close()

    asyncio.run(clear())
    assert simulator.sessions() == 0


def _hold(port: int, opened, done, marks=None) -> None:
    """Hold the line until told to end."""

    async def story() -> None:
        target = Target("127.0.0.1", port, "password", {"username": USERNAME, "password": PASSWORD})
        async with BmcDriver(target) as device:
            line = await device.open_console()
            if marks is not None:
                marks.put(line.mark)
            opened.set()
            await asyncio.to_thread(done.wait, 60)

    asyncio.run(story())
