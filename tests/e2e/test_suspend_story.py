"""A maintenance window in a browser: plan it on a group, see it on the calendar, and what it does to a trap."""

import subprocess
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave, sign_in
from tests.e2e.portal import Client, Portal
from tests.peers import program

ADDRESS = "127.0.0.77"  # of the component whose trap it is


def test_a_recurring_period_on_a_group_keeps_its_components_quiet(
    browser: Browser, portal: Portal, api: Client
) -> None:
    """What an operator does before a night of work."""
    group = api.post("/groups/", {"name": "Rack 7"})
    component = api.post(
        "/components/", {"name": "db-07", "group": group["id"], "alert_addresses": [ADDRESS], "category": "server"}
    )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = sign_in(context, portal)

    # plan: from an hour ago on, every day, in a zone; the next times are shown meanwhile
    page.goto(f"{portal.url}/schedules/")
    page.get_by_role("link", name="Suspend period", exact=True).click()
    begins = datetime.now(UTC) - timedelta(hours=1)
    page.get_by_label("Reason").fill("Work on rack 7")
    page.get_by_label("Group").select_option(label="Rack 7")
    page.locator("input[name=starts_at]").fill(f"{begins:%Y-%m-%dT%H:%M}")
    page.locator("input[name=ends_at]").fill(f"{begins + timedelta(hours=3):%Y-%m-%dT%H:%M}")
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_label("Repeats").select_option("weekly")
    expect(page.get_by_label("Mon", exact=True)).to_be_visible()
    page.get_by_label("Repeats").select_option("daily")
    expect(page.locator("#preview")).to_contain_text("Every day")
    expect(page.locator("#preview li")).to_have_count(8)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Work on rack 7")
    expect(page.locator("main")).to_contain_text("In force")

    # see it on the calendar, and the component suspended with the reason
    page.goto(f"{portal.url}/schedules/")
    expect(page.locator(".wk .ev", has_text="Work on rack 7").first).to_be_visible()
    page.goto(f"{portal.url}/components/{component['id']}/")
    expect(page.locator("#suspended")).to_contain_text("Work on rack 7")
    expect(page.locator("#suspended")).to_contain_text("by its group")

    # a genuine trap of it is stored, opens a problem, and is marked
    trap = ["-v2c", "-c", "public", f"--clientaddr={ADDRESS}", f"127.0.0.1:{portal.trap_port}", ""]
    bindings = ["1.3.6.1.2.1.2.2.1.1.9", "i", "9", "1.3.6.1.2.1.2.2.1.2.9", "s", "eth9"]
    subprocess.run([program("snmptrap", "snmp"), *trap, "1.3.6.1.6.3.1.1.5.3", *bindings], check=True, timeout=20)
    mine = f"/alerts/?component={component['id']}"
    alert = api.wait_for(mine, lambda found: found["count"] == 1, "the trap is stored")["results"][0]
    assert alert["quiet"] == "suspended"

    # end it from the open page: the component is let go, and what still stands is told
    page.goto(f"{portal.url}/components/{component['id']}/")
    page.locator("#suspended").get_by_role("link", name="Work on rack 7").click()
    page.get_by_role("button", name="End it now").click()
    expect(page.locator("main")).to_contain_text("ended early")
    api.wait_for(f"/components/{component['id']}/", lambda found: not found["suspended"], "it is not suspended")
    told = api.wait_for(f"{mine}&source=portal", lambda found: found["count"] == 1, "the problem is told", 40)
    assert told["results"][0]["quiet"] == ""
    assert told["results"][0]["incident"] == alert["incident"]
    leave(context)
