"""A fleet of our simulated Redfish services, some to a process, so that what they use is nobody else's."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.fleet import address_after
from tests.bench.portals import Failed
from tests.e2e.portal import ROOT

FIRST = "127.3.0.1"
USERNAME, PASSWORD = "watcher", "s3cret-Geheimnis"
TOGETHER = 10  # services of one process


def address(number: int) -> str:
    """Give the address of the service of that number, from 0."""
    return address_after(FIRST, number)


@dataclass(frozen=True)
class Fleet:
    """Services that run."""

    port: int
    processes: list["subprocess.Popen[str]"]

    def asked(self, number: int) -> list[tuple[str, str]]:
        """Give what a service was asked since the last time: methods and paths."""
        told = self._tell(number, "asked")
        return [] if told == "nothing" else [(method, path) for method, path in map(str.split, told.split(", "))]

    def sessions(self, number: int) -> int:
        """Give how many are signed in to a service."""
        return int(self._tell(number, "sessions"))

    def silence(self, process: int) -> None:
        """Let all services of a process take connections and say nothing any more, as controllers that hang do."""
        self.processes[process].send_signal(signal.SIGSTOP)

    def _tell(self, number: int, verb: str) -> str:
        process = self.processes[number // TOGETHER]
        if process.stdin is None or process.stdout is None:
            raise Failed("a simulated service cannot be told anything")
        process.stdin.write(f"{verb} {address(number)}:{self.port}\n")
        process.stdin.flush()
        return process.stdout.readline().strip().partition(": ")[2]


@contextmanager
def running(count: int, port: int) -> Iterator[Fleet]:
    """Run so many services on one port of addresses of their own."""
    processes: list[subprocess.Popen[str]] = []
    try:
        for start in range(0, count, TOGETHER):
            processes.append(_start(range(start, min(start + TOGETHER, count)), port))
        for number in range(count):
            answer = processes[number // TOGETHER].stdout
            if answer is None or not answer.readline().startswith("https://"):
                raise Failed("a simulated service does not start")
        yield Fleet(port, processes)
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(30)


def _start(numbers: Sequence[int], port: int) -> "subprocess.Popen[str]":
    places = [f"{address(number)}:{port}" for number in numbers]
    command = [sys.executable, "-m", "apps.simulators.redfish", *places, "--number", str(numbers[0] + 1)]
    return subprocess.Popen(
        [*command, "--username", USERNAME, "--password", PASSWORD],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
