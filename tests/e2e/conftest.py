"""One portal with a real device behind it, and one Chromium, for all browser tests of a run."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests import ipmi_sim, migrated
from tests.directory_peers import Slapd, slapd  # noqa: F401 - a fixture
from tests.e2e.portal import ADMIN, PASSWORD, QUICK, Client, Portal
from tests.peers import V3_LOGIN, Snmpd, program, snmpd  # noqa: F401 - a fixture

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TESTS_OF_A_BROWSER = 30
expect.set_options(timeout=30_000)  # milliseconds: the machine does other things too
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.hookimpl(tryfirst=True)  # before the groups are read, also where this folder alone is run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep those that share a portal on one worker: the pages, the stories, and each file with a portal of its own."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            alone = item.path.stem.removeprefix("test_") in {"pages", "demo", "https"}
            item.add_marker(pytest.mark.xdist_group(f"e2e-{item.path.stem}" if alone else "e2e"))


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal on the embedded default, with an administrator."""
    portal = Portal(tmp_path_factory.mktemp("portal"), QUICK)
    migrated.put(portal.folder)
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(scope="package")
def api(portal: Portal) -> Client:
    """The API as the administrator."""
    return Client(portal.url).sign_in()


@pytest.fixture(scope="package")
def server(portal: Portal, api: Client, snmpd: Snmpd) -> int:  # noqa: F811
    """A real SNMP agent, registered by API over v3 and read; gives the component's id."""
    credential = api.post(
        "/credentials/",
        {
            "name": "watcher",
            "kind": "snmp-v3",
            "fields": V3_LOGIN,
        },
    )
    component = api.post(
        "/components/",
        {
            "name": "real-server",
            "interfaces": [
                {"driver": "snmp_agent", "address": "127.0.0.1", "port": snmpd.port, "credential": credential["id"]}
            ],
        },
    )
    pk = int(component["id"])
    api.wait_for(f"/components/{pk}/", lambda c: c["status"] == "normal", "the real server is normal", 60)
    api.wait_for(f"/components/{pk}/sensors/", lambda page: page["count"] > 5, "its sensors are read", 60)
    return pk


@pytest.fixture(scope="package")
def link_down(portal: Portal, api: Client, server: int) -> int:
    """A genuine linkDown of the real server's address; gives the incident's id."""
    subprocess.run(
        [
            program("snmptrap", "snmp"),
            "-v2c",
            "-c",
            "public",
            f"127.0.0.1:{portal.trap_port}",
            "",
            "1.3.6.1.6.3.1.1.5.3",
            "1.3.6.1.2.1.2.2.1.1.2",
            "i",
            "2",
            "1.3.6.1.2.1.2.2.1.2.2",
            "s",
            "eth7",
        ],
        check=True,
        timeout=20,
    )
    incidents = api.wait_for("/incidents/", lambda page: page["count"] > 0, "the trap opened an incident")
    return int(incidents["results"][0]["id"])


@pytest.fixture(scope="package")
def period(portal: Portal, api: Client) -> int:
    """A suspend period of every night on a group of its own; gives its id."""
    group = api.post("/groups/", {"name": "Nights"})
    times = {"starts_at": "2026-01-01T22:00", "ends_at": "2026-01-02T06:00", "time_zone": "Asia/Tokyo"}
    made = api.post("/suspend-periods/", {"name": "Night", "group": group["id"], "repeat": "daily", **times})
    return int(made["id"])


@pytest.fixture(scope="package")
def batch(api: Client, server: int) -> int:
    """A remote batch that collects from the real server every night; gives its id."""
    facts = {"operation": "collect", "time_zone": "Asia/Tokyo", "starts_at": "2026-01-01T02:00", "repeat": "daily"}
    made = api.post("/remote-batches/", {"name": "Collect at night", "components": [server], **facts})
    return int(made["id"])


@pytest.fixture(scope="package")
def directory(api: Client, slapd: Slapd) -> int:  # noqa: F811
    """An OpenLDAP server, behind a dead one, whose staff may look; gives the directory's id."""
    servers = ["127.0.0.1:1", f"127.0.0.1:{slapd.ldaps_port}"]
    made = api.post("/directories/", slapd.fields(servers=servers))
    (role,) = api.get("/roles/?name=viewer")["results"]
    (root,) = [group for group in api.get("/groups/")["results"] if group["parent"] is None]
    group = api.post("/directory-groups/", {"directory": made["id"], "name": "staff"})
    api.post("/grants/", {"directory_group": group["id"], "role": role["id"], "group": root["id"]})
    api.post("/directory-groups/", {"directory": made["id"], "name": "admins"})
    return int(made["id"])


@pytest.fixture(scope="package")
def machine(portal: Portal, api: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A management controller that we did not write, whose event log was read; gives the component's id."""
    fields = {"username": ipmi_sim.USERNAME, "password": ipmi_sim.PASSWORD}
    login = api.post("/credentials/", {"name": "controller", "kind": "password", "fields": fields})
    with ipmi_sim.ipmi_sim(tmp_path_factory.mktemp("controller")) as simulator:
        way = {"driver": "bmc", "address": "127.0.0.1", "port": simulator.port, "credential": login["id"]}
        pk = int(api.post("/components/", {"name": "real-machine", "interfaces": [way]})["id"])
        api.wait_for(f"/components/{pk}/event-log/", lambda page: page["count"] > 0, "its event log is read", 60)
        yield pk


@pytest.fixture(scope="package")
def ids(
    api: Client, server: int, machine: int, link_down: int, period: int, batch: int, directory: int
) -> dict[str, int]:
    """A row of every kind that has a page, by what the paths of pages call it."""

    def first(path: str) -> int:
        return int(api.get(path)["results"][0]["id"])

    return {
        "server": server,
        "machine": machine,
        "entry": first(f"/components/{machine}/event-log/"),
        "incident": link_down,
        "period": period,
        "batch": batch,
        "sensor": first(f"/components/{server}/sensors/"),
        "credential": first("/credentials/"),
        "group": first("/groups/?name=Nights"),
        "alert": first(f"/alerts/?incident={link_down}"),
        "job": int(api.post(f"/components/{server}/check/")["job"]),
        "user": first("/users/"),
        "token": first("/tokens/"),
        "directory": directory,
        "team": int(api.post("/teams/", {"name": "Night shift", "members": [first("/users/")]})["id"]),
        "audit": first("/audit/?action=component.register"),
        "console": _with_console(api),
        "role": int(api.post("/roles/", {"name": "Night watch", "permissions": ["view"]})["id"]),
    }


def _with_console(api: Client) -> int:
    """A server whose controller nobody reaches: the page of its console is there all the same."""
    fields = {"username": "admin", "password": "nobody asks for it"}
    login = api.post("/credentials/", {"name": "silent controller", "kind": "password", "fields": fields})
    way = {"driver": "bmc", "address": "127.0.0.1", "port": 1, "credential": login["id"]}
    return int(api.post("/components/", {"name": "silent-server", "interfaces": [way]})["id"])


def launch(kind: BrowserType, *flags: str) -> Browser:
    """Start a Chromium."""
    path = program("chromium-headless-shell", "chromium-headless-shell")
    return kind.launch(executable_path=path, args=[*CHROMIUM_FLAGS, *flags])


@dataclass
class Chromium:
    """Debian's Chromium without windows, which is a third less work; after a hundred pages one may stop answering."""

    playwright: Playwright
    running: Browser | None = None
    used: int = 0

    def give(self, tests: int) -> Browser:
        """Give the one that runs, or a new one where too many tests have used it."""
        if self.running is None or self.used + tests > TESTS_OF_A_BROWSER:
            self.end()
            self.running, self.used = launch(self.playwright.chromium), 0
        self.used += tests
        return self.running

    def end(self) -> None:
        """Close what runs."""
        if self.running is not None:
            self.running.close()
            self.running = None


@pytest.fixture(scope="package")
def chromium() -> Iterator[Chromium]:
    """The browser of all files, as long as it lasts."""
    with sync_playwright() as playwright:
        chromium = Chromium(playwright)
        yield chromium
        chromium.end()


@pytest.fixture(scope="module")
def browser(chromium: Chromium, request: pytest.FixtureRequest) -> Browser:
    """The browser for the tests of a file."""
    return chromium.give(sum(item.path == request.path for item in request.session.items))


def leave(context: BrowserContext) -> None:
    """Close a context whose pages rest: Chromium never answers to one that closes in the midst of a navigation."""
    for page in context.pages:
        with suppress(Error):  # a page that holds typed text stays
            page.goto("about:blank")
    context.close()


@dataclass
class Visit:
    """A page whose console is listened to."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self, message: ConsoleMessage) -> None:
        """Keep what the browser complains about; policy violations are among it."""
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


def sign_in(context: BrowserContext, portal: Portal, name: str = ADMIN, password: str = PASSWORD) -> Page:
    """Sign in by the page, as a person does."""
    page = context.new_page()
    page.goto(f"{portal.url}/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.click("button[type=submit], input[type=submit]")
    page.wait_for_url(lambda url: "/login/" not in url)
    return page


@pytest.fixture(scope="package")
def session_file(portal: Portal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the administrator's session is kept from file to file."""
    return tmp_path_factory.mktemp("session") / "state.json"


@pytest.fixture(scope="module")
def signed_in(browser: Browser, portal: Portal, session_file: Path) -> str:
    """The path of a stored session of the administrator, which is made where there is none or it has ended."""
    context = browser.new_context(storage_state=session_file if session_file.exists() else None)
    if context.request.get(f"{portal.url}/about/", max_redirects=0).status != 200:
        sign_in(context, portal)
        context.storage_state(path=session_file)
    leave(context)
    return str(session_file)
