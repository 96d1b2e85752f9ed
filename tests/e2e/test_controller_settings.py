"""The settings of a controller in a browser: read, changed where the difference was seen, and seen by ipmitool."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.bmc_peers import bmc_programs
from tests.e2e.conftest import leave, sign_in
from tests.e2e.portal import Client, Portal
from tests.ipmi_sim import PASSWORD, USERNAME, ipmi_sim
from tests.redfish_peers import SECRET, USER, ilo_programs


def test_a_gateway_is_changed_once_its_difference_was_seen(
    browser: Browser, portal: Portal, api: Client, tmp_path: Path
) -> None:
    login = api.post(
        "/credentials/",
        {"name": "bmc-set", "kind": "password", "fields": {"username": USERNAME, "password": PASSWORD}},
    )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    with ipmi_sim(tmp_path) as simulator:
        way = {"driver": "bmc", "address": "127.0.0.1", "port": simulator.port, "credential": login["id"]}
        machine = api.post("/components/", {"name": "set-server", "interfaces": [way]})
        page = sign_in(context, portal)
        page.goto(f"{portal.url}/components/{machine['id']}/")
        page.locator("summary[aria-label='More']").click()
        page.get_by_role("link", name="Controller settings").click()
        expect(page.locator("main")).to_contain_text("Its settings were not read yet.")
        page.get_by_role("button", name="Read now").click()
        gateway = page.get_by_label("Gateway")
        expect(gateway).to_have_value("192.0.2.1", timeout=60_000)
        gateway.fill("198.51.100.1")
        page.get_by_role("button", name="Show the difference").click()
        row = page.get_by_role("row", name="Gateway")
        expect(row.locator("del")).to_have_text("192.0.2.1")
        expect(row.locator("ins")).to_have_text("198.51.100.1")
        expect(page.locator("main")).to_contain_text("is not in the network of")
        assert "192.0.2.1\n" in simulator.ipmitool("lan", "print", "1", fails=True)
        page.get_by_role("button", name="Apply").click()
        page.wait_for_url("**/jobs/*/")
        expect(page.locator("main")).to_contain_text("It answers again and shows the new values.", timeout=60_000)
        assert "Default Gateway IP      : 198.51.100.1" in simulator.ipmitool("lan", "print", "1", fails=True)
        leave(context)
        api.delete(f"/components/{machine['id']}/")


def test_a_zone_and_a_destination_of_an_ilo_are_set_and_it_is_restarted_because_somebody_chose_that(
    browser: Browser, portal: Portal, api: Client
) -> None:
    login = api.post(
        "/credentials/", {"name": "ilo-set", "kind": "password", "fields": {"username": USER, "password": SECRET}}
    )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    with ilo_programs(1, "--restarts-in", "2") as (ilo,):
        way = {"driver": "ilo", "address": "127.0.0.1", "port": ilo.port, "credential": login["id"]}
        machine = api.post("/components/", {"name": "set-ilo", "interfaces": [way]})
        page = sign_in(context, portal)
        page.goto(f"{portal.url}/components/{machine['id']}/settings/")
        page.get_by_role("button", name="Read now").click()
        zone = page.get_by_label("Time zone")
        expect(zone).to_have_value("0", timeout=60_000)
        zone.select_option("1")
        new = page.get_by_role("group", name="New destination")
        new.get_by_label("Address").fill("127.0.0.1")
        page.get_by_role("button", name="Show the difference").click()
        expect(page.get_by_role("row", name="New destination: Address").locator("ins")).to_have_text("127.0.0.1")
        page.get_by_label("Restart a controller that says that a change counts only then").check()
        page.get_by_role("button", name="Apply").click()
        page.wait_for_url("**/jobs/*/")
        expect(page.locator("main")).to_contain_text("It was restarted, answers again", timeout=90_000)
        assert ilo.tell("restarts") == "1"
        page.goto(f"{portal.url}/components/{machine['id']}/settings/defaults/")
        expect(page.get_by_role("row", name="Agrees with the clock of the portal")).to_contain_text("on")
        page.goto(f"{portal.url}/components/{machine['id']}/settings/")
        page.get_by_role("link", name="Restart the controller").click()
        page.get_by_role("button", name="Restart the controller").click()
        page.wait_for_url("**/jobs/*/")
        expect(page.locator("main")).to_contain_text("It answers again after its restart.", timeout=90_000)
        assert ilo.tell("restarts") == "2"
        leave(context)
        api.delete(f"/components/{machine['id']}/")


def test_one_that_is_busy_waits_to_be_tried_again_until_somebody_cancels_that(
    browser: Browser, portal: Portal, api: Client
) -> None:
    login = api.post(
        "/credentials/", {"name": "bmc-busy", "kind": "password", "fields": {"username": USER, "password": SECRET}}
    )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    with bmc_programs("127.53.13", 1) as (bmc,):
        way = {"driver": "bmc", "address": bmc.address, "port": bmc.port, "credential": login["id"]}
        machine = api.post("/components/", {"name": "busy-server", "interfaces": [way]})
        page = sign_in(context, portal)
        page.goto(f"{portal.url}/components/{machine['id']}/settings/")
        page.get_by_role("button", name="Read now").click()
        community = page.get_by_label("Community of alerts")
        expect(community).to_have_value("public", timeout=60_000)
        bmc.tell("fault busy")
        community.fill("alarm")
        page.get_by_role("button", name="Show the difference").click()
        page.get_by_role("button", name="Apply").click()
        page.wait_for_url("**/jobs/*/")
        main = page.locator("main")
        expect(main).to_contain_text("(1 of 2). It refused Community of alerts: ", timeout=60_000)
        expect(main).to_contain_text("Waits to try again at ")
        page.get_by_role("button", name="Cancel the rest").click()
        expect(main).to_contain_text("The job was cancelled before it was tried again.", timeout=60_000)
        assert "SNMP Community String   : public" in bmc.ipmitool("lan", "print", "1")
        leave(context)
        api.delete(f"/components/{machine['id']}/")
