"""Browsers with a page open: they follow the live stream and fetch the parts of the page as the page itself would."""

import re
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPException

RETRY = 3.0  # seconds, as the stream says
TOUCH = 300.0  # seconds between two requests that a person makes, or he would be signed out for idleness
STREAM = "/events/stream/"


@dataclass
class Region:
    """A part of the page that fetches itself when it hears one of its topics."""

    path: str
    topics: frozenset[str]


class _Regions(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.found: list[Region] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        topics = frozenset(re.findall(r"sse:([\w-]+)", given.get("hx-trigger") or ""))
        if topics and "hx-get" in given:
            self.found.append(Region(given["hx-get"] or self.path, topics))


@dataclass
class Visitor:
    """One open page of a signed-in user; a region that hears more while it fetches does so once more afterwards."""

    browser: urllib.request.OpenerDirector
    url: str
    path: str = "/"
    events: int = 0
    waits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _regions: list[Region] = field(default_factory=list)
    _wanted: set[int] = field(default_factory=set)
    _woken: threading.Condition = field(default_factory=threading.Condition)
    _leaving: bool = False

    def arrive(self) -> None:
        """Open the page and keep it open."""
        with self.browser.open(self.url + self.path, timeout=60) as page:
            parser = _Regions(self.path)
            parser.feed(page.read().decode())
        self._regions = parser.found
        for work in (self._listen, self._fetch, self._touch):
            threading.Thread(target=work, daemon=True).start()

    def leave(self) -> None:
        """Close the page."""
        with self._woken:
            self._leaving = True
            self._woken.notify_all()

    def _listen(self) -> None:
        while not self._leaving:
            try:
                with self.browser.open(self.url + STREAM, timeout=60) as stream:
                    for line in stream:
                        if self._leaving:
                            return
                        if line.startswith(b"event: "):
                            self._hear(line[7:].decode().strip())
            except (OSError, HTTPException) as error:
                self._note(error)
            time.sleep(RETRY)

    def _hear(self, topic: str) -> None:
        with self._woken:
            self.events += 1
            self._wanted |= {place for place, region in enumerate(self._regions) if topic in region.topics}
            self._woken.notify_all()

    def _fetch(self) -> None:
        while True:
            with self._woken:
                self._woken.wait_for(lambda: self._wanted or self._leaving)
                if self._leaving:
                    return
                wanted, self._wanted = self._wanted, set()
            for place in sorted(wanted):
                self._ask(self._regions[place].path, {"HX-Request": "true", "X-Automatic": "1"})

    def _touch(self) -> None:
        while True:
            with self._woken:
                if self._woken.wait_for(lambda: self._leaving, TOUCH):
                    return
            self._ask(self.path, {})

    def _ask(self, path: str, headers: dict[str, str]) -> None:
        start = time.perf_counter()
        try:
            with self.browser.open(urllib.request.Request(self.url + path, headers=headers), timeout=60) as answer:
                answer.read()
                if "/login/" in answer.url:
                    self.failures.append(f"{path}: signed out")
        except (OSError, HTTPException) as error:
            self._note(error)
        else:
            self.waits.append(time.perf_counter() - start)

    def _note(self, error: Exception) -> None:
        if not self._leaving:
            self.failures.append(f"{type(error).__name__}: {error}")
