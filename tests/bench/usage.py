"""What processes use, by the kernel's own accounting."""

import resource
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MEBI = 2**20


def family(pid: int) -> list[psutil.Process]:
    """Give a process and everything below it."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """Give the processor seconds of a process family so far, ended children included."""
    return sum(cpu_by_process(pid).values())


def cpu_by_process(pid: int) -> dict[int, float]:
    """Give the processor seconds of each process of a family so far, with those of its ended children."""
    found = {}
    for process in family(pid):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        found[process.pid] = times.user + times.system + times.children_user + times.children_system
    return found


def idle(pid: int, seconds: float = 20.0) -> float:
    """Give the processor seconds that a process family uses in a second while nobody asks it for anything."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / seconds


def children_seconds() -> float:
    """Give the processor seconds of the programs that this one ran to their end."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@dataclass(frozen=True)
class Memory:
    """What one process holds, in bytes; pages that several share count in proportion."""

    pid: int
    title: str
    pss: int
    private: int  # of that, what is no file's: a database in the page cache grows with the disk
    held: int  # the same in full: it does not grow when a fork writes to what it shared, a leak grows here


def memory(pid: int) -> list[Memory]:
    """Give what every process of a family holds."""
    found = []
    for process in family(pid):
        try:
            sizes = _sizes(Path(f"/proc/{process.pid}/smaps_rollup").read_text())
            found.append(Memory(process.pid, _title(process), sizes["Pss"], sizes["Pss_Anon"], sizes["Anonymous"]))
        except (psutil.Error, OSError, KeyError):
            continue
    return found


def _sizes(text: str) -> dict[str, int]:
    rows = (line.split() for line in text.splitlines()[1:])
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows if len(row) == 3}


def _title(process: psutil.Process) -> str:
    words = process.cmdline() or [process.name()]
    return " ".join(word.rsplit("/", 1)[-1] for word in words[:4])


def lines(found: Iterable[Memory]) -> Iterator[str]:
    """Write what processes hold, the largest first."""
    rows = sorted(found, key=lambda each: -each.pss)
    yield f"memory: {sum(each.pss for each in rows) / MEBI:.0f} MiB PSS in {len(rows)} processes"
    for each in rows:
        yield f"  {each.pss / MEBI:6.1f} MiB  {each.title}"
