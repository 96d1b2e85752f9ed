"""Lets a portal run under an ordinary load and looks for what only time shows: growth, loss, missed polls, locks.

A thousand agents polled every minute, fifty traps a second from their addresses, three dashboards open.
``SOAK_MINUTES`` changes for how long; at the default it is about the time of a coffee.
"""

import os
import re
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from tests.bench import fleet, link_traps, usage
from tests.bench.portals import Failed, pid_of, populate, running, set_option, signed_in
from tests.bench.visitors import Visitor
from tests.e2e.portal import Portal, free_tcp_port

MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
AGENTS, PERIOD, TRAPS, DASHBOARDS = 1000, 60, 50, 3
LOOK = 10.0  # seconds between two looks at the memory
WARM_UP = 0.5  # of the time, before which growth is no sign of a leak: everything has to be done once, caches to fill
SPAN = 60.0  # seconds of which the lowest look counts: what a request uses for a moment is no growth
FLAT = 0.01  # of the private memory by which what processes hold may grow in ten minutes
LATE = 1.5  # periods without a poll are a missed poll
LOCKED = re.compile(r"locked|deadlock|could not serialize|lock timeout", re.IGNORECASE)
FAULT = re.compile(r"\b(ERROR|CRITICAL)\b|Traceback")
RAISED = re.compile(r"\| ([\w.]+(?:Error|Exception|DoesNotExist)\b.*)")  # the last line of a trace says what it was


@dataclass
class Growth:
    """The memory of the portal over time.

    Its processes are forks: a page that one of them writes to is copied then, which goes on for hours and ends when all
    is copied. What a process holds, copied or not, is what must be flat; what all of it takes is told beside that.
    """

    at: list[float] = field(default_factory=list)
    held: list[dict[str, int]] = field(default_factory=list)
    private: list[int] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)

    def look(self, pid: int, at: float) -> None:
        """Take one look."""
        found = usage.memory(pid)
        self.at.append(at)
        self.held.append({f"{each.pid} {each.title}": each.held for each in found})
        self.private.append(sum(each.private for each in found))
        self.whole.append(sum(each.pss for each in found))

    def slopes(self, since: float) -> dict[str, float]:
        """Give by how many bytes a second grows what each process holds, and what all hold ("")."""
        chosen = [place for place, at in enumerate(self.at) if at >= since]
        names = {name for place in chosen for name in self.held[place]}
        slopes = {name: _slope([(self.at[place], self.held[place].get(name, 0)) for place in chosen]) for name in names}
        return {"": sum(slopes.values()), **slopes}

    def copied(self, since: float) -> float:
        """Give by how many bytes a second grows what is no file's, with what forks copy."""
        return _slope([(at, size) for at, size in zip(self.at, self.private, strict=True) if at >= since])


def _slope(looks: Sequence[tuple[float, int]]) -> float:
    """Fit a line to the lowest look of each span."""
    lowest: dict[int, tuple[int, float]] = {}
    for at, size in looks:
        span = int(at // SPAN)
        lowest[span] = min(lowest.get(span, (size, at)), (size, at))
    if len(lowest) < 2:
        return 0.0
    return float(np.polyfit([at for _size, at in lowest.values()], [size for size, _at in lowest.values()], 1)[0])


def measure(folder: Path) -> Iterator[str]:
    """Run it and name everything that does not hold."""
    port = free_tcp_port()
    with fleet.running(folder, AGENTS, 0, port), running(folder / "portal") as portal:
        set_option(portal, "MONITORING_INTERVAL", PERIOD)
        populate(portal, "agents", str(AGENTS), str(port))
        populate(portal, "spread", str(PERIOD))
        time.sleep(2 * PERIOD)
        broken: list[str] = []
        yield from _soak(portal, broken)
        if broken:
            raise Failed("; ".join(broken))


def _soak(portal: Portal, broken: list[str]) -> Iterator[str]:
    pid, seconds = pid_of(portal), MINUTES * 60
    visitors = [Visitor(signed_in(portal), portal.url) for _ in range(DASHBOARDS)]
    for visitor in visitors:
        visitor.arrive()
    growth, start, start_at, before = Growth(), time.monotonic(), time.time(), usage.cpu_seconds(pid)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(link_traps.send, portal.trap_port, AGENTS, TRAPS, seconds)
        while (elapsed := time.monotonic() - start) < seconds:
            growth.look(pid, elapsed)
            time.sleep(LOOK)
        sent = sending.result()
    wall, end_at, spent = time.monotonic() - start, time.time(), usage.cpu_seconds(pid) - before
    for visitor in visitors:
        visitor.leave()
    processors = psutil.cpu_count() or 1
    yield (
        f"{AGENTS} agents every {PERIOD} s, {TRAPS} traps/s, {DASHBOARDS} dashboards, {wall / 60:.1f} min: "
        f"{spent:.0f} CPU-s, {100 * spent / wall / processors:.0f} % of {processors} processors"
    )
    yield from _polls(portal, start_at, end_at, broken)
    yield from _traps(portal, sent, broken)
    yield from _dashboards(visitors, broken)
    yield from _memory(growth, seconds, broken)
    yield from _log(portal, broken)


def _polls(portal: Portal, start: float, end: float, broken: list[str]) -> Iterator[str]:
    stored, longest = populate(portal, "stored", str(start), str(end)).split()
    expected = AGENTS * (end - start) / PERIOD
    yield f"polls stored: {stored} of {expected:.0f}; longest that one agent went without: {longest} s"
    if float(longest) > LATE * PERIOD:
        broken.append(f"an agent was not polled for {longest} s")


def _traps(portal: Portal, sent: int, broken: list[str]) -> Iterator[str]:
    kept, counts = populate(portal, "traps", link_traps.WORD).split(maxsplit=1)
    yield f"traps: {sent} sent, {kept} of them stored; {counts.strip()}"
    if int(kept) != sent:
        broken.append(f"{sent - int(kept)} traps were lost")


def _dashboards(visitors: Sequence[Visitor], broken: list[str]) -> Iterator[str]:
    waits = [wait for visitor in visitors for wait in visitor.waits]
    failures = [failure for visitor in visitors for failure in visitor.failures]
    if len(waits) < 2:
        broken.append("the dashboards heard nothing")
        return
    yield (
        f"dashboards: {sum(visitor.events for visitor in visitors)} events heard, {len(waits)} parts fetched, median "
        f"{statistics.median(waits) * 1000:.0f} ms, p99 {statistics.quantiles(waits, n=100)[98] * 1000:.0f} ms, "
        f"{len(failures)} failed"
    )
    if failures:
        broken.append(f"a dashboard failed {len(failures)} times, first: {failures[0]}")


def _memory(growth: Growth, seconds: float, broken: list[str]) -> Iterator[str]:
    since = WARM_UP * seconds
    slopes = growth.slopes(since)
    private = growth.private[-1]
    yield (
        f"memory: {growth.whole[0] / usage.MEBI:.0f} MiB PSS at first, {growth.whole[-1] / usage.MEBI:.0f} MiB at the "
        f"end, {private / usage.MEBI:.0f} MiB of it private"
    )
    yield (
        f"after the first {since / 60:.1f} min what processes hold grows by {_a_minute(slopes[''])}; "
        f"with what forks copy of what they shared: {_a_minute(growth.copied(since))}"
    )
    for name, slope in sorted(slopes.items(), key=lambda each: -abs(each[1])):
        if name and abs(slope) * 60 >= 1024:
            yield f"  {_a_minute(slope)}  {name}"
    if slopes[""] * 600 > FLAT * private:
        broken.append(f"the memory grows by {_a_minute(slopes[''])}")


def _a_minute(slope: float) -> str:
    return f"{slope * 60 / 1024:+.0f} KiB/min"


def _log(portal: Portal, broken: list[str]) -> Iterator[str]:
    said = list(portal.said)
    locked = [line.strip() for line in said if LOCKED.search(line)]
    faults = [line.strip() for line in said if FAULT.search(line)]
    with urllib.request.urlopen(f"{portal.url}/metrics", timeout=20) as answer:
        restarts = sum(map(float, re.findall(r"^esm_process_restarts_total\S* (\S+)$", answer.read().decode(), re.M)))
    yield f"log: {len(said)} lines, {len(locked)} of locks, {len(faults)} of faults; {restarts:.0f} processes died"
    raised = Counter(found[1] for line in said if (found := RAISED.search(line)))
    yield from (f"  {number} x {line[:200]}" for line, number in raised.most_common(5))
    yield from (f"  {line[:200]}" for line in [*locked, *faults][:5])
    if locked or faults or restarts:
        broken.append(f"{len(locked)} lock errors, {len(faults)} faults and {restarts:.0f} deaths in the log")
