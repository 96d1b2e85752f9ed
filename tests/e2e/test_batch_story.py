"""A remote batch in a browser: planned with its counterpart, seen on the calendar, run at its time and by hand."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave, sign_in
from tests.e2e.portal import Client, Portal


def test_a_batch_is_planned_runs_at_its_time_and_is_told_with_its_job(
    browser: Browser, portal: Portal, api: Client, server: int
) -> None:
    """What somebody does who wants machines off at night and values read just before."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = sign_in(context, portal)

    # a pair for working days; the next times are shown while it is filled in
    page.goto(f"{portal.url}/schedules/")
    page.get_by_role("link", name="Remote batch", exact=True).click()
    page.get_by_label("Name").fill("Office off")
    page.get_by_label("Operation").select_option("power.shutdown")
    page.get_by_label("Further components").fill("real-server")
    first = datetime.now(UTC) + timedelta(days=1)
    page.locator("input[name=starts_at]").fill(f"{first:%Y-%m-%d}T20:00")
    page.get_by_label("Switch on again at").fill("07:00")
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_label("Repeats").select_option("daily")
    expect(page.locator("#preview")).to_contain_text("Every day 20:00")
    expect(page.locator("#preview li")).to_have_count(5)
    page.get_by_label("Left out").fill(f"{first:%Y-%m-%d}..{first + timedelta(days=2):%Y-%m-%d}")
    page.get_by_label("Left out").blur()
    expect(page.locator("#preview li").first).to_contain_text(f"{first + timedelta(days=3):%Y-%m-%d} 20:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Office off")
    page.goto(f"{portal.url}/schedules/remote-batches/")
    expect(page.locator("main")).to_contain_text("Office off: on again")

    # one that comes within moments runs by itself, and its page tells so without being asked again
    soon = datetime.now(UTC) + timedelta(seconds=15)
    order = {"operation": "collect", "time_zone": "UTC", "starts_at": f"{soon:%Y-%m-%dT%H:%M:%S}"}
    made = api.post("/remote-batches/", {"name": "Read tonight", "components": [server], **order})
    page.goto(f"{portal.url}/components/{server}/")
    expect(page.locator("#panel-remote-batches")).to_contain_text("Collect now")
    page.goto(f"{portal.url}/schedules/remote-batches/{made['id']}/")
    expect(page.locator("main")).to_contain_text("of 1", timeout=60_000)
    (run,) = api.get(f"/remote-batches/{made['id']}/runs/")["results"]
    assert (run["state"], run["by_hand"]) == ("started", False)
    job = api.get(f"/jobs/{run['job']}/")
    assert job["created_by"] == "admin"

    # by hand: the dialog says what it touches, its button leads to the job
    page.get_by_role("link", name="Run now").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("What is planned stays planned.")
    dialog.get_by_role("button", name="Collect now").click()
    expect(page.locator("h1")).to_contain_text("Remote batch Read tonight: Collect now", timeout=30_000)
    page.goto(f"{portal.url}/schedules/")
    expect(page.locator(".wk .ev", has_text="Read tonight").first).to_be_visible()
    leave(context)
