"""What a server draws, and a cap that it cannot keep, in a browser, with a simulated iLO behind it."""

import os
import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Visit, leave, sign_in
from tests.e2e.portal import Client, Portal
from tests.e2e.test_pages import faults, go, japanese, overflow
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401


def picture(page: Page, name: str) -> None:
    """Keep a picture in the folder that the environment names, for somebody to look at."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{re.sub('[^a-z0-9]+', '-', name)}.png", full_page=True)


def test_a_cap_is_set_in_the_dialog_and_the_page_says_what_it_achieves(
    browser: Browser,
    portal: Portal,
    api: Client,
    ilo_program: IloProgram,  # noqa: F811
) -> None:
    """From the menu of orders to the tab of power, in both languages, and on a phone."""
    login = api.post(
        "/credentials/",
        {"name": "ilo", "kind": "password", "fields": {"username": USER, "password": SECRET}},
    )
    way = {"driver": "ilo", "address": "127.0.0.1", "port": ilo_program.port, "credential": login["id"]}
    server = api.post("/components/", {"name": "metered", "interfaces": [way]})
    power = f"/components/{server['id']}/power/"
    api.wait_for(power, lambda told: told["watts"] == 214.0, "the power is read")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = sign_in(context, portal)
    page.goto(f"{portal.url}/components/{server['id']}/")
    page.locator("summary", has_text="Operations").click()
    page.get_by_role("link", name="Power cap…").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("The power may not fall to the cap")
    dialog.get_by_label("Power cap of each (W)").fill("20")
    dialog.get_by_role("button", name="Power cap").click()
    dialog.get_by_label("Power cap of each (W)").fill("100")
    picture(page, "cap-dialog")
    dialog.get_by_role("button", name="Power cap").click()
    page.wait_for_url("**/jobs/*/")
    expect(page.locator("main")).to_contain_text(
        "The cap is 100 W; at the moment it draws 160 W, which is above it.", timeout=30_000
    )
    told = api.wait_for(
        power, lambda told: (told["cap"], told["watts"]) == (100.0, 160.0), "a poll reads cap and watts", 180
    )
    assert (told["watts"], told["above_cap"], told["throttled"]) == (160.0, True, True)
    assert (told["over"]["minimum"], told["over"]["maximum"]) == (160.0, 214.0)

    page.goto(f"{portal.url}/components/{server['id']}/?tab=power")
    numbers = page.locator("#panel-power-drawn")
    expect(numbers).to_contain_text("which is above its cap of 100 W")
    expect(numbers).to_contain_text("processors throttled")
    expect(numbers).to_contain_text("The controller itself")
    expect(page.locator("#panel-power-chart canvas").first).to_be_visible()
    visit = Visit(page)
    page.on("console", visit.listen)
    for path in (f"/components/{server['id']}/?tab=power", f"/components/{server['id']}/", "/statistics/", "/"):
        go(visit, f"{portal.url}{path}")
        expect(page.locator("main")).to_contain_text("160 W", timeout=90_000)  # summed up every minute
        picture(page, f"{path}-en")
        assert faults(visit) == []
        picture(page, f"{path}-phone")
        with japanese(visit, portal):
            go(visit, f"{portal.url}{path}")
            picture(page, f"{path}-ja")
            assert (overflow(visit), visit.complaints) == (0, [])
    leave(context)
    api.delete(f"/components/{server['id']}/")
