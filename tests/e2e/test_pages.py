"""Every page in both themes, on a wide screen and a phone, then left and come back to, where it speaks Japanese."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.e2e.conftest import AXE, Visit, leave
from tests.e2e.portal import Client, Portal

WIDE, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    "/",
    "/?colours=temperature&range=7d",
    "/components/",
    "/components/?status=critical",
    "/components/add/",
    "/components/excluded-ports/",
    "/components/{server}/",
    "/components/{server}/?tab=sensors",
    "/components/{server}/?tab=ports",
    "/components/{server}/?tab=storage",
    "/components/{server}/?tab=statistics",
    "/components/{server}/?tab=inventory",
    "/components/{server}/?tab=inventory-changes",
    "/components/inventory-changes/",
    "/components/{machine}/?tab=event-log",
    "/components/{machine}/event-log/{entry}/",
    "/components/{server}/?tab=alerts",
    "/components/{server}/?tab=history",
    "/components/{server}/?tab=settings",
    "/components/{server}/edit/",
    "/components/{server}/remove/",
    "/components/{server}/limits/storage/",
    "/components/{server}/sensors/{sensor}/limits/",
    "/components/credentials/",
    "/components/credentials/add/",
    "/components/credentials/{credential}/",
    "/statistics/",
    "/groups/",
    "/groups/add/",
    "/groups/{group}/",
    "/alerts/",
    "/alerts/?show=all&severity=warning&period=24h&q=eth7",
    "/alerts/?show=unmatched",
    "/alerts/{alert}/",
    "/alerts/acknowledge/?incident={incident}",
    "/alerts/close/?incident={incident}",
    "/alerts/reception/",
    "/incidents/",
    "/incidents/{incident}/",
    "/alert-definitions/",
    "/alert-definitions/?q=1.3.6.1.4.1.318",
    "/alert-definitions/1/",
    "/alert-definitions/new/",
    "/alert-definitions/import/",
    "/jobs/",
    "/jobs/{job}/",
    "/schedules/",
    "/schedules/?view=month",
    "/schedules/?view=agenda",
    "/schedules/suspend-periods/",
    "/schedules/suspend-periods/add/",
    "/schedules/suspend-periods/{period}/",
    "/schedules/suspend-periods/{period}/edit/",
    "/schedules/remote-batches/",
    "/schedules/remote-batches/add/",
    "/schedules/remote-batches/{batch}/",
    "/schedules/remote-batches/{batch}/edit/",
    "/schedules/remote-batches/{batch}/run/",
    "/components/{server}/suspend/",
    "/operations/?order=power.off&ids={server}",
    "/components/{console}/console/",
    "/components/{server}/settings/",
    "/components/{server}/settings/reset/",
    "/components/{server}/settings/restart/",
    "/components/{server}/settings/defaults/",
    "/device-settings/?ids={server}",
    "/audit/",
    "/audit/?family=component&who=admin&period=24h&q=server",
    "/audit/{audit}/",
    "/access/",
    "/access/users/new/",
    "/access/users/{user}/",
    "/access/users/{user}/rights/",
    "/access/groups/{group}/",
    "/access/mine/",
    "/access/teams/",
    "/access/teams/new/",
    "/access/teams/{team}/",
    "/access/roles/",
    "/access/roles/new/",
    "/access/roles/{role}/",
    "/access/roles/{role}/second-factor/",
    "/access/directories/",
    "/access/directories/new/?kind=active-directory",
    "/access/directories/{directory}/",
    "/access/addresses/",
    "/access/lock-outs/",
    "/access/tokens/",
    "/access/tokens/all/",
    "/access/tokens/{token}/rights/",
    "/preferences/",
    "/second-factor/",
    "/password/",
    "/capacity/",
    "/settings/",
    "/settings/?q=password",
    "/settings/auto_logout/",
    "/settings/auto_logout/history/",
    "/processes/",
    "/processes/restarting/?since=4102444800",
    "/ports/",
    "/ports/?used=all&component={server}",
    "/https/",
    "/https/create/",
    "/https/import/",
    "/https/trust/",
    "/help/",
    "/help/?show=limits",
    "/about/",
    "/style-guide/",
]
LOOKS = (  # size, theme, and whether only colours can be wrong anew
    (WIDE, "light", False),
    (WIDE, "dark", True),
    (PHONE, "dark", False),
)


@pytest.fixture(scope="module")
def tab(browser: Browser, signed_in: str) -> Iterator[Visit]:
    """A signed-in browser with one tab: a new one for each page would cost more than the page."""
    context = browser.new_context(storage_state=signed_in)
    yield opened(context)
    leave(context)


def opened(context: BrowserContext) -> Visit:
    """Open a tab that is listened to."""
    visit = Visit(context.new_page())
    visit.page.on("console", visit.listen)
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    return visit


def go(visit: Visit, url: str, size: dict[str, int] = WIDE) -> None:
    """Open a page, forget what the last one said, and let it settle."""
    visit.complaints.clear()
    visit.page.set_viewport_size(size)
    visit.page.emulate_media(color_scheme="light")
    answer = visit.page.goto(url, wait_until="load")
    assert answer is not None
    assert answer.status == 200, f"{url} answered {answer.status}"
    visit.page.evaluate("document.fonts.ready.then(() => true)")


def violations(visit: Visit, *, colours_alone: bool = False, with_styles: bool = True) -> list[str]:
    """Ask axe; what is well stays in the browser, and style sheets are read again only where that is asked for."""
    assert AXE.exists(), "axe-core is missing: run npm ci in tests/e2e"
    if not visit.page.evaluate("'axe' in window"):
        visit.page.evaluate(AXE.read_text())
    asked = {"type": "rule", "values": ["color-contrast"]} if colours_alone else {"type": "tag", "values": RULES}
    options = {"runOnly": asked, "resultTypes": ["violations"], "selectors": False, "preload": with_styles}
    found = visit.page.evaluate(f"axe.run(document, {json.dumps(options)}).then(r => r.violations)")
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def faults(visit: Visit) -> list[str]:
    """Turn a page into every size and theme and say what is wrong in each."""
    found = []
    for size, scheme, colours_alone in LOOKS:
        visit.page.set_viewport_size(size)
        visit.page.emulate_media(color_scheme=scheme)
        look = f"{scheme} {size['width']}"
        asked = violations(visit, colours_alone=colours_alone, with_styles=size == WIDE and not colours_alone)
        found += [f"{look}: {line}" for line in asked]
        if (wider := overflow(visit)) > 0:
            found.append(f"{look}: {wider} px too wide")
    return found + visit.complaints


def overflow(visit: Visit) -> int:
    """Give by how many pixels the page is wider than the screen."""
    return int(visit.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_to_complain_about(tab: Visit, portal: Portal, ids: dict[str, int], path: str) -> None:
    """No accessibility violation, no console or policy message, nothing wider than the screen; the same in Japanese.

    That is what it speaks when somebody who chose it meanwhile comes back: to the same page, and not to a stored one.
    """
    go(tab, portal.url + path.format(**ids))
    assert faults(tab) == []
    address = tab.page.url
    with japanese(tab, portal):
        tab.page.goto(f"{portal.url}/healthz")
        tab.page.go_back(wait_until="load")
        assert (tab.page.url, bool(heading_of(tab))) == (address, True)
        assert tab.page.evaluate("document.documentElement.lang") == "ja"
        on_a_phone = overflow(tab)
        tab.page.set_viewport_size(WIDE)
        assert (on_a_phone, overflow(tab), tab.complaints) == (0, 0, [])


@contextmanager
def japanese(visit: Visit, portal: Portal) -> Iterator[None]:
    """Have a browser prefer Japanese, as the menu does for whoever has not chosen for good."""
    name = f"esm_language_{portal.http_port}"
    visit.page.context.add_cookies([{"name": name, "value": "ja", "url": portal.url}])
    try:
        yield
    finally:
        visit.page.context.clear_cookies(name=name)


def test_the_sign_in_page_has_nothing_to_complain_about(browser: Browser, portal: Portal) -> None:
    """The one page that everybody sees."""
    context = browser.new_context()
    tab = opened(context)
    go(tab, f"{portal.url}/login/")
    assert faults(tab) == []
    leave(context)


def test_classic_mode_has_nothing_to_complain_about(tab: Visit, portal: Portal, api: Client, server: int) -> None:
    """Django admin under our policy and theme, on its own port, with the same session."""
    for path in ("/", "/components/component/", f"/components/component/{server}/change/"):
        go(tab, portal.classic_url + path)
        assert "/login/" not in tab.page.url
        assert (path, overflow(tab), tab.complaints) == (path, 0, [])


def heading_of(visit: Visit) -> str:
    """Give what stands above a page."""
    return visit.page.locator("h1").first.inner_text()
