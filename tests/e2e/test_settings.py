"""The environment settings in a browser: the list of sections follows the reader."""

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import leave
from tests.e2e.portal import Portal


def test_the_list_of_sections_marks_what_is_read(browser: Browser, signed_in: str, portal: Portal) -> None:
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{portal.url}/settings/")
    sections = page.locator("nav.vnav a")
    marked = page.locator("nav.vnav a[aria-current=location]")
    assert sections.count() > 5
    expect(marked).to_have_count(1)
    expect(marked).to_have_text(sections.first.inner_text().replace("\n", ""))
    third = sections.nth(2)
    third.click()
    expect(third).to_have_attribute("aria-current", "location")
    expect(marked).to_have_count(1)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(sections.last).to_have_attribute("aria-current", "location")
    leave(context)
