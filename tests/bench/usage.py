"""What processes use, by the kernel's own accounting."""

from dataclasses import dataclass

import psutil


def family(pid: int) -> list[psutil.Process]:
    """Give a process and everything below it."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """Give the processor seconds of a process family so far, ended children included."""
    total = 0.0
    for process in family(pid):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


@dataclass(frozen=True)
class Memory:
    """The proportional set size of one process, in bytes."""

    title: str
    pss: int


def memory(pid: int) -> list[Memory]:
    """Give what every process of a family holds, shared pages counted in proportion."""
    found = []
    for process in family(pid):
        try:
            found.append(Memory(_title(process), process.memory_full_info().pss))
        except psutil.Error:
            continue
    return found


def _title(process: psutil.Process) -> str:
    words = process.cmdline() or [process.name()]
    return " ".join(word.rsplit("/", 1)[-1] for word in words[:4])
