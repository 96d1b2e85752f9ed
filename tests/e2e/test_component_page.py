"""A component's page in a browser: it follows what happens by itself, and limits are set in a dialog."""

import re

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave
from tests.e2e.portal import Client, Portal


def test_an_open_page_follows_and_its_charts_stay(
    browser: Browser, portal: Portal, api: Client, signed_in: str, server: int
) -> None:
    """The head and the panels change by an event; a chart that was drawn is not drawn anew."""
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{portal.url}/components/{server}/")
    expect(page.locator("h1")).to_have_text("real-server")
    expect(page.locator("#panel-charts canvas").first).to_be_visible()
    page.locator("#panel-charts canvas").first.evaluate("canvas => { canvas.dataset.mark = 'drawn before' }")
    expect(page.locator("[data-live][data-state=live]")).to_be_visible()
    api.call("PATCH", f"/components/{server}/", {"alias": "renamed"})
    try:
        expect(page.locator("h1")).to_have_text("renamed", timeout=15_000)
        expect(page.locator("#panel-identity")).to_contain_text("real-server")
        assert page.locator("#component-panels").count() == 1
        assert page.locator("#panel-charts canvas[data-mark='drawn before']").count() == 1
    finally:
        api.call("PATCH", f"/components/{server}/", {"alias": ""})
    expect(page.locator("h1")).to_have_text("real-server", timeout=15_000)
    leave(context)


def test_limits_are_set_and_given_back_in_the_dialog(
    browser: Browser, portal: Portal, api: Client, signed_in: str, server: int
) -> None:
    """What is wrong stays in the dialog; what is set counts at once."""
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sensors = api.get(f"/components/{server}/sensors/?limit=1000")["results"]
    memory = next(one for one in sensors if one["name"] == "Memory")
    page.goto(f"{portal.url}/components/{server}/?tab=sensors")
    opener = page.locator(f"#limits-{memory['id']}")
    dialog = page.locator("#modal dialog")

    opener.click()
    dialog.locator("input[name=upper_warning]").fill("0.2")
    dialog.locator("input[name=upper_critical]").fill("0.1")
    dialog.get_by_role("button", name="Set limits").click()
    expect(dialog.locator(".errors")).to_have_count(1)
    expect(dialog.locator("input[name=upper_warning]")).to_have_value("0.2")
    dialog.locator("input[name=upper_critical]").fill("99")
    dialog.get_by_role("button", name="Set limits").click()
    row = page.locator(f"#row-{memory['id']}")
    expect(row).to_contain_text("own limits")
    expect(row).to_contain_text("Warning")

    opener.click()
    dialog.get_by_role("button", name=re.compile("device's limits")).click()
    expect(row).not_to_contain_text("own limits")
    expect(row).to_contain_text("Normal")
    leave(context)


def test_the_parameters_of_the_chosen_driver_are_shown(browser: Browser, portal: Portal, signed_in: str) -> None:
    """Those of another one are not in the way."""
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{portal.url}/components/add/")
    interface = page.locator(".if").first
    for driver in ("bmc", "redfish", "ilo", "snmp_agent"):
        interface.locator("select[name$=-driver]").select_option(driver)
        shown = interface.locator(".if-driver:visible")
        assert [one.get_attribute("data-driver") for one in shown.all()] == [driver]
    leave(context)
