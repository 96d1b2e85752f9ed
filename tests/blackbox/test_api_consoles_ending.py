"""A console that is open in a browser ends with the right to have it open, at once, and leaves the controller free."""

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from apps.simulators.bmc import Controller
from tests.blackbox.client import Caller
from tests.controllers import PASSWORD as CONTROLLER_PASSWORD
from tests.controllers import USERNAME, LoopThread, controllers, loop_thread
from tests.e2e.portal import PASSWORD, Portal
from tests.system.waiting import until

REFUSED = 4403
AT_ONCE = 10.0  # seconds, of a machine that does much else; half a minute would be the look that is taken anyway


@dataclass
class Browser:
    """A browser that is signed in."""

    url: str
    opener: urllib.request.OpenerDirector
    jar: http.cookiejar.CookieJar

    def post(self, path: str, **fields: str) -> None:
        """Send a form as a page does."""
        page = self.opener.open(f"{self.url}/login/", timeout=20).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        token = token or re.search(r'csrf[^"]*":\s*"([^"]+)"', page)
        assert token is not None, page[:2000]
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Referer": f"{self.url}/"})
        self.opener.open(request, timeout=20).read()

    def open_console(self, component: int) -> ClientConnection:
        """Open a WebSocket with the cookies."""
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.jar)
        where = self.url.replace("http", "ws", 1)
        return connect(
            f"{where}/components/{component}/console/attach/",
            origin=self.url,
            additional_headers={"Cookie": cookies},
            proxy=None,
        )


def sign_in(portal: Portal, name: str) -> Browser:
    """Sign in as a browser does."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))
    browser = Browser(portal.url, opener, jar)
    browser.post("/login/", username=name, password=PASSWORD)
    return browser


@pytest.fixture(scope="module")
def thread() -> Iterator[LoopThread]:
    """The loop of the controller."""
    with loop_thread() as running:
        yield running


@pytest.fixture(scope="module")
def controller(thread: LoopThread) -> Iterator[Controller]:
    """A controller with a serial line."""
    with controllers(thread, ["127.0.74.1"]) as (found,):
        yield found


@pytest.fixture(scope="module")
def machine(admin: Caller, north_rack: int, controller: Controller) -> int:
    """The component."""
    fields = {"username": USERNAME, "password": CONTROLLER_PASSWORD}
    body = {"name": "console login", "kind": "password", "fields": fields}
    login = admin.post("credentials/", body)["id"]
    way = {"driver": "bmc", "address": controller.address, "port": controller.port, "credential": login}
    body = {"name": "console machine", "group": north_rack, "interfaces": [way]}
    return int(admin.post("components/", body)["id"])


def sign_out(browser: Browser, admin: Caller, name: str) -> None:
    browser.post("/logout/")


def deactivate(browser: Browser, admin: Caller, name: str) -> None:
    (user,) = admin.rows(f"users/?username={name}")
    admin.patch(f"users/{user['id']}/", {"is_active": False})


def take_the_role(browser: Browser, admin: Caller, name: str) -> None:
    (user,) = admin.rows(f"users/?username={name}")
    for grant in admin.rows(f"grants/?user={user['id']}"):
        admin.delete(f"grants/{grant['id']}/")


@pytest.mark.parametrize("act", [sign_out, deactivate, take_the_role])
def test_a_console_ends_when_it_may_not_be_open_any_more(
    portal: Portal,
    admin: Caller,
    make_user: Callable[..., Caller],
    north_rack: int,
    machine: int,
    controller: Controller,
    thread: LoopThread,
    act: Callable[[Browser, Caller, str], None],
) -> None:
    name = f"console-{act.__name__.replace('_', '-')}"
    make_user(name, "operator", north_rack)
    browser = sign_in(portal, name)
    with browser.open_console(machine) as page:
        until(lambda: b"login:" in said(page), "the machine asks who it is", 30)
        (held,) = [one for one in admin.rows("consoles/") if one["component"] == machine]
        assert held["holder"] == name
        began = time.monotonic()
        act(browser, admin, name)
        assert end_of(page) == REFUSED
        assert time.monotonic() - began < AT_ONCE
    # Nobody is waited for: the line is given back, and with it the session of the controller.
    until(lambda: admin.rows("consoles/") == [], "no console is open", AT_ONCE)
    assert thread.call(lambda: len(controller.sessions)) == 0
    assert {one["after"]["end"] for one in admin.rows("audit/?action=console.close&limit=100")} == {"barred"}


def end_of(page: ClientConnection) -> int | None:
    """Read until the portal closes; give its code."""
    try:
        while True:
            page.recv(timeout=AT_ONCE)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else None


def said(page: ClientConnection) -> bytes:
    """Take one piece of what the console says; nothing when nothing comes soon."""
    page.send(b"\r")
    try:
        piece = page.recv(timeout=1)
    except TimeoutError:
        return b""
    return piece if isinstance(piece, bytes) else b""
