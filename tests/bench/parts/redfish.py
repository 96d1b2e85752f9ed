"""Reads and stores a hundred Redfish services over TLS (our simulator) beside the same requests by plain aiohttp.

What the portal asked one service is written down there and asked of all of them again by a program that does nothing
else; each reads every answer as JSON, signs in and signs out.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import redfish_fleet, usage
from tests.bench.portals import Failed, pid_of, populate, running
from tests.e2e.portal import ROOT, Portal, free_tcp_port

COUNT = 100
DRIVER = "redfish"
ROUNDS = 3
ROUND_WITHIN = 300.0  # seconds
STILL = 2.0  # seconds until a round that is stored has also signed out everywhere
SESSIONS = "/SessionService/Sessions"
AIM = 1.5  # times what plain aiohttp needs

Request = tuple[str, str]


@dataclass(frozen=True)
class Round:
    """How one round went."""

    cpu: float  # seconds
    wall: float
    answered: int
    asked: tuple[Request, ...]  # of the first service


def measure(folder: Path) -> Iterator[str]:
    """Measure all."""
    port = free_tcp_port()
    with redfish_fleet.running(COUNT, port) as fleet, running(folder / "portal") as portal:
        login = (redfish_fleet.USERNAME, redfish_fleet.PASSWORD)
        populate(portal, "controllers", DRIVER, str(COUNT), redfish_fleet.FIRST, str(port), *login)
        idle = usage.idle(pid_of(portal))
        first = _round(portal, fleet, idle, parts=True)
        yield _told("for the first time, with inventory and event log", first)
        yield from _beside(first, port)
        again = sorted((_round(portal, fleet, idle) for _ in range(ROUNDS)), key=lambda one: one.cpu)[ROUNDS // 2]
        yield _told(f"again, median of {ROUNDS}", again)
        yield from _beside(again, port)
        listed = _round(portal, fleet, idle, parts=True)
        yield _told("again with inventory", listed)
        yield from _beside(listed, port)
        if signed_in := sum(fleet.sessions(number) for number in range(COUNT)):
            raise Failed(f"{signed_in} sessions were left behind")
        fleet.silence(0)
        silent = redfish_fleet.TOGETHER
        yield _told(f"again with {silent} silent", _round(portal, fleet, idle, silent=silent))


def _told(what: str, found: Round) -> str:
    cpu = f"{found.cpu:.2f} CPU-s ({1000 * found.cpu / COUNT:.1f} ms each)"
    return f"{COUNT} {what}: {cpu}, {found.wall:.1f} s wall, {found.answered} answered"


def _beside(found: Round, port: int) -> Iterator[str]:
    """Ask the same by plain aiohttp; give the median of some rounds."""
    others = statistics.median(_plainly(found.asked, port) for _ in range(ROUNDS))
    yield (
        f"  the same {len(found.asked)} requests by plain aiohttp, not stored: {others:.2f} CPU-s; "
        f"ratio {found.cpu / others:.2f} (aim: {AIM:g})"
    )


def _plainly(asked: tuple[Request, ...], port: int) -> float:
    job = {
        "addresses": [redfish_fleet.address(number) for number in range(COUNT)],
        "port": port,
        "username": redfish_fleet.USERNAME,
        "password": redfish_fleet.PASSWORD,
        "at_once": COUNT,
        "requests": asked,
    }
    command = [sys.executable, "-m", "tests.bench.plain_redfish"]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    cpu, found = done.stdout.split()
    if int(found) != COUNT * len(asked):
        raise Failed(f"plain aiohttp got {found} answers to {COUNT * len(asked)} requests")
    return float(cpu)


def _round(portal: Portal, fleet: redfish_fleet.Fleet, idle: float, *, parts: bool = False, silent: int = 0) -> Round:
    """Make all due and wait until all were asked, with ``parts`` also for what they are made of.

    What the idle portal uses in the same time is taken off.
    """
    pid = pid_of(portal)
    watched = COUNT - 1  # the last to be silenced
    fleet.asked(watched)
    before, start = usage.cpu_seconds(pid), time.time()
    populate(portal, "due" if parts else "poll_due", DRIVER)
    while True:
        polled, answered, _first, last = populate(portal, "polled", str(start), DRIVER).split()
        listed = int(populate(portal, "listed", str(start), DRIVER)) if parts else COUNT
        if int(polled) >= COUNT and listed >= COUNT:
            break
        if time.time() - start > ROUND_WITHIN:
            raise Failed(f"only {polled} of {COUNT} services were polled and {listed} listed in {ROUND_WITHIN:.0f} s")
        time.sleep(1)
    time.sleep(STILL)
    spent = usage.cpu_seconds(pid) - before - idle * (time.time() - start)
    if int(answered) != COUNT - silent:
        raise Failed(f"{answered} services answered while {silent} were silent: nothing is measured")
    asked = tuple(one for one in fleet.asked(watched) if _is_harmless(*one))
    if [method for method, _path in asked].count("POST") != [method for method, _path in asked].count("DELETE"):
        raise Failed("the portal does not sign out as often as it signs in")
    return Round(spent, float(last), int(answered), asked)


def _is_harmless(method: str, path: str) -> bool:
    """Say whether it may be asked again: what only reads, signs in or out. The portal also subscribes, once."""
    return method == "GET" or SESSIONS in path
