"""Reads and stores management controllers (OpenIPMI's simulator) beside freeipmi's tools, a tenth of them dead, and
orders a fleet: power, 20 sensors, a log of 20 entries and the parts of each.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import ipmi_fleet, usage
from tests.bench.portals import Failed, pid_of, populate, running, set_option
from tests.e2e.portal import Client, Portal
from tests.ipmi_sim import PASSWORD, USERNAME
from tests.peers import free_udp_port, program

FEW, MANY = 100, 1000
AT_ONCE = 100  # orders
POLLED_AT_ONCE = 20  # by one process: each simulator starts shells, and all of them share the processors
ROUND_WITHIN = 300.0  # seconds
TOOLS = ("ipmi-sensors", "ipmi-sel", "ipmi-fru")
DRIVER = "bmc"


def measure(folder: Path) -> Iterator[str]:
    """Measure a hundred and a thousand."""
    for count in (FEW, MANY):
        yield from _fleet(folder / str(count), count)


def _fleet(folder: Path, count: int) -> Iterator[str]:
    port, dead = free_udp_port(), count // 10
    folder.mkdir()
    with ipmi_fleet.running(folder / "controllers", count, port) as fleet:
        others = sum(_freeipmi(tool, count, port) for tool in TOOLS)
        with running(folder / "portal") as portal:
            set_option(portal, "poll_concurrency", POLLED_AT_ONCE)
            populate(portal, "controllers", DRIVER, str(count), ipmi_fleet.FIRST, str(port), USERNAME, PASSWORD)
            idle = usage.idle(pid_of(portal))
            yield _told(f"{count} for the first time", count, _round(portal, count, idle))
            cpu, wall, answered = _round(portal, count, idle)
            yield _told(f"{count} again", count, (cpu, wall, answered))
            yield f"  {', '.join(TOOLS)}, not stored: {others:.2f} CPU-s; ratio {cpu / others:.2f}"
            for number in range(dead):
                fleet.kill(number * 10)
            yield _told(f"with {dead} dead", count, _round(portal, count, idle, dead))
            yield from _orders(portal, fleet, count, dead)


def _told(what: str, count: int, figures: tuple[float, float, int]) -> str:
    cpu, wall, answered = figures
    each = 1000 * cpu / count
    return f"{what}: {cpu:.1f} CPU-s ({each:.1f} ms each), {wall:.1f} s wall, {answered} answered"


def _freeipmi(tool: str, count: int, port: int) -> float:
    """Give the CPU seconds of one of the tools for the whole fleet."""
    hosts = ",".join(f"{ipmi_fleet.address(number)}:{port}" for number in range(count))
    login = ["-D", "LAN_2_0", "-u", USERNAME, "-p", PASSWORD, "-I", "3", "-W", "opensesspriv", "-l", "admin"]
    command = [program(tool, "freeipmi-tools"), *login, "-F", "32", "-h", hosts]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # which keeps what the sensors are called
    before = usage.children_seconds()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return usage.children_seconds() - before


def _round(portal: Portal, count: int, idle: float, dead: int = 0) -> tuple[float, float, int]:
    """Make all due and wait until all were asked; give processor seconds, seconds and how many answered.

    What the idle portal uses in the same time is taken off.
    """
    pid = pid_of(portal)
    before, start = usage.cpu_seconds(pid), time.time()
    populate(portal, "due", DRIVER)
    while time.time() - start < ROUND_WITHIN:
        polled, answered, _first, last = populate(portal, "polled", str(start), DRIVER).split()
        listed = int(populate(portal, "listed", str(start), DRIVER))
        if int(polled) >= count and listed >= count - dead:
            spent = usage.cpu_seconds(pid) - before - idle * (time.time() - start)
            return spent, float(last), int(answered)
        time.sleep(1)
    raise Failed(f"only {polled} of {count} controllers were polled and {listed} listed in {ROUND_WITHIN:.0f} s")


def _orders(portal: Portal, fleet: ipmi_fleet.Fleet, count: int, dead: int) -> Iterator[str]:
    """Force the whole fleet off, and count what each machine was told."""
    client = Client(portal.url).sign_in()
    ids = [row["id"] for row in client.get(f"/components/?limit={count}&q=machine-")["results"]]
    order = {"operation": "power", "arguments": {"action": "off"}, "components": ids, "expect": count}
    set_option(portal, "operation_failures", 0)
    set_option(portal, "operation_concurrency", AT_ONCE)
    pid = pid_of(portal)
    before, start = usage.cpu_seconds(pid), time.monotonic()
    job = client.post("/operations/", order)["job"]
    while (found := client.get(f"/jobs/{job}/"))["finished"] < count:
        if time.monotonic() - start > ROUND_WITHIN:
            raise Failed(f"only {found['finished']} of {count} orders ended in {ROUND_WITHIN:.0f} s")
        time.sleep(1)
    wall, cpu = time.monotonic() - start, usage.cpu_seconds(pid) - before
    told = [fleet.orders(number) for number in range(count)]
    once = sum(orders == ["set power 0"] for orders in told)
    if once != count - dead or any(len(orders) > 1 for orders in told):
        raise Failed(f"{once} of {count - dead} machines were told once to switch off")
    yield (
        f"{count} forced off by one job, {AT_ONCE} at once: {cpu:.1f} CPU-s, {wall:.1f} s wall, "
        f"{once} told exactly once, {found['failed']} failed"
    )
