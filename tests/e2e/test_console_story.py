"""A machine's console in a browser, with a controller behind it that we did not write."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import leave, sign_in
from tests.e2e.portal import PASSWORD as PORTAL_PASSWORD
from tests.e2e.portal import Client, Portal
from tests.ipmi_sim import PASSWORD, USERNAME, IpmiSim, ipmi_sim
from tests.login_prompt import SerialConsole, serial_console
from tests.system.waiting import until

OPERATOR = "console-operator"
PATIENCE = 30_000  # ms


@dataclass
class Machine:
    """A simulated server with a serial line, registered in the portal."""

    pk: int
    simulator: IpmiSim
    serial: SerialConsole


@pytest.fixture(scope="module")
def machine(api: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The serial side first: the simulator looks for it when it starts."""
    group = api.post("/groups/", {"name": "Consoles"})["id"]
    login = api.post(
        "/credentials/",
        {"name": "console", "kind": "password", "fields": {"username": USERNAME, "password": PASSWORD}},
    )
    (role,) = api.get("/roles/?name=operator")["results"]
    fields = {"username": OPERATOR, "password": PORTAL_PASSWORD, "must_change_password": False}
    user = api.post("/users/", fields)
    api.post("/grants/", {"user": user["id"], "role": role["id"], "group": group})
    with serial_console() as serial, ipmi_sim(tmp_path_factory.mktemp("bmc"), serial.port) as simulator:
        way = {"driver": "bmc", "address": "127.0.0.1", "port": simulator.port, "credential": login["id"]}
        made = api.post("/components/", {"name": "console-server", "group": group, "interfaces": [way]})
        api.wait_for(f"/components/{made['id']}/", lambda one: one["last_seen_at"], "the controller answers")
        yield Machine(made["id"], simulator, serial)
        api.delete(f"/components/{made['id']}/")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context
    leave(context)


def screen(page: Page) -> str:
    """What stands in the terminal."""
    return str(
        page.evaluate(
            """() => { const b = window.consoleTerminal.buffer.active;
            return [...Array(b.length).keys()].map(i => b.getLine(i).translateToString(true)).join("\\n"); }"""
        )
    )


def open_console(page: Page, portal: Portal, machine: Machine) -> None:
    """Go there and wait until it is connected."""
    page.goto(f"{portal.url}/components/{machine.pk}/console/")
    expect(page.locator("#console-state")).to_contain_text("Connected", timeout=PATIENCE)


def shows(page: Page, text: str) -> None:
    """Wait until the machine has said something."""
    until(lambda: text in screen(page), f"the terminal shows {text!r}", 30)


def close_console(page: Page) -> None:
    """End it by its button."""
    page.click("#console-close")
    expect(page.locator("#console-state")).to_have_text("Not connected", timeout=PATIENCE)


def test_somebody_signs_in_to_a_machine_by_its_serial_line(
    context: BrowserContext, portal: Portal, api: Client, machine: Machine
) -> None:
    """What is typed reaches the machine, what it says is shown and kept, a password is in no transcript."""
    page = sign_in(context, portal)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    open_console(page, portal, machine)
    page.keyboard.press("Enter")
    shows(page, "server-1 login:")
    page.keyboard.type("root")
    page.keyboard.press("Enter")
    shows(page, "Password:")
    page.keyboard.type("hunter2")
    page.keyboard.press("Enter")
    shows(page, "[root@server-1 ~]#")
    page.click("#console-paste")
    page.fill("#console-paste-text", "echo 日本語\n")
    page.click("#console-paste-send")
    shows(page, "\n日本語\n")
    assert b"hunter2\r" in machine.serial.typed
    (held,) = [one for one in api.get("/consoles/")["results"] if one["component"] == machine.pk]
    assert (held["holder"], held["method"]) == ("admin", "Serial over LAN (IPMI 2.0)")

    page.select_option("#console-encoding", "cp932")
    for piece in ("\r\n漢".encode("cp932")[:3], "\r\n漢".encode("cp932")[3:], "字\r\n".encode("cp932")):
        machine.serial.say(piece)
    shows(page, "漢字")
    page.locator(".xterm-helper-textarea").focus()
    page.keyboard.type("echo ")
    page.keyboard.insert_text("表")
    page.keyboard.press("Enter")
    shows(page, "\n表\n")
    assert "表".encode("cp932") in machine.serial.typed
    page.select_option("#console-encoding", "utf-8")

    close_console(page)
    until(lambda: machine.simulator.sessions() == 0, "the controller has no session left", 30)
    page.reload()
    expect(page.locator("#console-state")).to_contain_text("Connected", timeout=PATIENCE)
    link = page.get_by_role("link").and_(page.locator("a[download]")).first
    with page.expect_download() as fetched:
        link.click()
    kept = Path(fetched.value.path()).read_bytes()
    assert b"server-1 login: root" in kept
    assert b"hunter2" not in kept
    close_console(page)
    assert complaints == []
    acts = [one["action"] for one in api.get("/audit/?family=console&limit=100")["results"]]
    assert {"console.open", "console.close", "console.transcript"} <= set(acts)
    stored = next(portal.folder.glob("**/consoles/*.log"))
    assert stored.stat().st_mode & 0o777 == 0o600


def test_a_second_viewer_reads_only_until_an_administrator_takes_over(
    browser: Browser, context: BrowserContext, portal: Portal, machine: Machine
) -> None:
    """The holder's name is shown, what the other types goes nowhere, and the former holder is told."""
    operator = sign_in(context, portal, OPERATOR, PORTAL_PASSWORD)
    open_console(operator, portal, machine)
    expect(operator.locator("#console-state")).to_have_text("Connected")
    others = browser.new_context()
    admin = sign_in(others, portal)
    open_console(admin, portal, machine)
    expect(admin.locator("#console-note")).to_contain_text(f"{OPERATOR} has the keyboard", timeout=PATIENCE)
    before = machine.serial.typed
    admin.locator(".xterm-helper-textarea").focus()
    admin.keyboard.type("not me")
    operator.locator(".xterm-helper-textarea").focus()
    operator.keyboard.type("me")
    until(lambda: machine.serial.typed != before, "the holder's keys arrive", 30)
    until(lambda: machine.serial.typed.endswith(b"me"), "all of them", 30)
    assert machine.serial.typed == before + b"me"

    admin.click("#console-take")
    admin.click("#console-take-sure")
    expect(admin.locator("#console-state")).to_have_text("Connected", timeout=PATIENCE)
    expect(operator.locator(".toast").first).to_contain_text("admin has taken over the keyboard", timeout=PATIENCE)
    expect(operator.locator("#console-note")).to_contain_text("admin has the keyboard")
    close_console(admin)
    expect(operator.locator("#console-note")).to_contain_text("was closed", timeout=PATIENCE)
    leave(others)


def test_the_console_process_is_killed_and_no_session_is_left(
    context: BrowserContext, portal: Portal, api: Client, machine: Machine
) -> None:
    """The portal goes on, the page says so and connects again, and the controller has no session too many."""
    page = sign_in(context, portal)
    open_console(page, portal, machine)
    (process,) = [one for one in api.get("/processes/")["results"] if one["name"] == "console"]
    os.kill(process["pid"], signal.SIGKILL)
    expect(page.locator("#console-note")).to_contain_text("The console process is not there", timeout=PATIENCE)
    assert api.get(f"/components/{machine.pk}/")["name"] == "console-server"
    until(lambda: machine.simulator.sessions() == 0, "what was left over is ended", 60)
    until(lambda: api.get("/consoles/")["count"] == 0, "no console counts as open", 30)
    page.click("#console-connect")
    expect(page.locator("#console-state")).to_contain_text("Connected", timeout=PATIENCE)
    page.locator(".xterm-helper-textarea").focus()
    page.keyboard.press("Enter")
    shows(page, "server-1")
    close_console(page)
