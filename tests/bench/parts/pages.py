"""Asks for the pages of ten thousand components with a million alerts, as administrator and as operator of a quarter.

``PAGES_COMPONENTS`` and ``PAGES_ALERTS`` change the size. What counts is the time from the request to the whole page.
"""

import json
import os
import statistics
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.portals import Failed, populate, running, signed_in

COMPONENTS = int(os.environ.get("PAGES_COMPONENTS", "10000"))
ALERTS = int(os.environ.get("PAGES_ALERTS", "1000000"))
ASKED = 9  # times per page, of which the median counts
PLAIN, FILTERED = 0.150, 0.200  # seconds that are aimed at
OPERATOR, PASSWORD = "operator", "a long enough passphrase"


def measure(folder: Path) -> Iterator[str]:
    """Give the time of each page and name those that take too long."""
    with running(folder / "pages") as portal:
        populate(portal, "fill", str(COMPONENTS))
        start = time.monotonic()
        populate(portal, "alerts", str(ALERTS))
        yield f"{ALERTS} alerts written in {time.monotonic() - start:.0f} s"
        places = json.loads(populate(portal, "places", OPERATOR, PASSWORD))
        slow = []
        for browser, who in ((signed_in(portal), "administrator"), (signed_in(portal, OPERATOR, PASSWORD), OPERATOR)):
            yield f"{who}: pages with {COMPONENTS} components and {ALERTS} alerts, median of {ASKED}:"
            for path, expected in addresses(places).items():
                median, worst = _asked(browser, portal.url + path, expected)
                limit = FILTERED if "?" in path else PLAIN
                late = median > limit
                yield f"  {median * 1000:5.0f} ms (longest {worst * 1000:5.0f}){' !' if late else '  '} {path}"
                if late:
                    slow.append(f"{path} as {who}: {median * 1000:.0f} ms")
    if slow:
        raise Failed("; ".join(slow))


def addresses(places: Mapping[str, Any]) -> dict[str, bytes]:
    """Give what is asked for, every filter by itself, and what stands in each page."""
    component, alert = b"node-0", b'<tr id="alert-'
    lists = {
        "/": b"node-0",
        "/components/": component,
        "/components/?status=critical": component,
        "/components/?category=server": b"",
        f"/components/?group={places['group']}": component,
        "/components/?q=node-0777": b"",
        "/components/?sort=-cpu": component,
        "/components/?page=50": component,
        f"/components/{places['component']}/": component,
        "/statistics/": b"",
    }
    alerts = {
        "/alerts/": alert,
        "/alerts/?show=acknowledged": b"",
        "/alerts/?show=unmatched": alert,
        "/alerts/?show=all": alert,
        f"/alerts/?show=all&before={places['before']}": alert,
        "/alerts/?show=all&severity=critical": alert,
        "/alerts/?show=all&alert_type=Rare": b"",
        "/alerts/?show=all&source=portal": alert,
        "/alerts/?show=all&state=acknowledged": b"",
        "/alerts/?show=all&state=none": alert,
        "/alerts/?show=all&quiet=suspended": b"",
        f"/alerts/?show=all&group={places['group']}": alert,
        f"/alerts/?show=all&component={places['component']}": alert,
        f"/alerts/?show=all&incident={places['incident']}": alert,
        f"/alerts/?show=all&address={places['address']}": b"",
        "/alerts/?show=all&period=1h": b"",
        "/alerts/?show=all&from=2026-03-01T00:00&to=2026-03-02T00:00": b"",
        "/alerts/?show=all&q=neighbour": b"",
        "/alerts/?severity=critical": b"",
        f"/alerts/?group={places['group']}": b"",
        "/alerts/?source=portal": b"",
        "/alerts/?alert_type=Portal": b"",
        f"/alerts/{places['alert']}/": b"",
        "/incidents/": b"",
        "/incidents/?show=closed": b"",
        f"/incidents/?show=closed&group={places['group']}": b"",
        f"/incidents/?show=closed&component={places['component']}": b"",
        "/incidents/?show=closed&severity=critical": b"",
        "/incidents/?show=closed&alert_type=Portal": b"",
    }
    return lists | alerts


def _asked(browser: urllib.request.OpenerDirector, url: str, expected: bytes) -> tuple[float, float]:
    times = []
    for _ in range(ASKED):
        start = time.perf_counter()
        with browser.open(url, timeout=60) as answer:
            text = answer.read()
        times.append(time.perf_counter() - start)
        if answer.url != url or expected not in text:
            raise Failed(f"{url} did not give its page but {answer.url}")
    return statistics.median(times), max(times)
