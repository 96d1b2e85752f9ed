"""What processes use: memory as the proportional set size (shared pages are counted once in all), processor time."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MEASURED_FOR = 3.0  # seconds that a measurement of memory is given again
COUNTED_EVERY = 10.0  # seconds over which processor time is told


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its own children use together; None is not measured."""

    memory: int | None  # bytes, proportional set size
    cpu: float | None  # percent of one processor, over the last ten seconds or so
    processes: int


class Meter:
    """Measures some processes by name, again and again."""

    def __init__(self) -> None:
        self._counted: dict[str, tuple[int, float, float]] = {}  # pid, when, seconds of processor time until then
        self._cpu: dict[str, float] = {}
        self._counted_at = -COUNTED_EVERY
        self._measured: dict[str, Usage] = {}
        self._measured_at = -MEASURED_FOR

    def count(self, pids: Mapping[str, int]) -> None:
        """Count processor time, at most every ten seconds: cheap enough to be called each second."""
        now = time.monotonic()
        if now - self._counted_at < COUNTED_EVERY:
            return
        self._counted_at = now
        before, self._counted = self._counted, {}
        self._cpu = {}
        for name, pid in pids.items():
            used = sum(_processor_time(each) for each in family(pid))
            self._counted[name] = pid, now, used
            last_pid, then, last = before.get(name, (0, 0.0, 0.0))
            if last_pid == pid and used >= last:
                self._cpu[name] = round(100 * (used - last) / (now - then), 1)

    def measure(self, pids: Mapping[str, int]) -> dict[str, Usage]:
        """Give what each uses now; asked twice within three seconds, it measures once."""
        now = time.monotonic()
        if now - self._measured_at >= MEASURED_FOR or self._measured.keys() != pids.keys():
            self._measured_at = now
            self._measured = {name: self._of(name, pid) for name, pid in pids.items()}
        return self._measured

    def _of(self, name: str, pid: int) -> Usage:
        members = family(pid)
        sizes = [_proportional_size(each) for each in members]
        known = [size for size in sizes if size is not None]
        return Usage(sum(known) if known else None, self._cpu.get(name), len(members))


def family(pid: int) -> list[int]:
    """Give a process with everything that it started and that still runs; nothing when it is gone."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        try:
            tasks = os.listdir(f"/proc/{each}/task")
        except OSError:
            continue
        found.append(each)
        for task in tasks:
            waiting += [int(word) for word in _read(f"/proc/{each}/task/{task}/children").split()]
    return found


def _proportional_size(pid: int) -> int | None:
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return None


def _processor_time(pid: int) -> float:
    words = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS if len(words) > 12 else 0.0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
