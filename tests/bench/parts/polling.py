"""Polls and stores a thousand agents, beside tools that only read them, and again with a fifth of them silent."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench import fleet, informs, peers, usage
from tests.bench.portals import Failed, pid_of, populate, running
from tests.e2e.portal import Portal, free_tcp_port

AGENTS, DEAD = 1000, 200
ROUND_WITHIN = 240.0  # seconds
ROUNDS = 3


def measure(folder: Path) -> Iterator[str]:
    """Measure both."""
    yield from _all_answer(folder)
    yield from _some_silent(folder)


def _all_answer(folder: Path) -> Iterator[str]:
    port = free_tcp_port()
    with fleet.running(folder, AGENTS, 0, port):
        exporter, walk = peers.exporter(folder, AGENTS, port), peers.bulk_walk(AGENTS, port)
        with running(folder / "polling") as portal:
            populate(portal, "agents", str(AGENTS), str(port))
            _round(portal)  # the first round also asks each agent who it is
            cpu, wall, answered, waits = _measured_round(portal)
            memory = usage.memory(pid_of(portal))
    yield (
        f"poll and store {AGENTS} agents x {fleet.VALUES} values: {cpu:.2f} CPU-s in all processes, {wall:.1f} s wall, "
        f"{answered} answered"
    )
    yield f"  prometheus-snmp-exporter, not stored: {exporter:.2f} CPU-s; ratio {cpu / exporter:.2f}"
    yield f"  snmpget + snmpbulkwalk, not stored: {walk:.2f} CPU-s; ratio {cpu / walk:.2f}"
    yield f"  an inform's wait for its answer meanwhile: {waits}"
    yield from usage.lines(memory)


def _some_silent(folder: Path) -> Iterator[str]:
    port = free_tcp_port()
    with fleet.running(folder, AGENTS, DEAD, port), running(folder / "dead") as portal:
        populate(portal, "agents", str(AGENTS), str(port))
        _round(portal)
        cpu, wall, answered, _waits = _measured_round(portal)
    yield f"the same with {DEAD} of {AGENTS} dead: {cpu:.2f} CPU-s, {wall:.1f} s wall, {answered} answered"


def _round(portal: Portal) -> tuple[float, int]:
    """Make all due and wait until all were polled; give the seconds and how many answered."""
    start = time.time()
    populate(portal, "due")
    while time.time() - start < ROUND_WITHIN:
        polled, answered, first, last = populate(portal, "polled", str(start)).split()
        if int(polled) >= AGENTS:
            return float(last) - float(first), int(answered)
        time.sleep(2)
    raise Failed(f"only {polled} of {AGENTS} agents were polled in {ROUND_WITHIN:.0f} s")


def _measured_round(portal: Portal) -> tuple[float, float, int, str]:
    """Give the median of some rounds; what the idle portal uses in the same time is taken off."""
    pid = pid_of(portal)
    idle = usage.idle(pid)
    time.sleep(5)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(lambda: asyncio.run(informs.send(portal.trap_port, 20, 30)))
        waits, unanswered = sending.result()
        quiet = _p99(waits, unanswered)
        rounds = []
        for _ in range(ROUNDS):
            before, start = usage.cpu_seconds(pid), time.monotonic()
            wall, answered = _round(portal)
            rounds.append((usage.cpu_seconds(pid) - before - idle * (time.monotonic() - start), wall, answered))
        cpu, wall, answered = sorted(rounds)[ROUNDS // 2]
        sending = pool.submit(lambda: asyncio.run(informs.send(portal.trap_port, 20, 20)))
        _round(portal)
        waits, unanswered = sending.result()
    return cpu, wall, answered, f"p99 {_p99(waits, unanswered)} while a round is stored, {quiet} otherwise"


def _p99(waits: list[float], unanswered: int) -> str:
    if unanswered or len(waits) < 100:
        return f"unknown ({unanswered} of {unanswered + len(waits)} informs got no answer)"
    return f"{statistics.quantiles(waits, n=100)[98] * 1000:.0f} ms"
