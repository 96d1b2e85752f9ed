"""From the list to a machine that is off, in a browser, with a controller behind it that we did not write."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave, sign_in
from tests.e2e.portal import Client, Portal
from tests.ipmi_sim import PASSWORD, USERNAME, ipmi_sim


def test_a_machine_is_forced_off_among_many_once_the_words_are_typed(
    browser: Browser, portal: Portal, api: Client, tmp_path: Path
) -> None:
    """Eleven are ticked, of which only one can be switched."""
    group = api.post("/groups/", {"name": "Rack 9"})["id"]
    login = api.post(
        "/credentials/",
        {"name": "bmc", "kind": "password", "fields": {"username": USERNAME, "password": PASSWORD}},
    )
    for number in range(10):
        api.post("/components/", {"name": f"rack9-{number:02}", "group": group, "category": "alert-only"})
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    with ipmi_sim(tmp_path) as simulator:
        way = {"driver": "bmc", "address": "127.0.0.1", "port": simulator.port, "credential": login["id"]}
        machine = api.post("/components/", {"name": "rack9-server", "group": group, "interfaces": [way]})
        api.wait_for(f"/components/{machine['id']}/", lambda one: one["last_seen_at"], "the controller answers")
        page = sign_in(context, portal)
        page.goto(f"{portal.url}/components/?group={group}")
        page.get_by_label("Select all").check()
        page.locator(".bulk summary", has_text="Operations").click()
        page.get_by_role("button", name="Force off").click()

        dialog = page.locator("dialog[open]")
        expect(dialog.locator("h2")).to_have_text("Force off: 11 components")
        expect(dialog).to_contain_text("10 of them cannot do this and are skipped")
        force = dialog.get_by_role("button", name="Force off")
        expect(force).to_be_disabled()
        dialog.get_by_label("Type force off 11 to confirm").fill("force off")
        expect(force).to_be_disabled()
        dialog.get_by_label("Type force off 11 to confirm").fill("force off 11")
        assert [line for line in simulator.orders() if "power" in line] == []
        force.click()

        page.wait_for_url("**/jobs/*/")
        expect(page.locator("h1")).to_have_text("Force off")
        expect(page.locator("main")).to_contain_text("It is off.", timeout=30_000)
        assert "is off" in simulator.ipmitool("chassis", "power", "status")
        assert [line for line in simulator.orders() if "power" in line] == ["set power 0"]
        page.goto(f"{portal.url}/components/{machine['id']}/")
        expect(page.locator("#panel-power")).to_contain_text("Off")
        leave(context)
        api.delete(f"/components/{machine['id']}/")
