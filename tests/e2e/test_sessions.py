"""Sessions in a browser, in Japanese: the forced change, the warning before log-out, two tabs, back and reload.

The portal's clock is moved by setting back what it remembers of a session, the browser's by Playwright.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.e2e.conftest import AXE, leave
from tests.e2e.portal import Client, Portal

SECRET = "correct horse battery"
DIALOG = "#idle"
MODES = ("dashboard", "classic")


@dataclass
class Person:
    """Somebody with a browser that speaks Japanese and has a clock of its own."""

    portal: Portal
    context: BrowserContext
    name: str
    pk: int

    def sign_in(self, page: Page, password: str = SECRET) -> None:
        """Fill the sign-in page that is shown."""
        page.fill("input[name=username]", self.name)
        page.fill("input[name=password]", password)
        page.click("#sign-in button[type=submit]")
        page.wait_for_url(lambda url: "/login/" not in url)

    def open(self, path: str = "/", mode: str = "dashboard") -> Page:
        """Open a page, signing in where it is asked for."""
        page = self.context.new_page()
        page.goto(self.address(path, mode))
        if "/login/" in page.url:
            self.sign_in(page)
        return page

    def address(self, path: str, mode: str = "dashboard") -> str:
        """Give the whole address of a path in one of the two modes."""
        return (self.portal.url if mode == "dashboard" else self.portal.classic_url) + path

    def let_pass(self, minutes: float, typed_in: Page | None = None) -> None:
        """Let the portal believe that nothing was done for so long, and the open pages that so long has passed."""
        if typed_in is not None:  # the portal is told so within a minute, before it is idle
            with typed_in.expect_response(lambda answer: told_by_a_person(answer.request)):
                self.context.clock.fast_forward(61_000)
        moment = datetime.now(UTC) - timedelta(minutes=minutes)
        with closing(sqlite3.connect(self.portal.folder / "portal.sqlite3", timeout=20)) as database, database:
            database.execute(
                "UPDATE accounts_session SET active_at = ? WHERE user_id = ?",
                (moment.strftime("%Y-%m-%d %H:%M:%S.%f"), self.pk),
            )
        self.context.clock.fast_forward(int(minutes * 60_000))


def told_by_a_person(request: Request) -> bool:
    """Say whether a page tells that somebody did something."""
    return request.url.endswith("/session/") and "x-automatic" not in request.headers


@pytest.fixture(scope="module")
def people(api: Client) -> dict[str, int]:
    """Two who manage everything, and one who has to choose a password; by name."""
    role = next(row["id"] for row in api.get("/roles/")["results"] if row["name"] == "administrator")
    group = next(row["id"] for row in api.get("/groups/")["results"] if row["parent"] is None)
    found = {}
    for name in ("hanako", "taro", "shinjin"):
        body = {"username": name, "password": SECRET, "must_change_password": name == "shinjin"}
        found[name] = int(api.post("/users/", body)["id"])
        api.post("/grants/", {"user": found[name], "role": role, "group": group})
    return found


@pytest.fixture
def hanako(browser: Browser, portal: Portal, people: dict[str, int]) -> Iterator[Person]:
    """Somebody with nothing open yet."""
    context = browser.new_context(locale="ja-JP")
    context.clock.install()
    yield Person(portal, context, "hanako", people["hanako"])
    leave(context)


def is_asked(page: Page) -> None:
    """Wait for the dialog."""
    expect(page.locator(DIALOG)).to_be_visible()
    expect(page.get_by_role("alertdialog", name="操作を続けますか？")).to_be_visible()


def form_in(mode: str) -> str:
    return "/groups/add/" if mode == "dashboard" else "/groups/group/add/"


def test_somebody_new_chooses_a_password_before_anything_else(
    browser: Browser, portal: Portal, people: dict[str, int]
) -> None:
    """The forced change (LGN-06), with what the policy refuses, reload and back."""
    context = browser.new_context(locale="ja-JP")
    shinjin = Person(portal, context, "shinjin", people["shinjin"])
    page = shinjin.open("/components/")
    expect(page).to_have_url(re.compile(r"/password/\?next=%2Fcomponents%2F"))
    expect(page.locator("main")).to_contain_text("12〜256文字。")
    page.goto(portal.url)
    expect(page).to_have_url(re.compile(r"/password/"))
    page.reload()
    expect(page.locator("h1")).to_have_text("パスワードの変更")

    def choose(password: str) -> None:
        page.fill("input[name=old_password]", SECRET)
        page.fill("input[name=password]", password)
        page.fill("input[name=again]", password)
        page.click("main form >> nth=0 >> button[type=submit]")

    for password, sentence in (
        ("みじかい", "このパスワードは短すぎます。12文字以上にしてください。"),
        ("shinjin-2026-desu", "名前またはメールアドレスに似すぎています。"),
        ("passwordpassword", "よく知られたパスワードです。"),
        (SECRET, "現在と異なるパスワードを設定してください。"),
    ):
        choose(password)
        expect(page.locator(".errors")).to_contain_text(sentence)
    choose("ひみつのことばをえらびました")
    expect(page).to_have_url(f"{portal.url}/")
    page.goto(f"{portal.url}/components/")
    page.reload()
    expect(page).to_have_url(f"{portal.url}/components/")
    page.go_back()
    expect(page).to_have_url(f"{portal.url}/")
    leave(context)


@pytest.mark.parametrize("mode", MODES)
def test_the_warning_keeps_what_was_typed_and_so_does_the_log_out(hanako: Person, mode: str) -> None:
    """Two minutes before, a dialog; staying goes on; doing nothing signs out, and the text is there afterwards."""
    page = hanako.open(form_in(mode), mode)
    page.fill("input[name=name]", "書きかけの名前")
    page.fill("input[name=description]", "途中")
    hanako.let_pass(28.5, typed_in=page)
    is_asked(page)
    assert page.evaluate("document.activeElement.id") == "idle-stay"
    expect(page.locator("#idle-left")).to_have_text(re.compile(r"^1:[0-3]\d$"))
    page.evaluate(AXE.read_text())
    faults = page.evaluate("axe.run('#idle', {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id))")
    assert faults == []
    page.keyboard.press("Enter")
    expect(page.locator(DIALOG)).to_be_hidden()
    expect(page.locator("input[name=name]")).to_have_value("書きかけの名前")

    hanako.let_pass(29)
    is_asked(page)
    page.keyboard.press("Escape")  # somebody is there
    expect(page.locator(DIALOG)).to_be_hidden()

    hanako.let_pass(31)
    page.wait_for_url(re.compile(r"/login/\?ended=idle&next="))
    expect(page.locator("main")).to_contain_text("しばらく操作がなかったため、ログアウトしました。")
    hanako.sign_in(page)
    expect(page).to_have_url(hanako.address(form_in(mode), mode))
    expect(page.locator("input[name=name]")).to_have_value("書きかけの名前")
    expect(page.locator("input[name=description]")).to_have_value("途中")
    expect(page.locator("#drafts-note")).to_contain_text("まだ送信されていません。")
    page.reload()  # it was given back; it is not forced upon the next look at the page
    expect(page.locator("input[name=name]")).to_have_value("")


def test_a_form_that_was_sent_too_late_is_there_again(hanako: Person) -> None:
    """The session is over, the page has not noticed yet; nothing that was typed is lost, and nothing was done."""
    page = hanako.open("/groups/add/")
    page.fill("input[name=name]", "遅すぎた")
    with closing(sqlite3.connect(hanako.portal.folder / "portal.sqlite3", timeout=20)) as database, database:
        database.execute(
            "UPDATE accounts_session SET active_at = '2026-01-01 00:00:00' WHERE user_id = ?", (hanako.pk,)
        )
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(re.compile(r"/login/\?ended=idle&next=/groups/add/"))
    hanako.sign_in(page)
    expect(page).to_have_url(f"{hanako.portal.url}/groups/add/")
    expect(page.locator("input[name=name]")).to_have_value("遅すぎた")
    page.goto(f"{hanako.portal.url}/groups/")
    expect(page.locator("main")).not_to_contain_text("遅すぎた")


def test_passwords_and_secrets_are_never_kept(hanako: Person) -> None:
    """Of a form with a secret only the rest comes back."""
    page = hanako.open("/components/credentials/add/?kind=snmp-community")
    page.fill("input[name=name]", "スイッチ")
    page.fill("input[type=password]", "very-secret-community")
    hanako.let_pass(31, typed_in=page)
    page.wait_for_url(re.compile(r"/login/\?ended=idle"))
    assert "very-secret-community" not in page.evaluate("JSON.stringify(sessionStorage)")
    hanako.sign_in(page)
    expect(page.locator("input[name=name]")).to_have_value("スイッチ")
    expect(page.locator("input[type=password]")).to_have_value("")


def test_nobody_else_gets_what_was_typed(hanako: Person, people: dict[str, int]) -> None:
    """Another user signs in on the same tab."""
    page = hanako.open("/groups/add/")
    page.fill("input[name=name]", "花子のもの")
    hanako.let_pass(31, typed_in=page)
    page.wait_for_url(re.compile(r"/login/\?ended=idle"))
    taro = Person(hanako.portal, hanako.context, "taro", people["taro"])
    taro.sign_in(page)
    expect(page).to_have_url(f"{hanako.portal.url}/groups/add/")
    expect(page.locator("input[name=name]")).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('draft')") is None


def test_activity_in_one_tab_keeps_the_others_of_both_modes(hanako: Person) -> None:
    """All tabs ask; one is answered; none asks any more."""
    tabs = [hanako.open("/components/"), hanako.open("/jobs/"), hanako.open("/groups/group/", "classic")]
    hanako.let_pass(28.5)
    for tab in tabs:
        is_asked(tab)
    tabs[0].click("#idle-stay")
    expect(tabs[0].locator(DIALOG)).to_be_hidden()
    expect(tabs[1].locator(DIALOG)).to_be_hidden()
    hanako.context.clock.fast_forward(11_000)  # the other port is not heard: the dialog looks every ten seconds
    expect(tabs[2].locator(DIALOG)).to_be_hidden()


def test_signing_out_in_one_tab_shows_in_the_others_and_forgets_what_was_typed(hanako: Person) -> None:
    """By hand: the other tabs of both modes leave, and keep nothing."""
    form, here, classic = hanako.open("/groups/add/"), hanako.open("/jobs/"), hanako.open("/", "classic")
    form.fill("input[name=name]", "忘れてほしい")
    here.locator("summary", has_text="hanako").click()
    here.get_by_role("button", name="ログアウト", exact=True).click()
    here.wait_for_url(re.compile(r"/login/$"))
    form.wait_for_url(re.compile(r"/login/$"))
    hanako.context.clock.fast_forward(61_000)
    classic.wait_for_url(re.compile(r"/login/$"))
    hanako.sign_in(here)
    form.wait_for_url(f"{hanako.portal.url}/")  # the waiting tab notices that he is back
    form.goto(f"{hanako.portal.url}/groups/add/")
    expect(form.locator("input[name=name]")).to_have_value("")


def test_after_signing_out_back_and_reload_show_nothing(
    browser: Browser, portal: Portal, people: dict[str, int]
) -> None:
    """What the browser kept of a page is not shown to whoever sits there next."""
    context = browser.new_context(locale="ja-JP")
    hanako = Person(portal, context, "hanako", people["hanako"])
    page = hanako.open("/access/")
    expect(page.locator("main")).to_contain_text("shinjin")
    page.locator("summary", has_text="hanako").click()
    page.get_by_role("button", name="ログアウト", exact=True).click()
    page.wait_for_url(re.compile(r"/login/$"))
    page.go_back()
    page.wait_for_url(re.compile(r"/login/"))
    page.reload()
    expect(page).to_have_url(re.compile(r"/login/"))
    leave(context)


def test_a_session_is_ended_from_another_browser(hanako: Person, browser: Browser) -> None:
    """The list on the preferences page, with sign-out of each and of all others."""
    page = hanako.open("/preferences/")
    other = browser.new_context(locale="ja-JP")
    there = Person(hanako.portal, other, "hanako", hanako.pk).open("/jobs/")
    page.reload()
    expect(page.locator("main")).to_contain_text("Chrome(Linux)")
    rows = page.locator("tr[id^=session-]")
    mine = rows.filter(has_text="このブラウザー")
    expect(mine).to_have_count(1)
    page.get_by_role("button", name="ほかのすべてをログアウト").click()
    expect(rows).to_have_count(1)
    there.reload()
    expect(there).to_have_url(re.compile(r"/login/"))
    leave(other)
