"""Asks for every page and every list of the API as an administrator and as an operator who sees a third of it all.

Ten thousand components in five hundred groups, fifty roles, two hundred users; ``ACCESS_COMPONENTS`` and
``ACCESS_ALERTS`` change the size. Both are asked for in turn, so that the machine's moods meet both. What an operator
may not see at all is told and not compared.
"""

import json
import os
import re
import statistics
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.bench.portals import Failed, populate, running, signed_in
from tests.e2e.portal import Portal

COMPONENTS = int(os.environ.get("ACCESS_COMPONENTS", "10000"))
ALERTS = int(os.environ.get("ACCESS_ALERTS", "100000"))
OPERATOR, PASSWORD = "operator", "a long enough passphrase"
ASKED = 11  # times per address and user, of which the median counts
ALLOWED = 1.3  # times as long as an administrator an operator may wait
NOISE = 0.003  # seconds of difference that two medians of one page have on a machine of two processors
TOGETHER, FOR = 4, 10.0  # browsers at once, and seconds, for requests per second
UNENDING = re.compile(r"/(stream|schema|docs)/")

Browser = urllib.request.OpenerDirector


def measure(folder: Path) -> Iterator[str]:
    """Give both times of each address, and how many requests a second are answered; name what takes too long."""
    with running(folder / "portal") as portal:
        places = json.loads(populate(portal, "access", str(COMPONENTS), OPERATOR, PASSWORD))
        populate(portal, "alerts", str(ALERTS))
        chief, operator = signed_in(portal), signed_in(portal, OPERATOR, PASSWORD)
        slow: list[str] = []
        yield f"{COMPONENTS} components, {ALERTS} alerts, median of {ASKED}: administrator, operator, ratio"
        for kind, paths in (("pages", _pages(portal, operator, places)), ("lists of the API", _lists(portal, chief))):
            yield f"{kind}:"
            yield from _compared(portal, chief, operator, paths, slow)
        for path in ("/components/", "/api/v1/components/"):
            rates = [_rate(portal, who, path) for who in ((), (OPERATOR, PASSWORD))]
            yield f"{TOGETHER} browsers at once: {rates[0]:.0f} and {rates[1]:.0f} requests/s of {path}"
        if slow:
            raise Failed("; ".join(slow))


def _compared(portal: Portal, chief: Browser, operator: Browser, paths: list[str], slow: list[str]) -> Iterator[str]:
    ratios, denied = [], []
    for path in paths:
        times: tuple[list[float], list[float]] = ([], [])
        try:
            for _ in range(ASKED):
                for browser, found in zip((chief, operator), times, strict=True):
                    found.append(_asked(browser, portal.url + path))
        except urllib.error.HTTPError as error:
            denied.append(f"{path} ({error.code})")
            continue
        mine, theirs = map(statistics.median, times)
        late = theirs > ALLOWED * mine and theirs - mine > NOISE
        ratios.append(theirs / mine)
        yield f"  {mine * 1000:5.0f} {theirs * 1000:5.0f} ms  {theirs / mine:4.2f}{' !' if late else '  '} {path}"
        if late:
            slow.append(f"{path}: {theirs / mine:.2f} times the administrator's {mine * 1000:.0f} ms")
    yield f"  {len(ratios)} compared: median {statistics.median(ratios):.2f}, highest {max(ratios):.2f}"
    yield f"  not for both: {', '.join(denied) or 'nothing'}"


def _asked(browser: Browser, url: str) -> float:
    """Give how long the whole answer took; raises ``HTTPError`` where there is none for this user."""
    start = time.perf_counter()
    with browser.open(url, timeout=60) as answer:
        answer.read()
        if "/login/" in answer.url:
            raise Failed(f"{url}: signed out")
    return time.perf_counter() - start


class _Menu(HTMLParser):
    """The addresses of a page's menu."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inside = self.inside or tag == "nav"
        if self.inside and tag == "a" and (href := given.get("href") or "").startswith("/"):
            self.found.append(href)

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "nav"


def _pages(portal: Portal, operator: Browser, places: Mapping[str, Any]) -> list[str]:
    """Give every page of the operator's menu, and what he asks of the long ones."""
    with operator.open(f"{portal.url}/", timeout=60) as page:
        menu = _Menu()
        menu.feed(page.read().decode())
    asked = [
        "/components/?status=critical",
        f"/components/?group={places['site']}",
        f"/components/?group={places['rack']}",
        "/components/?q=node-0777",
        "/components/?sort=-cpu",
        "/components/?page=20",
        f"/components/{places['component']}/",
        "/alerts/?show=all",
        "/alerts/?show=all&severity=critical",
        f"/alerts/?show=all&group={places['site']}",
        "/alerts/?show=all&q=neighbour",
        "/incidents/?show=closed",
    ]
    return list(dict.fromkeys(["/", *menu.found, *asked]))


def _lists(portal: Portal, chief: Browser) -> list[str]:
    """Give every address of the API that is read without naming one thing."""
    asking = urllib.request.Request(f"{portal.url}/api/schema/", headers={"Accept": "application/json"})
    with chief.open(asking, timeout=60) as answer:
        described = json.load(answer)
    return [
        path
        for path, methods in sorted(described["paths"].items())
        if "get" in methods and "{" not in path and not UNENDING.search(path)
    ]


def _rate(portal: Portal, who: tuple[str, ...], path: str) -> float:
    """Give how many requests a second several browsers of one user get answered."""
    browsers = [signed_in(portal, *who) for _ in range(TOGETHER)]
    answered = [0] * TOGETHER
    until = time.monotonic() + FOR

    def ask(number: int) -> None:
        while time.monotonic() < until:
            _asked(browsers[number], portal.url + path)
            answered[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(TOGETHER)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / (time.monotonic() - start)
