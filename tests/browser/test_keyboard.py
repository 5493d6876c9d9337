"""The keyboard map and the help of each page in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from sidecar.web.server import WebServer
from tests.browser.accessibility import violations
from tests.browser.conftest import SignedIn, give_session
from tests.web.house import ANN, WebHouse

pytestmark = pytest.mark.browser


@pytest.fixture
def page(signed_in: SignedIn, house: WebHouse) -> Page:
    for number in (1, 2, 3):
        house.add(number)
    return signed_in(ANN)


def test_rows_are_walked_and_selected(page: Page) -> None:
    rows = page.locator(".row")
    expect(rows).to_have_count(3)

    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(rows.nth(1).get_by_role("checkbox")).to_be_checked()
    expect(page.locator("#how-many")).to_have_text("1 selected")
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()


def test_a_slash_searches_and_letters_in_a_field_are_letters(page: Page) -> None:
    page.keyboard.press("/")
    field = page.get_by_label("Search titles")
    expect(field).to_be_focused()

    page.keyboard.type("j/k?")

    expect(field).to_have_value("j/k?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()


def test_a_question_mark_lists_the_keys_and_gives_the_focus_back(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Select the row")

    page.keyboard.press("Escape")

    expect(dialog).to_have_count(0)
    expect(page.locator(".row").first).to_be_focused()


def test_who_has_turned_them_off_is_left_alone(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("They are off in this browser.")).to_be_visible()

    page.keyboard.press("/")

    assert page.url.endswith("/keys")


@pytest.mark.parametrize("width", [320, 1280])
def test_each_page_has_its_help(
    chromium: Browser, server: WebServer, house: WebHouse, width: int
) -> None:
    context = chromium.new_context(bypass_csp=True, viewport={"width": width, "height": 800})
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/devices")

    page.get_by_role("button", name="What this page is for").click()
    expect(page.get_by_text("Eject a device before you unplug it")).to_be_visible()
    found = violations(page)
    page.get_by_role("link", name="More in the documentation").click()
    page.get_by_role("link", name="Architecture").click()
    expect(page.get_by_role("heading", name="Architecture", level=1)).to_be_visible()
    found += violations(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()

    assert found == []
    assert wide <= width
