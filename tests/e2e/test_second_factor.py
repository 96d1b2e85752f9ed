"""The second factor and the lock-out in a browser, in Japanese: set up, signed in with, needed by a role; released."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.accounts.codes import code_at
from tests.e2e.conftest import Visit, leave, sign_in
from tests.e2e.portal import PASSWORD, Client, Portal
from tests.e2e.test_pages import faults, go, opened

SET_UP, CODE, SIGN_IN = "設定する", "コード", "ログイン"


@pytest.fixture
def context(browser: Browser, portal: Portal) -> BrowserContext:
    """A browser that speaks Japanese."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": f"esm_language_{portal.http_port}", "value": "ja", "url": portal.url}])
    return context


def make_user(api: Client, name: str, role: str) -> int:
    """Make a user with a role on everything."""
    user = api.post("/users/", {"username": name, "password": PASSWORD, "must_change_password": False})
    [group] = [row["id"] for row in api.get("/groups/")["results"] if row["parent"] is None]
    [found] = api.get(f"/roles/?name={role}")["results"]
    api.post("/grants/", {"user": user["id"], "role": found["id"], "group": group})
    return int(user["id"])


def code(secret: str, steps: int = 0) -> str:
    """Give what the app shows now, or will show some steps later: the portal takes the next one, too."""
    return code_at(secret, datetime.now(UTC) + timedelta(seconds=30 * steps))


def give_name(page: Page, portal: Portal, name: str, password: str = PASSWORD) -> None:
    """Go through the first step of signing in."""
    page.goto(f"{portal.url}/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.get_by_role("button", name=SIGN_IN, exact=True).click()


def give_code(page: Page, typed: str) -> None:
    """Go through the second."""
    page.get_by_role("textbox", name=CODE).fill(typed)
    page.get_by_role("button", name=SIGN_IN, exact=True).click()


def set_up(visit: Visit) -> tuple[str, str, list[str]]:
    """Set the second factor up on its page; gives the secret, the code that it took and the recovery codes."""
    page = visit.page
    page.get_by_role("button", name=SET_UP).click()
    picture = page.locator(".qr svg")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert (box["width"] >= 200, box["width"]) == (True, pytest.approx(box["height"]))  # a telephone can read it
    assert faults(visit) == []
    secret = str(page.locator("#totp-secret").text_content())
    first = code(secret)
    page.get_by_role("textbox", name=CODE).fill(first)
    page.get_by_role("button", name="有効にする").click()
    codes = str(page.locator("#recovery-codes").text_content()).split()
    assert len(codes) == 10
    assert faults(visit) == []
    return secret, first, codes


def sign_out(page: Page, portal: Portal) -> None:
    """Leave."""
    page.goto(f"{portal.url}/second-factor/")
    page.get_by_role("button", name="ログアウト").click()
    page.wait_for_url("**/login/")


def test_a_user_sets_it_up_and_signs_in_with_code_and_recovery_code(
    context: BrowserContext, portal: Portal, api: Client
) -> None:
    """What a user does with his telephone in his hand, and without it."""
    make_user(api, "kenji", "viewer")
    visit = opened(context)
    page = visit.page
    give_name(page, portal, "kenji")
    page.wait_for_url(f"{portal.url}/")
    page.goto(f"{portal.url}/preferences/")
    page.get_by_role("link", name="二要素認証").click()
    secret, first, codes = set_up(visit)
    page.get_by_role("link", name="保管しました").click()
    page.wait_for_url("**/preferences/")
    sign_out(page, portal)

    # the code of the set-up is used up, the next one is not; nothing opens in between
    give_name(page, portal, "kenji")
    page.wait_for_url("**/login/code/")
    assert faults(visit) == []
    page.goto(f"{portal.url}/components/")
    expect(page).to_have_url(re.compile("/login/\\?next=/components/"))
    page.go_back()
    expect(page.get_by_role("textbox", name=CODE)).to_be_visible()
    page.reload()
    give_code(page, first)
    expect(page.get_by_role("alert")).to_contain_text("すでに使用されています")
    expect(page.get_by_role("textbox", name=CODE)).to_have_value("")
    second = code(secret, 1)
    give_code(page, second)
    page.wait_for_url(f"{portal.url}/")
    sign_out(page, portal)
    give_name(page, portal, "kenji")
    give_code(page, second)
    expect(page.get_by_role("alert")).to_contain_text("すでに使用されています")

    # a recovery code, in the second of two tabs: the first is led on
    other = context.new_page()
    other.goto(f"{portal.url}/login/code/")
    give_code(other, codes[0])
    other.wait_for_url(f"{portal.url}/")
    other.go_back()  # the code page leads on
    expect(other).not_to_have_url(re.compile("/login/"))
    give_code(page, codes[1])
    expect(page).not_to_have_url(re.compile("/login/"))
    go(visit, f"{portal.url}/second-factor/")
    expect(page.locator("main")).to_contain_text("9")
    assert faults(visit) == []

    # turned off with password and a code that was not used
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_role("textbox", name=CODE).fill(codes[1])
    page.get_by_role("button", name="無効にする").click()
    expect(page.get_by_role("button", name=SET_UP)).to_be_visible()
    leave(context)


def test_a_role_that_needs_it_lets_nobody_further_without(context: BrowserContext, portal: Portal, api: Client) -> None:
    """What happens at the first sign-in after the administrator said so, and that he can reset it."""
    role = api.post("/roles/", {"name": "Guard", "permissions": ["view"], "needs_second_factor": True})
    assert role["needs_second_factor"]
    pk = make_user(api, "mamoru", "Guard")
    visit = opened(context)
    page = visit.page
    give_name(page, portal, "mamoru")
    page.wait_for_url("**/second-factor/?next=*")
    expect(page.locator("main")).to_contain_text("先に設定してください")
    page.goto(f"{portal.url}/components/")
    expect(page).to_have_url(re.compile("/second-factor/\\?next=%2Fcomponents%2F"))
    set_up(visit)
    page.get_by_role("link", name="保管しました").click()
    page.wait_for_url("**/components/")

    # the telephone is lost: an administrator resets it, and it is set up anew
    api.delete(f"/users/{pk}/second-factor/")
    page.goto(f"{portal.url}/components/")
    expect(page).to_have_url(re.compile("/login/"))
    give_name(page, portal, "mamoru")
    page.wait_for_url("**/second-factor/?next=*")
    leave(context)


def test_who_failed_too_often_is_locked_and_released(
    context: BrowserContext, browser: Browser, portal: Portal, api: Client
) -> None:
    """The same sentence at each failure; the administrator sees it and lets him in."""
    make_user(api, "shippai", "viewer")
    page = context.new_page()
    said = set()
    for _ in range(5):
        give_name(page, portal, "shippai", "wrong")
        said.add(page.get_by_role("alert").inner_text())
    give_name(page, portal, "shippai")
    said.add(page.get_by_role("alert").inner_text())
    give_name(page, portal, "dare-mo-inai")
    said.add(page.get_by_role("alert").inner_text())
    assert len(said) == 1

    desk = sign_in(browser.new_context(), portal)
    desk.goto(f"{portal.url}/access/lock-outs/")
    row = desk.locator("tr", has_text="shippai")
    expect(row).to_contain_text("Locked")
    row.get_by_role("button", name="Release").click()
    expect(desk.locator("tr", has_text="shippai")).to_have_count(0)
    leave(desk.context)
    give_name(page, portal, "shippai")
    page.wait_for_url(f"{portal.url}/")
    leave(context)
