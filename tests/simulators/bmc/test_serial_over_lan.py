"""The serial line, typed at through ipmitool and freeipmi's ipmiconsole on terminals of their own; lost packets."""

import asyncio
import os
import pty
from collections.abc import Sequence

import pytest

from apps.simulators.bmc import Controller, Machine
from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.serial_over_lan import SerialOverLan
from apps.simulators.bmc.session import SUITES, Session
from tests.peers import program
from tests.simulators.bmc.conftest import PASSWORD, USERNAME, Ipmitool, until


class Screen:
    """A program on a terminal."""

    def __init__(self, command: Sequence[str]) -> None:
        self.seen = b""
        self.process_id, self._terminal = pty.fork()
        if self.process_id == 0:
            os.environ["IPMI_PASSWORD"] = PASSWORD
            os.execv(command[0], command)
        asyncio.get_running_loop().add_reader(self._terminal, self._read)

    def _read(self) -> None:
        try:
            self.seen += os.read(self._terminal, 4096)
        except OSError:
            asyncio.get_running_loop().remove_reader(self._terminal)

    async def answer(self, wanted: str, keys: str) -> str:
        """Wait for some words, then type; gives what was to be seen till then."""
        try:
            await until(lambda: wanted.encode() in self.seen)
        except TimeoutError:
            raise AssertionError(f"{wanted!r} was not to be seen in {self.seen!r}") from None
        seen, self.seen = self.seen.decode(), b""
        os.write(self._terminal, keys.encode())
        return seen

    async def end(self) -> None:
        """Wait until the program is over."""
        done: list[int] = []
        await until(lambda: done or done.extend(filter(None, os.waitpid(self.process_id, os.WNOHANG)[:1])))
        asyncio.get_running_loop().remove_reader(self._terminal)
        os.close(self._terminal)


@pytest.mark.parametrize("client", ["ipmitool", "ipmiconsole"])
async def test_somebody_signs_in_and_restarts_the_machine(controller: Controller, client: str) -> None:
    place, port = controller.address, str(controller.port)
    if client == "ipmitool":
        login = ["-I", "lanplus", "-C", "17", "-H", place, "-p", port, "-U", USERNAME, "-E", "sol", "activate"]
        screen, begin, end = Screen([program("ipmitool", "ipmitool"), *login]), "operational", "~."
    else:
        login = ["-h", f"{place}:{port}", "-u", USERNAME, "-p", PASSWORD, "-I", "17"]
        screen, begin, end = Screen([program("ipmiconsole", "freeipmi-tools"), *login]), "established", "&."
    await screen.answer(begin, "\r")
    await screen.answer("web-01 login: ", "root\r")
    await screen.answer("Password: ", "wrong\r")
    assert "Login incorrect" in await screen.answer("web-01 login: ", "root\r")
    assert "wrong" not in await screen.answer("Password: ", "secret\r")
    await screen.answer("$ ", "uname -m x\x7f\x7f\r")
    assert "Linux web-01 6.1.0" in await screen.answer("\r\nroot@web-01:~$ ", "reboot\r")
    booting = await screen.answer("web-01 login: ", "\r")
    assert "System BIOS" in booting
    assert "Reached target network" in booting
    await screen.answer("web-01 login: ", f"\r{end}")
    await screen.end()
    await until(lambda: not controller.sessions.open)
    assert controller.serial_over_lan.session is None
    assert controller.serial_over_lan.lost == 0
    assert controller.machine.orders == []


async def test_one_at_a_time_may_have_the_line(controller: Controller, ipmitool: Ipmitool) -> None:
    controller.serial_over_lan.session = Session(SUITES[1], b"aaaa", b"bbbb", 4, 0.0)
    assert "already active" in await ipmitool("sol", "activate", fails=True)
    controller.serial_over_lan.session = None
    await ipmitool("sol", "set", "enabled", "false", "1")
    assert "disabled" in await ipmitool("sol", "activate", fails=True)
    said = await ipmitool("sol", "info", "1")
    assert "Enabled                         : false" in said
    assert f"Payload Port                    : {controller.port}" in said


class Open(Session):
    """One whose packets are not sealed."""

    def seal(self, kind: int, content: bytes) -> bytes:
        return content


class Line:
    """A line whose packets can be looked at, instead of a network."""

    def __init__(self) -> None:
        self.controller = Controller(Machine("web-01"))
        self.sent: list[bytes] = []
        self.line: SerialOverLan = self.controller.serial_over_lan
        self.session = Open(SUITES[1], b"aaaa", b"bbbb", 4, 0.0, privilege=Privilege.ADMINISTRATOR)
        self.controller.send = lambda data, peer: self.sent.append(data)
        self.controller.settings.sol[4] = bytes((2, 5))  # twice again, after 50 ms
        self.line.activate(self.session)

    def hear(self, *content: int, keys: bytes = b"") -> bytes | None:
        return self.line.hear(self.session, bytes(content) + keys)


@pytest.fixture
async def line() -> Line:
    """An open line."""
    return Line()


async def test_what_nobody_acknowledges_is_sent_again_and_then_lost(line: Line) -> None:
    assert line.hear(1, 0, 0, 0, keys=b"\r") == bytes((0, 1, 1, 0))
    await until(lambda: line.line.lost == 1)
    assert len(line.sent) == 3
    assert len(set(line.sent)) == 1
    assert b"web-01 login: " in line.sent[0]
    line.line.close()


async def test_a_packet_that_comes_twice_counts_once(line: Line) -> None:
    for _ in range(2):
        assert line.hear(1, 0, 0, 0, keys=b"ab") == bytes((0, 1, 2, 0))
    await until(lambda: line.sent)
    assert line.sent[0] == bytes((1, 0, 0, 0)) + b"ab"
    assert line.hear(0, 1, 1, 0) is None  # only the first of the two was taken
    await until(lambda: len(line.sent) > 1)
    assert line.sent[-1] == bytes((2, 0, 0, 0)) + b"b"
    assert line.hear(0, 2, 1, 0) is None
    line.line.close()


async def test_a_break_makes_the_next_key_a_request_to_the_kernel(line: Line) -> None:
    line.controller.machine.pace = type(line.controller.machine.pace)(off=0.0, boot=0.05)
    line.hear(1, 0, 0, 0x10)
    line.hear(2, 0, 0, 0, keys=b"b")
    await until(lambda: line.controller.machine.restart_cause)
    line.line.close()
