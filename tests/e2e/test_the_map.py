"""The colours of the fleet in a browser; late in the run, because an agent renews its load once a minute."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.portal import Client, Portal
from tests.e2e.test_charts import seen as seen
from tests.system.waiting import until


def cell_of(page: Page, pk: int) -> Locator:
    return page.locator(f'.hm .cells a[href="/components/{pk}/"]')


def load_is_measured(api: Client, server: int) -> bool:
    """Poll once more: the load of a processor is what it did between two polls, and its counters move seldom."""
    job = api.post(f"/components/{server}/refresh/")["job"]
    api.wait_for(f"/jobs/{job}/", lambda found: found["finished_at"], "the poll is over")
    sensors = api.get(f"/components/{server}/sensors/?limit=1000")["results"]
    return any(one["name"] == "CPU load" and one["value"] is not None for one in sensors)


def test_the_map_is_coloured_by_status_temperature_or_load(
    seen: Visit, portal: Portal, api: Client, server: int
) -> None:
    """The choice stands in the address, is remembered, and says what a colour means in words."""
    until(lambda: load_is_measured(api, server), "the load is measured", 60)
    page = seen.page
    page.goto(f"{portal.url}/?colours=status")
    switch = page.get_by_role("navigation", name="Colour by")
    expect(switch.locator("[aria-current=true]")).to_have_text("Status")
    expect(page.locator("#map-h")).to_have_text("Status by group")
    expect(cell_of(page, server)).to_have_attribute("aria-label", re.compile("^real-server — (Normal|Warning)$"))

    switch.get_by_role("link", name="CPU load").click()
    expect(page).to_have_url(re.compile("colours=load"))
    expect(page.locator("#map-h")).to_have_text("CPU load by group")
    expect(cell_of(page, server)).to_have_attribute("aria-label", re.compile(r"^real-server — [\d.]+\s%$"))
    expect(cell_of(page, server)).to_have_attribute("class", re.compile("^h[1-5]$"))
    expect(page.locator(".legend")).to_contain_text("80 % and more")

    switch.get_by_role("link", name="Temperature").click()
    expect(page.locator("#map-h")).to_have_text("Temperature by group")
    expect(page.locator(".legend")).to_contain_text("18–23 °C")
    expect(cell_of(page, server)).to_have_attribute("aria-label", "real-server — not measured")
    expect(cell_of(page, server)).to_have_attribute("class", "h0")

    page.goto(f"{portal.url}/")
    expect(switch.locator("[aria-current=true]")).to_have_text("Temperature")
    switch.get_by_role("link", name="Status").click()
    expect(page.locator("#map-h")).to_have_text("Status by group")
    cell_of(page, server).focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("real-server")
