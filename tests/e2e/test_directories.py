"""A directory in a browser: tested before it is kept, its groups mapped, and somebody of it signing in."""

from playwright.sync_api import Browser, expect

from tests.directory_peers import PEOPLE, SEARCH_PASSWORD, SEARCHER, Slapd
from tests.e2e.conftest import leave, sign_in
from tests.e2e.portal import Client, Portal


def test_a_directory_is_tested_kept_mapped_and_signed_in_by(
    browser: Browser, portal: Portal, api: Client, slapd: Slapd
) -> None:
    """What an administrator does with a new directory, and what one of its people sees then."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = sign_in(context, portal)
    page.goto(f"{portal.url}/access/directories/new/")
    page.get_by_label("Name", exact=True).fill("OFFICE")
    page.get_by_label("Servers, tried in this order").fill(f"127.0.0.1:1 127.0.0.1:{slapd.ldap_port}")
    page.get_by_label("Encryption").select_option("starttls")
    page.get_by_label("… or from a file").set_input_files(
        {"name": "ca.der", "mimeType": "application/octet-stream", "buffer": slapd.authority.der}
    )
    page.get_by_label("Bind as").fill(SEARCHER)
    page.locator("input[name=bind_password]").fill("not the password")
    page.get_by_label("Users under").fill("ou=people,dc=example,dc=test")
    page.get_by_label("Groups under").fill("ou=groups,dc=example,dc=test")

    # test before it is kept: the first server is dead, the second refuses the password of the searching account
    page.locator("input[name=test_username]").fill("dave")
    page.locator("input[name=test_password]").fill(PEOPLE["dave"][3])
    page.get_by_role("button", name="Test", exact=True).click()
    steps = page.locator("#test-result li")
    expect(steps).to_have_count(4)
    expect(steps.nth(0)).to_contain_text("127.0.0.1:1 does not answer.")
    expect(steps.nth(2)).to_contain_text("Example CA")
    expect(steps.nth(3)).to_contain_text("The directory refuses the account that searches.")
    page.locator("input[name=bind_password]").fill(SEARCH_PASSWORD)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#test-result")).to_contain_text("None of the groups of this account holds a role here.")
    assert api.get("/directories/?name=OFFICE")["count"] == 0

    # keep it, and map a group by its name
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("OFFICE")
    expect(page.locator("main")).to_contain_text("Example CA")
    assert SEARCH_PASSWORD not in page.content()
    page.get_by_label("Directory group").fill("operators")
    page.get_by_label("Role", exact=True).select_option(label="Operator")
    page.get_by_role("button", name="Grant").click()
    expect(page.locator("main table").first).to_contain_text("operators")

    # test what is kept, without typing the password again
    page.locator("input[name=test_username]").fill("dave")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#test-result .note")).to_contain_text("dave may sign in with the right password.")
    leave(context)

    # and dave signs in, sees what his groups hold, and that his password is not ours
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = sign_in(context, portal, "dave", PEOPLE["dave"][3])
    page.goto(f"{portal.url}/components/")
    expect(page.locator("h1")).to_be_visible()
    page.goto(f"{portal.url}/password/")
    expect(page.locator("main")).to_contain_text("Your password is kept by the directory OFFICE.")
    leave(context)
    (dave,) = api.get("/users/?username=dave")["results"]
    assert (dave["last_name"], dave["barred"]) == ("日本", "")
    assert dave["directory"] == api.get("/directories/?name=OFFICE")["results"][0]["id"]
