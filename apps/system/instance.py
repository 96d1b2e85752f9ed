"""One running portal per data folder: its lock, what it says about itself, and the gaps in its clock."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil

from apps.core import files

CLOCK_TOLERANCE = 5.0  # seconds that the wall clock may move against the monotonic one without being noted
KEPT_GAPS = 100
LEFTOVERS_WITHIN = 8.0  # seconds that children of a killed instance get to end by themselves
SEEN_EVERY = 5.0  # seconds between two signs of life of the supervisor
LOST_AFTER = 20.0  # seconds without one, after which what it said last is old


class AlreadyRunning(Exception):
    """Another instance runs on this data folder."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


@dataclass(frozen=True)
class Restart:
    """Why a process was started anew: ``reason`` is exit, signal, silent or ordered, ``detail`` what belongs to it."""

    at: float
    reason: str
    detail: str  # the exit code, the signal's name, the seconds of silence, or by whom


@dataclass(frozen=True)
class ProcessState:
    """What the supervisor last wrote about one process."""

    name: str
    state: str
    pid: int | None
    started_at: float
    restarts: int
    last_restart: Restart | None = None

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> "ProcessState":
        """Give what was written; what another version wrote besides is left out."""
        known = {each.name for each in fields(cls)}
        told = {name: value for name, value in written.items() if name in known}
        last = told.get("last_restart")
        return cls(**{**told, "last_restart": Restart(**last) if last else None})


class Instance:
    """The portal that runs, or ran last, on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "up.json"
        self._lock = folder / "up.lock"
        self._gaps = folder / "clock-gaps.jsonl"
        self._seen_at = 0.0

    def claim(self) -> int:
        """Take the folder for this process; give the descriptor that holds it. Raises AlreadyRunning, OSError."""
        descriptor = files.open_own(self._lock, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise AlreadyRunning(int(written) if written.isdigit() else None) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor

    def running_pid(self) -> int | None:
        """Give the process id of the instance that runs now, None when none does."""
        try:
            descriptor = files.open_own(self._lock, os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            return int(written) if written.isdigit() else None
        finally:
            os.close(descriptor)
        return None

    def write(self, states: Iterable[ProcessState], ports: dict[str, int]) -> None:
        """Publish what runs, for the status pages, the preflight check and the next start. Raises OSError."""
        content = {"pid": os.getpid(), "ports": ports, "processes": [asdict(state) for state in states]}
        self._seen_at = time.monotonic()
        files.replace(self._state, json.dumps(content).encode())

    def give_sign_of_life(self) -> None:
        """Say that what was published still holds, every few seconds."""
        if time.monotonic() - self._seen_at >= SEEN_EVERY:
            self._seen_at = time.monotonic()
            with contextlib.suppress(OSError):
                os.utime(self._state, follow_symlinks=False)

    def seen_at(self) -> float | None:
        """Give when the supervisor gave its last sign of life, None when it never did."""
        try:
            return self._state.stat().st_mtime
        except OSError:
            return None

    def ports(self) -> dict[str, int]:
        """Give the ports of the last start by the name of their environment variable."""
        ports: dict[str, int] = self._read().get("ports", {})
        return ports

    def processes(self) -> list[ProcessState]:
        """Give the processes as last written."""
        return [ProcessState.read(each) for each in self._read().get("processes", [])]

    def _read(self) -> dict:
        try:
            content: dict = json.loads(self._state.read_text())
        except (OSError, ValueError):
            return {}
        return content

    def clear_leftovers(self) -> list[str]:
        """End the children of an instance that was killed and give their names; they usually end by themselves."""
        left = []
        for state in self.processes():
            try:
                process = psutil.Process(state.pid or -1)
                if abs(process.create_time() - state.started_at) < 2:  # else the number belongs to somebody else by now
                    left.append((state.name, process))
            except (psutil.Error, ValueError):
                continue
        _gone, alive = psutil.wait_procs([process for _name, process in left], timeout=LEFTOVERS_WITHIN)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=2)
        return [name for name, _process in left]

    # --- the clock ----------------------------------------------------------------------------------------------
    def note_gap(self, kind: str, seconds: float, at: float | None = None) -> None:
        """Remember that the machine slept, or that its clock was set. Raises OSError."""
        line = json.dumps({"at": time.time() if at is None else at, "kind": kind, "seconds": round(seconds, 1)})
        files.replace(self._gaps, "\n".join([*self._noted(), line][-KEPT_GAPS:]).encode() + b"\n")

    def gaps(self, since: float) -> list[dict]:
        """Give the gaps noted after a time (seconds since the epoch)."""
        try:
            lines = self._noted()
        except OSError:
            return []
        return [gap for line in lines if (gap := json.loads(line))["at"] >= since]

    def _noted(self) -> list[str]:
        try:
            with open(files.open_own(self._gaps, os.O_RDONLY)) as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


class Clock:
    """Compares the clocks each second: a machine that sleeps stops polling, and a clock that jumps spoils history."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._last = self._now()
        self._unnoted: list[tuple[str, float, float]] = []  # while the disk is full

    @staticmethod
    def _now() -> tuple[float, float, float]:
        return time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)

    def compare(self) -> tuple[str, float] | None:
        """Give a gap since the last call, which is to be noted: ``("slept", seconds)`` or ``("set", seconds)``."""
        last, self._last = self._last, self._now()
        wall, monotonic, since_boot = (new - old for new, old in zip(self._last, last, strict=True))
        slept = since_boot - monotonic
        moved = wall - since_boot
        for kind, seconds in (("slept", slept), ("set", moved)):
            if abs(seconds) > CLOCK_TOLERANCE:
                self._unnoted.append((kind, seconds, time.time()))
                return kind, seconds
        return None

    def note(self) -> None:
        """Have what was found noted; what could not be stays for the next time. Raises OSError."""
        while self._unnoted:
            self._instance.note_gap(*self._unnoted[0])
            del self._unnoted[0]
