"""Our simulated management controllers in a process of their own, for tests that have no event loop."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from tests.redfish_peers import ROOT, SECRET, USER


@dataclass(frozen=True)
class BmcProgram:
    """One of some simulated controllers in a process of their own."""

    place: str
    orders: IO[str]
    answers: IO[str]

    @property
    def address(self) -> str:
        return self.place.partition(":")[0]

    @property
    def port(self) -> int:
        return int(self.place.partition(":")[2])

    def tell(self, command: str) -> str:
        """Tell it something; gives what it answers."""
        verb, *more = command.split()
        self.orders.write(f"{' '.join([verb, self.place, *more])}\n")
        self.orders.flush()
        return self.answers.readline().strip().partition(": ")[2]

    def ipmitool(self, *command: str, user: str = USER) -> str:
        """Ask it by a program that we did not write."""
        login = ["-I", "lanplus", "-C", "3", "-H", self.address, "-p", str(self.port), "-U", user, "-P", SECRET]
        return subprocess.run(["ipmitool", *login, *command], capture_output=True, text=True, timeout=30).stdout


@contextmanager
def bmc_programs(network: str, number: int, *more: str) -> Iterator[list[BmcProgram]]:
    """Simulated controllers that know USER with SECRET, and an operator."""
    options = ["--count", str(number), "--username", USER, "--password", SECRET, "--operator", "oper", *more]
    program = subprocess.Popen(
        [sys.executable, "-m", "apps.simulators.bmc", f"{network}.1:0", *options, "--restarts-in", "0.5"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    places = [program.stdout.readline().strip() for _ in range(number)]
    try:
        yield [BmcProgram(place, program.stdin, program.stdout) for place in places]
    finally:
        program.terminate()
        program.wait(10)
