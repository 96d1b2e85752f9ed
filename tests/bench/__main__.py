"""Measures the portal beside other tools, in one run on one machine: ``make bench``, or one part: ``python -m tests.bench traps``.

Every figure is of whole processes by the kernel's accounting. Believe the ratios; absolute seconds are this machine's.
"""

import asyncio
import platform
import re
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import psutil

from tests.bench import fleet, informs, peers, traps, usage
from tests.bench.population import populate
from tests.e2e.portal import ADMIN, PASSWORD, Portal, free_tcp_port

AGENTS, DEAD, COMPONENTS = 1000, 200, 10_000
SETTLE = 15.0  # seconds that a portal gets before anything is measured
ROUND_WITHIN = 240.0
ROUNDS = 3
PAGES = 15  # requests per page, of which the median counts


def main(*wanted: str) -> None:
    """Run everything, or the parts that are named, and print one table."""
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise SystemExit(f"there is no part {unknown[0]}: the parts are {', '.join(PARTS)}")
    lines = [
        f"{date.today()}, {platform.machine()}, {psutil.cpu_count()} processors, Python {platform.python_version()}"
    ]
    with tempfile.TemporaryDirectory(prefix="esm-bench-") as name:
        folder = Path(name)
        for name, measure in PARTS.items():
            if name in wanted or not wanted:
                lines += measure(folder)
    print("\n".join(lines))


def measure_polling(folder: Path) -> list[str]:
    """Poll and store 1,000 agents, beside tools that only read them; informs wait meanwhile."""
    port = free_tcp_port()
    with fleet.agents(folder, AGENTS, 0, port):
        exporter, walk = peers.exporter(folder, AGENTS, port), peers.bulk_walk(AGENTS, port)
        portal = _portal(folder / "polling")
        try:
            populate(portal, "agents", str(AGENTS), str(port))
            _round(portal)  # the first round also asks each agent who it is
            cpu, wall, answered, waits = _measured_round(portal)
            memory = usage.memory(portal.process.pid) if portal.process else []
        finally:
            portal.stop()
    total = sum(each.pss for each in memory)
    return [
        f"poll and store {AGENTS} agents x {fleet.VALUES} values: {cpu:.2f} CPU-s in all processes, {wall:.1f} s wall, "
        f"{answered} answered",
        f"  prometheus-snmp-exporter, not stored: {exporter:.2f} CPU-s; ratio {cpu / exporter:.2f}",
        f"  snmpget + snmpbulkwalk, not stored: {walk:.2f} CPU-s; ratio {cpu / walk:.2f}",
        f"  an inform's wait for its answer meanwhile: {waits}",
        f"memory: {total / 2**20:.0f} MiB PSS in {len(memory)} processes",
        *(f"  {each.pss / 2**20:6.1f} MiB  {each.title}" for each in sorted(memory, key=lambda each: -each.pss)),
    ]


def measure_dead(folder: Path) -> list[str]:
    """Poll the same fleet with a fifth of it silent."""
    port = free_tcp_port()
    with fleet.agents(folder, AGENTS, DEAD, port):
        portal = _portal(folder / "dead")
        try:
            populate(portal, "agents", str(AGENTS), str(port))
            _round(portal)
            cpu, wall, answered, _waits = _measured_round(portal)
        finally:
            portal.stop()
    return [f"the same with {DEAD} of {AGENTS} dead: {cpu:.2f} CPU-s, {wall:.1f} s wall, {answered} answered"]


def measure_pages(folder: Path) -> list[str]:
    """Ask for pages of a fleet of ten thousand."""
    portal = _portal(folder / "pages")
    try:
        populate(portal, "fill", str(COMPONENTS))
        browser = _signed_in(portal)
        lines = []
        for path in ("/", "/components/", "/components/?status=critical", "/components/?q=node-0777"):
            lines.append(f"  {path}: {_median(browser, portal.url + path) * 1000:.0f} ms")
    finally:
        portal.stop()
    return [f"pages with {COMPONENTS} components, median of {PAGES}:", *lines]


def _portal(folder: Path) -> Portal:
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    time.sleep(SETTLE)
    return portal


def _round(portal: Portal) -> tuple[float, int]:
    """Make all due and wait until all were polled; give the seconds and how many answered."""
    start = time.time()
    populate(portal, "due")
    while time.time() - start < ROUND_WITHIN:
        polled, answered, first, last = populate(portal, "polled", str(start)).split()
        if int(polled) >= AGENTS:
            return float(last) - float(first), int(answered)
        time.sleep(2)
    raise SystemExit(f"only {polled} of {AGENTS} agents were polled in {ROUND_WITHIN:.0f} s")


def _measured_round(portal: Portal) -> tuple[float, float, int, str]:
    """Give the median of some rounds; what the idle portal uses in the same time is taken off."""
    assert portal.process
    pid = portal.process.pid
    idle = _spent(pid, lambda: time.sleep(20)) / 20
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


def _spent(pid: int, act: Callable[[], object]) -> float:
    before = usage.cpu_seconds(pid)
    act()
    return usage.cpu_seconds(pid) - before


def _p99(waits: list[float], unanswered: int) -> str:
    if unanswered or len(waits) < 100:
        return f"unknown ({unanswered} of {unanswered + len(waits)} informs got no answer)"
    return f"{statistics.quantiles(waits, n=100)[98] * 1000:.0f} ms"


def _signed_in(portal: Portal) -> urllib.request.OpenerDirector:
    """Sign in by the page and keep the cookies."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(f"{portal.url}/login/") as page:
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.read())
    assert token
    given = {"csrfmiddlewaretoken": token[1].decode(), "username": ADMIN, "password": PASSWORD}
    browser.open(f"{portal.url}/login/", urllib.parse.urlencode(given).encode()).close()
    return browser


def _median(browser: urllib.request.OpenerDirector, url: str) -> float:
    times = []
    for _ in range(PAGES):
        start = time.perf_counter()
        with browser.open(url, timeout=60) as answer:
            text = answer.read()
        times.append(time.perf_counter() - start)
        if answer.url != url or b"node-0" not in text:
            raise SystemExit(f"{url} did not give its page but {answer.url}")
    return statistics.median(times)


PARTS: dict[str, Callable[[Path], list[str]]] = {
    "polling": measure_polling,
    "dead": measure_dead,
    "pages": measure_pages,
    "traps": traps.measure,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
