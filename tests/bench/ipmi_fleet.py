"""A fleet of OpenIPMI's simulators, each a process and a folder of its own, all made from one machine."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.bench.fleet import address_after
from tests.bench.portals import Failed
from tests.ipmi_sim import ANALOG, DISCRETE, PRESENCE, Machine, build, entry, fru_area
from tests.peers import program

FIRST = "127.2.0.1"
SENSORS, EVENTS = 20, 20
_READY_WITHIN = 120.0  # seconds for all of them


@dataclass(frozen=True)
class Fleet:
    """Controllers that run."""

    folder: Path
    processes: list["subprocess.Popen[bytes]"]

    def kill(self, number: int) -> None:
        """End one as a power failure would."""
        self.processes[number].kill()
        self.processes[number].wait(30)

    def orders(self, number: int) -> list[str]:
        """Give what a machine was told to do with its power, oldest first."""
        told = place_of(self.folder, number) / "orders"
        lines = told.read_text().splitlines() if told.exists() else []
        return [line.strip() for line in lines if line.startswith("set power")]


def place_of(folder: Path, number: int) -> Path:
    """Give the folder of the controller of that number."""
    return folder / f"{number:04}"


def address(number: int) -> str:
    """Give the address of the controller of that number, from 0."""
    return address_after(FIRST, number)


def machine() -> Machine:
    """Describe a machine with twenty sensors and a log of twenty entries."""
    more = SENSORS - len(ANALOG) - len(DISCRETE)
    fans = tuple(
        (64 + place, f"Fan{place + 2}", "Fan", "RPM", 100, 0, "unsigned", 42, (255, 254, 250, 3, 5, 8))
        for place in range(more)
    )
    events = tuple(entry(place + 1, 60 * place, 0x08, 33, 0x6F, 0x03, 0xFF, 0xFF) for place in range(EVENTS))
    return Machine(analog=(*ANALOG, *fans), events=events)


@contextmanager
def running(folder: Path, count: int, port: int) -> Iterator[Fleet]:
    """Run so many controllers on one port of addresses of their own."""
    model = folder / "model"
    model.mkdir(parents=True)
    build(model, port, 0, machine())
    command = program("ipmi_sim", "openipmi")
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(count):
            place = place_of(folder, number)
            _copy(model, place, number)
            processes.append(_start(command, place))
        _wait(count, port)
        yield Fleet(folder, processes)
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(30)


def _copy(model: Path, place: Path, number: int) -> None:
    """Make another machine of the same model: with an address, a GUID and a serial number of its own."""
    shutil.copytree(model, place)
    own = address(number)
    (place / "fru0.bin").write_bytes(fru_area(f"SRV{number + 10_000}"))
    for name in ("lan.conf", "sim.emu"):
        lines = (place / name).read_text().replace(str(model), str(place)).replace("addr 127.0.0.1", f"addr {own}")
        lines = re.sub(r"(?m)^(\s*)guid .*$", rf"\1guid {uuid4().hex}", lines)
        kept = [line for line in lines.splitlines() if not line.startswith("console ")]
        (place / name).write_text("\n".join(kept) + "\n")


def _start(command: str, place: Path) -> "subprocess.Popen[bytes]":
    files = ["-c", str(place / "lan.conf"), "-f", str(place / "sim.emu"), "-s", str(place / "state"), "-n"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([command, *files], cwd=place, stdin=quiet, stdout=quiet, stderr=quiet)


def _wait(count: int, port: int) -> None:
    limit = time.monotonic() + _READY_WITHIN
    silent = set(range(count))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.settimeout(0.5)
        while silent and time.monotonic() < limit:
            for number in sorted(silent)[:200]:
                asking.sendto(PRESENCE, (address(number), port))
            numbers = {address(number): number for number in silent}
            try:
                while True:
                    silent.discard(numbers.get(asking.recvfrom(64)[1][0], -1))
            except TimeoutError:
                continue
    if silent:
        raise Failed(f"{len(silent)} of {count} simulated controllers do not start")
