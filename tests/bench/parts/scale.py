"""Polls ten thousand agents, each every five minutes, and says what that takes once it goes on by itself.

``SCALE_AGENTS`` and ``SCALE_MINUTES`` change the size and for how long it is watched.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench import fleet, usage
from tests.bench.portals import Failed, pid_of, populate, running, set_option
from tests.e2e.portal import Portal, free_tcp_port

AGENTS = int(os.environ.get("SCALE_AGENTS", "10000"))
MINUTES = float(os.environ.get("SCALE_MINUTES", "5"))
PERIOD = 300  # seconds
FIRST_ROUND_WITHIN = 3 * PERIOD


def measure(folder: Path) -> Iterator[str]:
    """Give the share of the processors and the memory of every process."""
    port = free_tcp_port()
    with fleet.running(folder, AGENTS, 0, port), running(folder / "portal") as portal:
        set_option(portal, "MONITORING_INTERVAL", PERIOD)
        populate(portal, "agents", str(AGENTS), str(port))
        started = time.time()
        populate(portal, "spread", str(PERIOD))
        took = _first_round(portal, started)
        yield f"first poll of {AGENTS} agents x {fleet.VALUES} values, which also makes their sensors: {took:.0f} s"
        yield from _steady(portal)
        yield f"roll-up of the hour: {populate(portal, 'rollup').strip()}"
        yield f"database: {populate(portal, 'capacity').strip()}"


def _first_round(portal: Portal, started: float) -> float:
    while time.time() - started < FIRST_ROUND_WITHIN:
        polled, _answered, _first, last = populate(portal, "polled", str(started)).split()
        if int(polled) >= AGENTS:
            return float(last)
        time.sleep(5)
    raise Failed(f"only {polled} of {AGENTS} agents were polled in {FIRST_ROUND_WITHIN} s")


def _steady(portal: Portal) -> Iterator[str]:
    pid = pid_of(portal)
    before, start, start_at = usage.cpu_by_process(pid), time.monotonic(), time.time()
    time.sleep(MINUTES * 60)
    after, wall = usage.cpu_by_process(pid), time.monotonic() - start
    stored, late = populate(portal, "stored", str(start_at), str(start_at + wall)).split()
    processors = psutil.cpu_count() or 1
    spent = sum(after.values()) - sum(before.values())
    yield (
        f"{AGENTS} agents every {PERIOD} s, watched for {wall:.0f} s: {spent:.1f} CPU-s, "
        f"{100 * spent / wall / processors:.1f} % of {processors} processors (aim < 25 %)"
    )
    yield f"polls stored: {stored} of {AGENTS * wall / PERIOD:.0f}; longest between two of one agent: {late} s"
    memory = usage.memory(pid)
    yield f"memory: {sum(each.pss for each in memory) / usage.MEBI:.0f} MiB PSS in {len(memory)} processes"
    for each in sorted(memory, key=lambda each: -each.pss):
        share = 100 * (after.get(each.pid, 0.0) - before.get(each.pid, 0.0)) / wall
        yield f"  {each.pss / usage.MEBI:6.1f} MiB  {share:5.1f} % of one processor  {each.title}"
