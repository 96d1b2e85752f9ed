"""The audit in a browser, in Japanese: what was done is found, its difference opened, the chain verified."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import Visit, leave
from tests.e2e.portal import Client, Portal
from tests.e2e.test_pages import opened


@pytest.fixture
def visit(browser: Browser, signed_in: str, portal: Portal) -> Iterator[Visit]:
    """The administrator, who reads Japanese."""
    context: BrowserContext = browser.new_context(storage_state=signed_in, viewport={"width": 1920, "height": 1080})
    context.add_cookies([{"name": f"esm_language_{portal.http_port}", "value": "ja", "url": portal.url}])
    yield opened(context)
    leave(context)


def rows(page: Page) -> list[str]:
    """Give the actions that the list shows."""
    return [text.strip() for text in page.locator("#audit-list a[data-row-link]").all_inner_texts()]


def test_a_change_is_found_and_its_difference_read_in_japanese(visit: Visit, portal: Portal, api: Client) -> None:
    """From the component to the list, from a row to the drawer and back, by keyboard too."""
    made = api.post("/components/", {"name": "audited-by-eye", "alias": "front"})
    api.patch(f"/components/{made['id']}/", {"alias": "正面", "alert_addresses": ["192.0.2.8"]})
    page = visit.page
    page.goto(f"{portal.url}/components/{made['id']}/?tab=events")
    page.get_by_role("link", name="このコンポーネントへの操作").click()
    expect(page.locator("h1")).to_have_text("監査ログ")
    assert rows(page) == ["コンポーネントの設定の変更", "コンポーネントの登録"]
    page.locator("#audit-list a[data-row-link]").first.press("Enter")
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", level=2)).to_have_text("コンポーネントの設定の変更")
    expect(drawer.locator("tbody tr").first).to_contain_text("front")
    assert [cell.strip() for cell in drawer.locator("tbody tr").first.locator("th, td").all_inner_texts()] == [
        "別名",
        "front",
        "正面",
    ]
    expect(drawer).to_contain_text(f"PATCH /api/v1/components/{made['id']}/")
    expect(drawer.get_by_role("link", name="audited-by-eye").first).to_have_attribute(
        "href", f"/components/{made['id']}/"
    )
    assert "/audit/" in page.url
    assert "object_id=" in page.url
    own = page.url
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    page.goto(own)  # the address of the drawer leads to it, with the list behind
    expect(page.locator("#drawer h2")).to_have_text("コンポーネントの設定の変更")
    assert rows(page) == ["コンポーネントの設定の変更", "コンポーネントの登録"]
    assert visit.complaints == []


def test_filters_stand_in_the_address_and_go_one_by_one(visit: Visit, portal: Portal, api: Client) -> None:
    """The toolbar fills the address, a chip takes one filter away, back brings it again."""
    api.post("/groups/", {"name": "Audited group"})
    page = visit.page
    page.goto(f"{portal.url}/audit/")
    page.get_by_label("操作の種類").select_option("group")
    page.get_by_label("記録の絞り込み").locator("visible=true").last.fill("Audited")
    page.locator("form.toolbar > button[type=submit]").click()
    page.wait_for_url("**/audit/?q=Audited&family=group")
    assert rows(page) == ["グループの作成"]
    page.locator(".chips .chip a").first.click()
    page.wait_for_url("**/audit/?family=group")
    page.go_back()
    page.wait_for_url("**/audit/?q=Audited&family=group")
    assert rows(page) == ["グループの作成"]
    page.reload()
    assert rows(page) == ["グループの作成"]
    assert visit.complaints == []


def test_the_chain_is_verified_and_the_log_taken_away(visit: Visit, portal: Portal, api: Client) -> None:
    """The badge says so; the file holds what the list shows, and that it was taken."""
    page = visit.page
    page.goto(f"{portal.url}/audit/")
    page.get_by_role("button", name="今すぐ検証").click()
    api.wait_for(
        "/audit/chain/", lambda chain: chain["state"] == "intact" and chain["percent"] is None, "it is walked", 90
    )
    page.reload()
    expect(page.locator("#audit-chain")).to_contain_text("チェーンは完全です")
    page.locator("details.dd summary", has_text="エクスポート").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON Lines").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["action"] == "audit.export"
    assert len(lines) > 5
    assert visit.complaints == []
