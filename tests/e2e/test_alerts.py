"""The alert viewer in a browser: narrow the list, read one alert, take note of it, and read on while others arrive."""

import re
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.protocols.snmp.ber import Tag
from apps.protocols.snmp.notification import encode_notification_v2
from tests.e2e.conftest import Visit, leave
from tests.e2e.portal import Client, Portal

ADDRESS = "127.0.0.78"  # of the component whose traps these are
LINK_DOWN, COLD_START = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.1"


def send(portal: Portal, trap_oid: str, index: int = 0) -> None:
    """Send a notification from the component's address; of the link of a port where one is named."""
    varbinds = [
        (f"1.3.6.1.2.1.2.2.1.1.{index}", Tag.INTEGER, index),
        (f"1.3.6.1.2.1.2.2.1.2.{index}", Tag.OCTET_STRING, f"port-{index}".encode()),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((ADDRESS, 0))
        data = encode_notification_v2(b"public", trap_oid, varbinds=varbinds if index else [])
        sender.sendto(data, ("127.0.0.1", portal.trap_port))


@pytest.fixture(scope="module")
def switch(portal: Portal, api: Client) -> Iterator[int]:
    """A component with two open problems and 60 restarts; its problems are closed in the end."""
    made = api.post("/components/", {"name": "sw-78", "alert_addresses": [ADDRESS], "category": "network"})
    mine = f"?component={made['id']}"
    for index in (1, 2):
        send(portal, LINK_DOWN, index)
        api.wait_for(f"/alerts/{mine}", lambda found, index=index: found["count"] == index, "the link's trap is stored")
    for _ in range(60):
        send(portal, COLD_START)
    api.wait_for(f"/alerts/{mine}", lambda found: found["count"] == 62, "all traps are stored")
    yield int(made["id"])
    ids = [row["id"] for row in api.get(f"/incidents/{mine}&state=open&state=acknowledged")["results"]]
    if ids:
        api.post("/incidents/close/", {"ids": ids})


@pytest.fixture
def seen(browser: Browser, signed_in: str) -> Iterator[Visit]:
    """A signed-in page; in the end its console has said nothing more."""
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900})
    visit = Visit(context.new_page())
    visit.page.on("console", visit.listen)
    yield visit
    assert visit.complaints == []
    leave(context)


@pytest.fixture
def page(seen: Visit) -> Page:
    """Its page."""
    return seen.page


def test_filters_stand_in_the_address_and_are_taken_away_one_by_one(page: Page, portal: Portal, switch: int) -> None:
    """By a click, by words, by the form behind "More filters"; back goes to what was shown before."""
    page.goto(f"{portal.url}/alerts/?show=all&component={switch}")
    rows = page.locator("#alert-list tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("group", name="Severity").get_by_role("link", name="Warning").click()
    expect(page).to_have_url(re.compile("severity=warning"))
    expect(rows).to_have_count(2)

    page.get_by_role("searchbox", name="Filter alerts").fill("port-2")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("q=port-2"))
    expect(page).to_have_url(re.compile("severity=warning"))
    chips = page.get_by_role("group", name="Filters in force")
    expect(chips.locator(".chip")).to_have_text(["Words: port-2", "Warning", "Component: sw-78"])

    chips.get_by_role("link", name="Remove the filter Words: port-2").click()
    expect(rows).to_have_count(2)
    page.get_by_text("More filters", exact=True).click()
    page.get_by_label("Address", exact=True).fill("192.0.2.99")
    page.locator(".more-filters").get_by_role("button", name="Filter").click()
    expect(page.locator("#alert-list")).to_contain_text("No alert matches these filters")
    page.go_back()
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="Clear filters").click()
    expect(page).to_have_url(re.compile(r"/alerts/\?show=all$"))


def test_one_alert_is_read_and_its_problem_acknowledged_with_a_note(
    seen: Visit, page: Page, portal: Portal, api: Client, switch: int
) -> None:
    """The drawer has an address of its own, gives the place back, and leads to the dialog."""
    listed = f"{portal.url}/alerts/?component={switch}"
    page.goto(listed)
    link = page.locator("#alert-list a", has_text="port-1")
    link.click()
    drawer = page.locator("#drawer")
    expect(drawer.locator("h2")).to_contain_text("port-1")
    expect(page).to_have_url(re.compile(rf"/alerts/\d+/\?component={switch}$"))
    for said in ("Check the cable", ADDRESS, LINK_DOWN, "1.3.6.1.2.1.2.2.1.2.1", "sw-78", "SNMP trap", "not given"):
        expect(drawer).to_contain_text(said)
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page).to_have_url(listed)
    expect(link).to_be_focused()
    link.press("Enter")
    expect(drawer).to_be_visible()
    page.reload()
    expect(drawer.locator("h2")).to_contain_text("port-1")

    drawer.get_by_role("link", name="Acknowledge").click()
    dialog = page.locator("#modal dialog")
    expect(dialog).to_contain_text("port-1")
    dialog.get_by_label("Until").fill("2001-01-01T00:00")
    dialog.get_by_label("Note").fill("cable <ordered>")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_contain_text("Enter a time in the future.")
    expect(dialog.get_by_label("Note")).to_have_value("cable <ordered>")
    assert ["400" in said for said in seen.complaints] == [True]  # the browser's own word for what was refused
    seen.complaints.clear()
    dialog.get_by_label("Until").fill("2099-12-31T12:00")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("main, .toasts")).to_contain_text(["1 problem acknowledged."])

    page.goto(f"{portal.url}/incidents/?show=acknowledged&component={switch}")
    row = page.locator("#incident-list tbody tr")
    expect(row).to_have_count(1)
    for said in ("port-1", "cable <ordered>", "2099-12-31", "admin"):
        expect(row).to_contain_text(said)
    page.goto(listed)
    expect(page.locator("#alert-list tbody tr")).to_have_count(1)
    (done,) = api.get(f"/incidents/?component={switch}&state=acknowledged")["results"]
    assert (done["note"], done["acknowledged_by"]) == ("cable <ordered>", "admin")


def test_what_arrives_does_not_move_who_reads_further_down(page: Page, portal: Portal, switch: int) -> None:
    """The list says how much is new and stands still; a click goes to the top, where new rows come by themselves."""
    page.goto(f"{portal.url}/alerts/?show=all&component={switch}")
    expect(page.locator("[data-live][data-state=live]")).to_be_visible()
    rows = page.locator("#alert-list tbody tr")
    expect(rows).to_have_count(50)
    first = rows.first.get_attribute("id")
    rows.nth(40).scroll_into_view_if_needed()
    page.wait_for_function("scrollY > 100 || document.querySelector('#alert-list .scroll').scrollTop > 100")
    where = page.evaluate("[scrollY, document.querySelector('#alert-list .scroll').scrollTop]")
    send(portal, LINK_DOWN, 7)
    news = page.locator("#alert-news a")
    expect(news).to_have_text(re.compile(r"^\s*1 new\s*$"), timeout=15_000)
    send(portal, LINK_DOWN, 8)
    expect(news).to_have_text(re.compile(r"^\s*2 new\s*$"), timeout=15_000)
    assert rows.first.get_attribute("id") == first
    assert page.evaluate("[scrollY, document.querySelector('#alert-list .scroll').scrollTop]") == where

    news.click()
    expect(rows.first).to_contain_text("port-8")
    expect(rows.nth(1)).to_contain_text("port-7")
    expect(page.locator("#alert-news a")).to_have_count(0)
    page.wait_for_function("scrollY < 8")
    send(portal, LINK_DOWN, 9)
    expect(rows.first).to_contain_text("port-9", timeout=15_000)
