"""How many presses the everyday tasks cost, from the home page: none may come to cost more.

What is typed and the sign-in are not counted. The numbers are for a desktop and for a phone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from sidecar.domain.downloads.download import Status
from sidecar.web.server import WebServer
from tests.browser.conftest import give_session
from tests.web.house import EVE, WebHouse

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = {"desktop": 1280, "phone": 360}


@dataclass
class Hand:
    """Somebody's hand on a page, whose presses are counted."""

    page: Page
    presses: int = 0

    def press(self, target: Locator) -> None:
        target.click()
        self.presses += 1

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name).locator("visible=true").first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name).locator("visible=true").first

    def go_to(self, name: str) -> None:
        """Follow a link of the navigation, which is in the menu where there is no room for it."""
        link = self.page.get_by_role("link", name=name, exact=True).locator("visible=true")
        if not link.count():
            self.press(self.page.get_by_role("button", name="Menu"))
        self.press(link.first)


def pause_and_resume(hand: Hand) -> None:
    hand.go_to("Downloads")
    hand.press(hand.button("Pause Running"))
    hand.press(hand.button("Resume Running"))
    expect(hand.button("Pause Running")).to_be_visible()


def cancel(hand: Hand) -> None:
    hand.go_to("Downloads")
    hand.press(hand.button("More about Running"))
    hand.press(hand.link("Cancel Running"))
    hand.press(hand.button("Cancel download"))
    expect(hand.page.locator(".row", has_text="Running")).to_have_count(0)


def see_why(hand: Hand) -> None:
    hand.go_to("Downloads")
    hand.press(hand.link("Completed"))
    if hand.page.viewport_size == {"width": WIDTHS["phone"], "height": 900}:
        hand.press(hand.button("More about There"))
    expect(hand.page.get_by_text("on your favourite album").locator("visible=true")).to_be_visible()


def see_what_goes_next(hand: Hand) -> None:
    hand.go_to("On devices")
    hand.press(hand.link("To be removed next"))
    expect(hand.page.get_by_role("heading", name="To be removed next")).to_be_visible()


def change_limit(hand: Hand) -> None:
    hand.press(hand.link("Car stick"))
    hand.page.get_by_label("Storage limit").fill("9 GB")
    hand.press(hand.page.get_by_role("button", name="Save", exact=True).last)
    expect(hand.page.get_by_text("Saved.")).to_be_visible()


def switch_a_rule_on(hand: Hand) -> None:
    hand.press(hand.link("Car stick"))
    rule = hand.page.locator("details", has_text="Newly added").last
    hand.press(rule.locator("summary"))
    hand.press(rule.locator("[type=checkbox]").first)
    hand.press(rule.get_by_role("button", name="Save"))
    expect(hand.page.get_by_text("Saved.")).to_be_visible()


def eject(hand: Hand) -> None:
    hand.press(hand.button("Eject Car stick"))
    expect(hand.button("Reconnect Car stick")).to_be_visible()


def find_the_log(hand: Hand) -> None:
    # On a phone the menu has it, else that of the person.
    menu = hand.page.get_by_role("button", name=re.compile(f"^(Menu|{EVE.name})$"))
    hand.press(menu.locator("visible=true"))
    hand.press(hand.link("Admin"))
    hand.press(hand.link("Log"))
    expect(hand.page.get_by_role("heading", name="Log", level=1)).to_be_visible()


# What it costs on a desktop and on a phone.
TASKS: dict[Callable[[Hand], None], tuple[int, int]] = {
    pause_and_resume: (3, 3),
    cancel: (4, 4),
    see_why: (2, 3),
    see_what_goes_next: (2, 2),
    change_limit: (2, 2),
    switch_a_rule_on: (4, 4),
    eject: (1, 1),
    find_the_log: (3, 3),
}


@pytest.mark.parametrize("size", WIDTHS)
def test_no_task_costs_more_presses_than_it_did(
    size: str, house: WebHouse, context: BrowserContext, server: WebServer
) -> None:
    house.add(1, title="Running", status=Status.DOWNLOADING, size=20_000_000)
    house.add(2, title="There", status=Status.COMPLETED, text="on your favourite album")
    give_session(context, house, server, EVE)
    cost = {}
    for task in TASKS:
        page = context.new_page()
        page.set_viewport_size({"width": WIDTHS[size], "height": 900})
        page.goto(server.url)
        hand = Hand(page)
        task(hand)
        cost[task.__name__] = hand.presses
        page.close()

    column = [*WIDTHS].index(size)
    assert cost == {task.__name__: most[column] for task, most in TASKS.items()}
