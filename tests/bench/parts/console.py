"""Types on a machine's console as a browser does, and measures how long an echo takes, with two viewers who read along.

The way: a WebSocket, the web process, the console process, serial over LAN to OpenIPMI's simulator, and back.
"""

import http.cookiejar
import json
import statistics
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import cycle, islice
from pathlib import Path
from string import ascii_lowercase

from websockets.sync.client import ClientConnection, connect

from tests.bench.portals import Failed, running, signed_in
from tests.e2e.portal import Client, Portal
from tests.ipmi_sim import PASSWORD, USERNAME, ipmi_sim
from tests.login_prompt import serial_console

KEYS = 300
PAUSE = 0.02  # seconds between keys: somebody who types fast
AIM = 20.0  # ms, the median
WITHIN = 30.0  # seconds
QUIET = 1.0  # seconds without a word, after which a console has said what it says at first


def measure(folder: Path) -> Iterator[str]:
    """Give the line to print."""
    (folder / "bmc").mkdir()
    with (
        serial_console() as serial,
        ipmi_sim(folder / "bmc", serial.port) as simulator,
        running(folder / "portal") as portal,
        ExitStack() as viewers,
    ):
        component = _register(portal, simulator.port)
        pages = [viewers.enter_context(_attach(portal, component)) for _ in range(3)]
        for page in pages:
            _until_open(page)
            _drain(page)
        took = sorted(_echo(pages, letter) for letter in islice(cycle(ascii_lowercase), KEYS))
    median, late = statistics.median(took), took[int(0.95 * KEYS)]
    yield f"echo of {KEYS} keys, 3 pages open: median {median:.1f} ms, 95 % within {late:.1f} ms (aim: {AIM:g} ms)"
    if median > AIM:
        raise Failed(f"the median echo takes {median:.1f} ms")


def _register(portal: Portal, port: int) -> int:
    api = Client(portal.url).sign_in()
    fields = {"username": USERNAME, "password": PASSWORD}
    login = api.post("/credentials/", {"name": "bmc", "kind": "password", "fields": fields})
    way = {"driver": "bmc", "address": "127.0.0.1", "port": port, "credential": login["id"]}
    made = api.post("/components/", {"name": "server", "interfaces": [way]})
    api.wait_for(f"/components/{made['id']}/", lambda one: one["last_seen_at"], "the controller answers", WITHIN)
    return int(made["id"])


def _attach(portal: Portal, component: int) -> ClientConnection:
    browser = signed_in(portal)
    (jar,) = [one.cookiejar for one in browser.handlers if isinstance(one, urllib.request.HTTPCookieProcessor)]
    assert isinstance(jar, http.cookiejar.CookieJar)
    words = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    address = f"ws://127.0.0.1:{portal.http_port}/components/{component}/console/attach/"
    return connect(address, origin=portal.url, additional_headers={"Cookie": words}, compression=None)


def _until_open(page: ClientConnection) -> None:
    limit = time.monotonic() + WITHIN
    while time.monotonic() < limit:
        heard = page.recv(timeout=WITHIN)
        if isinstance(heard, str) and json.loads(heard).get("phase") == "open":
            return
    raise Failed("the console does not open")


def _drain(page: ClientConnection) -> None:
    """Read what the console says at first, until it says nothing any more."""
    with suppress(TimeoutError):
        while True:
            page.recv(timeout=QUIET)


def _echo(pages: Sequence[ClientConnection], key: str) -> float:
    """Give the milliseconds from a key to its echo on the page where it was typed; the other pages see it, too."""
    time.sleep(PAUSE)
    began = time.perf_counter()
    pages[0].send(json.dumps({"do": "type", "text": key, "encoding": "utf-8"}))
    _until_shown(pages[0], key)
    took = (time.perf_counter() - began) * 1000
    for page in pages[1:]:
        _until_shown(page, key)
    return took


def _until_shown(page: ClientConnection, key: str) -> None:
    while True:
        heard = page.recv(timeout=WITHIN)
        if isinstance(heard, bytes) and key.encode() in heard:
            return
