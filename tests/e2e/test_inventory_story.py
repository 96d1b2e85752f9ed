"""A drive is pulled out of a simulated server: who reads again sees it at once, and finds it over the fleet."""

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave
from tests.e2e.portal import Client, Portal
from tests.redfish_peers import SECRET, USER, ilo_programs

BAY = "Slot=14:Port=1:Box=1:Bay=2"


def test_a_drive_that_is_gone_is_seen_at_once_and_found_over_the_fleet(
    browser: Browser, portal: Portal, api: Client, signed_in: str
) -> None:
    """The page is not left: what changed appears beside the parts."""
    login = api.post(
        "/credentials/", {"name": "iLO", "kind": "password", "fields": {"username": USER, "password": SECRET}}
    )
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    with ilo_programs(1) as (ilo,):
        way = {"driver": "ilo", "address": "127.0.0.1", "port": ilo.port, "credential": login["id"]}
        made = api.post("/components/", {"name": "bays-server", "interfaces": [way]})
        place = f"/components/{made['id']}"
        api.wait_for(f"{place}/inventory/?kind=storage", lambda found: found["count"] == 4, "its parts are listed", 60)
        page.goto(f"{portal.url}{place}/?tab=inventory")
        newest = page.locator("#panel-newest-changes")
        expect(newest).to_contain_text("No part has changed since the parts were first read.")
        expect(page.locator("[data-live][data-state=live]")).to_be_visible()

        ilo.tell("fault drive-pulled")
        page.get_by_role("button", name="Read again now").click()
        page.wait_for_url("**/?tab=inventory")
        expect(page.locator(".toast").first).to_contain_text("The devices are being asked.")
        expect(newest).to_contain_text(BAY)
        expect(newest).to_contain_text("Gone")
        expect(newest).to_contain_text("D1")  # its serial number
        expect(page.locator("#panel-inventory")).not_to_contain_text(BAY)

        newest.get_by_role("link", name="All changes").click()
        expect(page.locator("#panel-inventory-changes tbody tr")).to_have_count(1)
        page.get_by_role("link", name="Of all components").click()
        page.locator("#fleet-changes summary", has_text="Change").click()
        page.get_by_label("Gone").check()
        page.get_by_role("button", name="Filter").click()
        expect(page).to_have_url(f"{portal.url}/components/inventory-changes/?change=gone")
        expect(page.locator("#fleet-changes tbody tr")).to_have_count(1)
        expect(page.locator("#fleet-changes tbody tr")).to_contain_text("bays-server")
        ilo.tell("mend drive-pulled")
        api.post(f"{place}/refresh/", {})
        api.wait_for(f"{place}/inventory-changes/", lambda found: found["count"] == 2, "it is put in again", 60)
    leave(context)
    api.delete(f"{place}/")
