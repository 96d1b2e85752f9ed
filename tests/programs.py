"""Simulators of ours in a process of their own, for tests that have no event loop: told what to do a line at a time."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Program:
    """One of the devices of a process: it is named by where it answers."""

    place: str
    orders: IO[str]
    answers: IO[str]

    @property
    def address(self) -> str:
        return self.place.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.place.rpartition(":")[2])

    def tell(self, command: str) -> str:
        """Tell it ``fault psu-failed``, ``mend psu-failed``, ``orders``, ``sessions``; gives what it answers."""
        verb, *more = command.split()
        self.orders.write(f"{' '.join([verb, self.place, *more])}\n")
        self.orders.flush()
        return self.answers.readline().strip().partition(": ")[2]


P = TypeVar("P", bound=Program)


@contextmanager
def programs(kind: type[P], module: str, words: Sequence[str], number: int) -> Iterator[list[P]]:
    """Start a module that answers as so many devices; it says where, one a line."""
    command = [sys.executable, "-m", module, *words]
    running = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdin is not None
    assert running.stdout is not None
    told = [running.stdout.readline().strip() for _ in range(number)]
    places = [one.removeprefix("https://").removesuffix("/redfish/v1/") for one in told]
    try:
        yield [kind(place, running.stdin, running.stdout) for place in places]
    finally:
        running.terminate()
        running.wait(10)
