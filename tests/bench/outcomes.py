"""How a measurement of notifications came out."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import stream, usage

GIVE_UP = 5.0  # seconds without progress


@dataclass(frozen=True)
class Outcome:
    """What became of a stream."""

    name: str
    sent: int
    stored: int
    matched: int | None  # None: nothing is matched
    dropped: int  # by the kernel, or by the receiver because its waiting line was full
    seconds: float  # from the first one sent to the last one stored
    cpu: float  # seconds, without what the idle programs need

    @property
    def each(self) -> float:
        """Give the CPU milliseconds of one stored notification."""
        return self.cpu * 1000 / max(self.stored, 1)

    def __str__(self) -> str:
        matched = "" if self.matched is None else f" ({self.matched:,} matched)"
        return (
            f"{self.name}: {self.stored:,} of {self.sent:,} stored{matched}, {self.stored / self.seconds:,.0f}/s, "
            f"{self.dropped:,} dropped; {self.cpu:.1f} CPU-s, {self.each:.3f} ms each"
        )


@dataclass(frozen=True)
class Sender:
    """The compiled program that sends the stream."""

    program: Path
    stream: Path

    def send(self, port: int, rate: int, seconds: float) -> int:
        """Send for so long; give how many went out."""
        command = [str(self.program), str(self.stream), stream.FIRST, str(port), str(rate), str(seconds)]
        sent, refused, took = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        if int(refused) or float(took) > seconds * 1.1:
            raise SystemExit(f"the sender did not keep its pace: {refused} refused, {took} s")
        return int(sent)


def until_all(stored: Callable[[], int], wanted: int) -> float:
    """Wait until so many are stored, or no more come; give the moment of the last one."""
    last, seen_at = -1, time.monotonic()
    while True:
        now = stored()
        if now > last:
            last, seen_at = now, time.monotonic()
        if now >= wanted or time.monotonic() - seen_at > GIVE_UP:
            return seen_at
        time.sleep(0.2)


def cpu_seconds(pids: list[int]) -> float:
    """Give the processor seconds of several families of processes."""
    return sum(usage.cpu_seconds(pid) for pid in pids)


def kernel_drops(port: int) -> int:
    """Give how many datagrams the kernel dropped at a UDP port of this machine because a buffer was full."""
    total = 0
    for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        if int(words[1].rpartition(":")[2], 16) == port:
            total += int(words[12])
    return total
