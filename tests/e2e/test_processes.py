"""An administrator looks at the portal's processes and has one started anew; the page comes back by itself."""

import re

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave
from tests.e2e.portal import Client, Portal

WITHIN = 60_000  # milliseconds; many tests share two cores


def test_the_page_comes_back_after_the_web_process_was_started_anew(
    browser: Browser, signed_in: str, portal: Portal, api: Client
) -> None:
    before = api.get("/processes/web/")
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{portal.url}/processes/")
    expect(page.get_by_role("button", name="Restart the portal").first).to_be_enabled()
    page.get_by_role("button", name="Restart web").click()
    page.wait_for_url(f"{portal.url}/processes/", timeout=WITHIN)
    row = page.locator("tr[id$='-web']")
    expect(row).to_contain_text(re.compile(r"Ordered by admin \(127\.0\.0\.1\)"), timeout=WITHIN)
    after = api.get("/processes/web/")
    assert (after["pid"] != before["pid"], after["restarts"]) == (True, before["restarts"] + 1)
    leave(context)


def test_a_receiver_is_switched_off_and_on_by_the_page(
    browser: Browser, signed_in: str, portal: Portal, api: Client
) -> None:
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    api.patch("/options/event_reception/", {"value": False})  # the other thing that the process does
    page.goto(f"{portal.url}/processes/")
    for wanted, state in ((False, "off"), (True, "running")):
        page.get_by_label("Receive SNMP traps").set_checked(wanted)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible(timeout=WITHIN)
        api.wait_for("/processes/receiver/", lambda process, state=state: process["state"] == state, f"it is {state}")
    api.patch("/options/event_reception/", {"value": True})
    leave(context)
