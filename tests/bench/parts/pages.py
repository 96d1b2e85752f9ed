"""Asks for pages of a fleet of ten thousand."""

import statistics
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.bench.portals import Failed, populate, running, signed_in

COMPONENTS = 10_000
ASKED = 15  # times per page, of which the median counts
PAGES = ("/", "/components/", "/components/?status=critical", "/components/?q=node-0777")


def measure(folder: Path) -> Iterator[str]:
    """Give the time of each page."""
    with running(folder / "pages") as portal:
        populate(portal, "fill", str(COMPONENTS))
        browser = signed_in(portal)
        yield f"pages with {COMPONENTS} components, median of {ASKED}:"
        for path in PAGES:
            yield f"  {path}: {_median(browser, portal.url + path) * 1000:.0f} ms"


def _median(browser: urllib.request.OpenerDirector, url: str) -> float:
    times = []
    for _ in range(ASKED):
        start = time.perf_counter()
        with browser.open(url, timeout=60) as answer:
            text = answer.read()
        times.append(time.perf_counter() - start)
        if answer.url != url or b"node-0" not in text:
            raise Failed(f"{url} did not give its page but {answer.url}")
    return statistics.median(times)
