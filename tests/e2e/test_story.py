"""The main job in a browser: sign in, register a real server, see it, get its trap, acknowledge it."""

import re
import subprocess

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave, sign_in
from tests.e2e.portal import Client, Portal
from tests.peers import Snmpd, program


def test_from_sign_in_to_an_acknowledged_alert(browser: Browser, portal: Portal, api: Client, snmpd: Snmpd) -> None:
    """What a new user does in his first ten minutes."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = sign_in(context, portal)

    # register: a name, a driver, an address and a community
    page.goto(f"{portal.url}/components/add/")
    page.get_by_label("Name", exact=True).first.fill("web-01")
    page.locator("select[name$=driver]").first.select_option("snmp_agent")
    page.locator("input[name$=address]").first.fill("::1")
    page.locator("input[name$=port]").first.fill(str(snmpd.port))
    page.locator("select[name$=credential]").first.select_option("new")
    page.locator("select[name$=new_kind]").first.select_option("snmp-community")
    page.locator("input[name$=community]").first.fill("public")
    page.get_by_role("button", name=re.compile("^Register")).click()
    page.wait_for_url(re.compile(r"/(components|jobs)/\d+/"))

    found = api.wait_for("/components/?q=web-01", lambda page: page["count"] == 1, "it is registered")["results"][0]
    api.wait_for(f"/components/{found['id']}/", lambda c: c["status"] == "normal", "it is normal", 60)

    # see: the page shows what the agent said, without a reload
    page.goto(f"{portal.url}/components/{found['id']}/")
    expect(page.locator("h1")).to_contain_text("web-01")
    expect(page.locator("main")).to_contain_text("Normal")

    # be told: a genuine trap of an interface arrives and the open page shows it
    page.goto(f"{portal.url}/alerts/")
    expect(page.locator("main")).not_to_contain_text("eth42")
    trap = ["-v2c", "-c", "public", f"127.0.0.1:{portal.trap_port}", "", "1.3.6.1.6.3.1.1.5.3"]
    bindings = ["1.3.6.1.2.1.2.2.1.1.42", "i", "42", "1.3.6.1.2.1.2.2.1.2.42", "s", "eth42"]
    subprocess.run([program("snmptrap", "snmp"), *trap, *bindings], check=True, timeout=20)
    expect(page.locator("main")).to_contain_text("eth42", timeout=15_000)

    # act: open it, acknowledge it with a note
    page.locator("main a", has_text="eth42").first.click()
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("eth42")
    drawer.get_by_role("link", name=re.compile("^Acknowledge")).click()
    page.get_by_label(re.compile("Note")).last.fill("cable is being changed")
    page.get_by_role("button", name=re.compile("^Acknowledge")).last.click()
    acknowledged = api.wait_for(
        "/incidents/?state=acknowledged", lambda page: page["count"] == 1, "the incident is acknowledged"
    )["results"][0]
    assert acknowledged["note"] == "cable is being changed"
    leave(context)
