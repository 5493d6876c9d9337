"""What opens on a page keeps nobody out: menus, questions, what was done; in light and dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import violations_in_both_themes
from tests.e2e.conftest import PASSWORDS, Sidecar

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

QUESTION = "dialog[open] section"
TOLD = "#done .done"
# Where, what is pressed one after the other, and what is seen then.
OPENED = (
    ("/", ["[popovertarget=menu]:visible"], "#menu:popover-open"),
    ("/", ["[popovertarget=help]"], "#help:popover-open"),
    ("/downloads?tab=completed&albums=no", [".row .opens"], ".row .opened"),
    ("/downloads?tab=completed&albums=no", [".filters > summary"], ".filters[open]"),
    ("/downloads?tab=completed&albums=no", ["#pick-all"], ".chosen"),
    ("/downloads?tab=completed&albums=no", [".main-action :is(a, button)"], QUESTION),
    ("/library/{album}", [".others > summary"], ".others[open] li"),
    ("/library/{album}", [".others > summary", "a[data-asks]"], QUESTION),
    ("/library/{album}", [".track .pick input"], ".chosen"),
    ("/library/{album}", [".split > .get button"], TOLD),
    ("/downloads?tab=completed", ["[value=let_go]"], QUESTION),
    ("/library/{track}", ["a[data-plays]"], "#player"),
    ("/offline?look=files", [".filters > summary"], ".filters[open]"),
    ("/offline?look=files", [".opens-more"], ".more:popover-open"),
    ("/offline?look=files", [".opens-more", ".row a[data-asks]"], QUESTION),
    (
        "/offline?look=files",
        [".opens-more", ".row form:has([name=csrf]) button:has-text('Pin')"],
        TOLD,
    ),
    ("/devices/{device}", ["main details:not([open]) > summary"], "main details[open]"),
)


def test_what_opens_on_a_page_keeps_nobody_out(
    house: dict[str, str], sidecar: Sidecar, chromium: Browser
) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 780})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(sidecar.url)
    page.locator("[name=username]").fill("ann")
    page.locator("[name=password]").fill(PASSWORDS["ann"])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r":\d+/$"))
    found = []
    for path, pressed, seen in OPENED:
        page.goto(sidecar.url + path.format(**house))
        page.wait_for_load_state("networkidle")
        _open(page, pressed, seen)
        found += [f"{path} {pressed[-1]}: {one}" for one in violations_in_both_themes(page)]
    context.close()

    assert found == []


def _open(page: Page, pressed: list[str], seen: str) -> None:
    for one in pressed:
        page.locator(one).first.click()
    expect(page.locator(seen).first).to_be_visible()
