"""`make demo` from an empty folder: a fleet that lives, fails and is acknowledged in a browser, in both languages."""

import os
import re
import signal
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
from tests.peers import free_udp_port
from tests.system.portal import runs
from tests.system.waiting import STOP_DEADLINE, until

PLAN = Path(__file__).with_name("demo-fleet.yaml")
DEVICES = 9
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
    )
    portal.start()
    until(lambda: said(portal, "The demonstration is live"), "the demonstration is live", 90)
    yield portal
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


def test_a_server_is_switched_off_by_its_controller_and_on_again(demo: Portal, api: Client) -> None:
    """One machine, two ways of managing: its agent falls silent, nothing is lost, and it comes back as started anew."""

    def server() -> dict[str, Any]:
        (row,) = api.get("/components/?name=tyo-web-01")["results"]
        return row

    def order(action: str) -> None:
        body = {"operation": "power", "arguments": {"action": action}, "components": [server()["id"]]}
        job = api.post("/operations/", body)["job"]
        until(lambda: api.get(f"/jobs/{job}/")["state"] in {"done", "failed"}, f"{action} has ended", 60)
        assert api.get(f"/jobs/{job}/")["state"] == "done", api.get(f"/jobs/{job}/steps/")

    def agent() -> dict[str, Any]:
        (row,) = [one for one in server()["interfaces"] if one["driver"] == "snmp_agent"]
        return row

    until(lambda: server()["power_state"] == "on", "its controller was asked", 60)
    assert [one["driver"] for one in server()["interfaces"]] == ["snmp_agent", "ilo"]
    order("off")
    assert server()["power_state"] == "off"
    until(lambda: agent()["last_error"], "the agent is silent", 60)
    until(lambda: server()["status"] == "normal", "it is off, and nothing is wrong", 30)
    (uptime,) = [row for row in api.get(f"/components/{server()['id']}/sensors/?kind=uptime")["results"]]
    assert uptime["stale"]
    order("on")
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
