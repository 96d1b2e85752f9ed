"""`make demo` from an empty folder: a fleet that lives, fails and is acknowledged in a browser, in both languages."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import AXE, Visit, leave
from tests.e2e.portal import Client, Portal
from tests.e2e.test_console_story import screen
from tests.peers import free_udp_port
from tests.system.portal import runs
from tests.system.waiting import STOP_DEADLINE, until

PLAN = Path(__file__).with_name("demo-fleet.yaml")
ROOT = Path(__file__).parents[2]
DEVICES = 10
NAME, PASSWORD = "demo", "show me the fleet"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A demonstration with a small fleet and half an hour of history; in the end it is killed without a word."""
    portal = Portal(
        tmp_path_factory.mktemp("demo") / "data",
        {
            "DJANGO_SETTINGS_MODULE": "esm.settings.demo",
            "ESM_DEMO_PLAN": str(PLAN),
            "ESM_DEMO_HOURS": "0.6",
            "ESM_FLEET_PORT": str(free_udp_port()),
            "ESM_WORKERS": "1",
        },
        start_within=300,  # beside other tests; it makes a past first
    )
    portal.start()
    try:
        until(lambda: said(portal, "The demonstration is live"), "the demonstration is live", 300)
        yield portal
    finally:
        portal.stop()


@pytest.fixture(scope="module")
def api(demo: Portal) -> Client:
    """The API as the demonstration's user."""
    return Client(demo.url).sign_in(NAME, PASSWORD)


def said(portal: Portal, words: str) -> bool:
    """Tell whether the start printed something."""
    return any(words in line for line in list(portal.said))


def test_the_fleet_is_registered_watched_and_has_a_past(demo: Portal, api: Client) -> None:
    assert said(demo, f"Sign in as “{NAME}” with the password “{PASSWORD}”.")
    components = api.get("/components/")
    assert components["count"] == DEVICES
    by_name = {row["name"]: row for row in components["results"]}
    drivers = {name: row["interfaces"][0]["driver"] for name, row in by_name.items()}
    assert drivers["tyo-web-01"] == "snmp_agent"
    assert drivers["nag-sw-01"] == drivers["nag-rt-01"] == "network_snmp"
    assert drivers["osa-ups-01"] == "ups_snmp"
    assert drivers["tyo-tape-01"] == "alert_only"
    groups = {row["name"] for row in api.get("/groups/")["results"]}
    assert {"東京DC", "Rack A1", "名古屋工場", "大阪支店"} <= groups

    def all_answered(page: dict) -> bool:
        ways = [way for row in page["results"] for way in row["interfaces"]]
        return all(way["last_polled_at"] and not way["last_error"] for way in ways)

    api.wait_for("/components/", all_answered, "all were polled and answered", 60)
    web = by_name["tyo-web-01"]["id"]
    sensors = {row["name"]: row for row in api.get(f"/components/{web}/sensors/?limit=100")["results"]}
    assert sensors["Memory"]["limits"]["source"] == "user"
    assert sensors["Memory"]["status"] == "warning"
    points = api.get(f"/components/{web}/samples/?sensor={sensors['CPU load']['id']}")["points"]
    assert len([point for point in points if point[2] is not None]) >= 7
    assert [name for name, row in by_name.items() if row["suspended"]] == ["osa-kaikei-01"]
    (scan,) = api.get(f"/incidents/?component={by_name['nag-rt-01']['id']}")["results"]
    assert (scan["state"], scan["note"]) == ("acknowledged", "Somebody scans the network")


def sign_in(page: Page, demo: Portal) -> None:
    """Sign in with what the page itself tells."""
    page.goto(f"{demo.url}/login/")
    told = page.locator("form .note")
    page.fill("input[name=username]", told.locator("b").inner_text())
    page.fill("input[name=password]", told.locator("code").inner_text())
    page.locator("form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/login/" not in url)


@pytest.mark.parametrize(("language", "port"), [("en", "GigabitEthernet1/0/7"), ("ja", "GigabitEthernet1/0/9")])
def test_the_failing_devices_alert_is_acknowledged(
    browser: Browser, demo: Portal, api: Client, language: str, port: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    visit = Visit(page)
    page.on("console", visit.listen)
    page.goto(f"{demo.url}/login/")
    if language == "ja":
        page.get_by_role("button", name="日本語").click()
        expect(page.locator("html")).to_have_attribute("lang", "ja")
    sign_in(page, demo)
    with translation.override(language):
        expect(page.locator("main")).to_contain_text(gettext("This is a simulation."))
        acknowledge = gettext("Acknowledge")

    page.goto(f"{demo.url}/alerts/")
    expect(page.locator("main")).to_contain_text(port, timeout=60_000)
    page.locator("main a", has_text=port).first.click()
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text(port)
    drawer.get_by_role("link", name=re.compile(f"^{acknowledge}")).click()
    page.locator("#modal textarea[name=note], #modal input[name=note]").fill("cable 交換中")
    page.locator("#modal").get_by_role("button", name=re.compile(f"^{acknowledge}")).click()
    done = api.wait_for(
        f"/incidents/?state=acknowledged&q={port}", lambda found: found["count"] == 1, "the incident is acknowledged"
    )["results"][0]
    assert (done["note"], done["component_name"]) == ("cable 交換中", "nag-sw-01")
    assert visit.complaints == []
    leave(context)


def order(api: Client, component: int, action: str) -> None:
    """Order something of a machine's power, and wait until it is done."""
    body = {"operation": "power", "arguments": {"action": action}, "components": [component]}
    job = api.post("/operations/", body)["job"]
    until(lambda: api.get(f"/jobs/{job}/")["state"] in {"done", "failed"}, f"{action} has ended", 60)
    assert api.get(f"/jobs/{job}/")["state"] == "done", api.get(f"/jobs/{job}/steps/")


def test_somebody_signs_in_on_a_console_that_sees_the_power_go_and_come(
    browser: Browser, demo: Portal, api: Client
) -> None:
    """The console stays open all the while, also when nothing is said or typed for longer than a request may take."""
    (server,) = api.get("/components/?name=tyo-app-01")["results"]
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    visit = Visit(page)
    page.on("console", visit.listen)
    sign_in(page, demo)
    page.goto(f"{demo.url}/components/{server['id']}/")
    page.get_by_role("link", name="Console", exact=True).click()
    expect(page.locator("#console-state")).to_contain_text("Connected", timeout=60_000)
    login, password = page.locator(".sim b").last.inner_text(), page.locator(".sim code").nth(1).inner_text()

    def enter(text: str, answer: str) -> None:
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        until(lambda: answer in screen(page), f"the terminal shows {answer!r}", 30)

    enter("", "tyo-app-01 login:")
    enter(login, "Password:")
    enter(password, f"{login}@tyo-app-01:~$")
    enter("uname", "\nLinux\n")
    order(api, server["id"], "off")
    until(lambda: "reboot: Power down" in screen(page), "the console says that it is off", 30)
    order(api, server["id"], "on")
    until(lambda: "Booting from disk 1" in screen(page), "it starts", 30)
    until(lambda: screen(page).rstrip().endswith("tyo-app-01 login:"), "it asks for a login again", 60)
    page.click("#console-close")
    expect(page.locator("#console-state")).to_have_text("Not connected", timeout=30_000)
    assert visit.complaints == []
    leave(context)


def test_what_somebody_breaks_is_told_by_the_controller(demo: Portal, api: Client) -> None:
    """By a trap at once; another fault shows at agent and controller when they are asked."""
    (server,) = api.get("/components/?name=tyo-app-01")["results"]
    command = [sys.executable, "-m", "apps.simulators.fleet.tell", str(demo.folder / "fleet.sock")]
    subprocess.run([*command, "fault", "tyo-app-01", "psu-failed"], check=True, cwd=ROOT, timeout=60)
    subprocess.run([*command, "fault", "tyo-app-01", "drive-failed"], check=True, cwd=ROOT, timeout=60)
    told = f"/alerts/?component={server['id']}&severity=critical"
    api.wait_for(told, lambda found: found["count"] >= 2, "the receiver has the traps", 60)
    api.post("/operations/", {"operation": "collect", "components": [server["id"]]})
    path = f"/components/{server['id']}/"

    def both_know(found: dict[str, Any]) -> bool:
        told = {one["driver"]: one["status"] for one in found["interfaces"]}
        return told == {"snmp_agent": "warning", "bmc": "critical"}

    api.wait_for(path, both_know, "agent and controller tell of it", 60)
    subprocess.run([*command, "mend", "tyo-app-01"], check=True, cwd=ROOT, timeout=60)
    mended = f"/incidents/?component={server['id']}&state=open"
    api.wait_for(
        mended, lambda found: not [one for one in found["results"] if one["severity"] == "critical"], "over", 60
    )


def test_a_server_is_switched_off_by_its_controller_and_on_again(demo: Portal, api: Client) -> None:
    """One machine, two ways of managing: its agent falls silent, nothing is lost, and it comes back as started anew."""

    def server() -> dict[str, Any]:
        (row,) = api.get("/components/?name=tyo-web-01")["results"]
        return row

    def agent() -> dict[str, Any]:
        (row,) = [one for one in server()["interfaces"] if one["driver"] == "snmp_agent"]
        return row

    until(lambda: server()["power_state"] == "on", "its controller was asked", 60)
    assert [one["driver"] for one in server()["interfaces"]] == ["snmp_agent", "ilo"]
    order(api, server()["id"], "off")
    assert server()["power_state"] == "off"
    until(lambda: agent()["last_error"], "the agent is silent", 60)
    until(lambda: server()["status"] == "normal", "it is off, and nothing is wrong", 30)
    (uptime,) = [row for row in api.get(f"/components/{server()['id']}/sensors/?kind=uptime")["results"]]
    assert uptime["stale"]
    order(api, server()["id"], "on")
    until(lambda: not agent()["last_error"], "its system has started", 150)
    (again,) = [row for row in api.get(f"/components/{server()['id']}/sensors/?kind=uptime")["results"]]
    assert again["value"] < 600 < uptime["value"]
    incidents = api.get(f"/incidents/?component={server()['id']}")["results"]
    assert [one for one in incidents if "ccess" in str(one)] == []


def test_the_banner_fits_and_offends_nobody(browser: Browser, demo: Portal) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{demo.url}/login/")
    for path in ("/login/", "/", "/no-such-page/", "/classic/"):
        if path == "/":
            sign_in(page, demo)
        elif path != "/login/":
            page.goto(demo.classic_url if path == "/classic/" else f"{demo.url}{path}")
        expect(page.locator(".sim code")).to_have_text(str(demo.folder))
        for width in (1920, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate("axe.run('.sim').then(r => r.violations.map(v => v.id))") == []
    leave(context)


def test_nothing_stays_when_it_is_killed(demo: Portal) -> None:
    assert demo.process
    family = psutil.Process(demo.process.pid).children(recursive=True)
    assert [one for one in family if "apps.simulators.fleet" in " ".join(one.cmdline())]
    os.kill(demo.process.pid, signal.SIGKILL)
    until(lambda: not [one.pid for one in family if runs(one.pid)], "all of it has ended", STOP_DEADLINE)
