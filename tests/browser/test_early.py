"""What is typed, ticked or chosen before the scripts of a page are there is taken up by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from sidecar.domain.downloads.download import Status
from sidecar.services.accounts.person import Person
from sidecar.web.server import WebServer
from tests.browser.conftest import give_session
from tests.services.conftest import STICK
from tests.web.house import ANN, EVE, WebHouse

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Case:
    """What a person does at once on a page, and what is to come of it."""

    path: str
    does: Callable[[Page], object]
    sees: Callable[[Page], object]
    person: Person = ANN


def fill(name: str, text: str) -> Callable[[Page], object]:
    return lambda page: page.get_by_label(name).fill(text)


def choose(name: str, option: str) -> Callable[[Page], object]:
    return lambda page: page.get_by_label(name).select_option(option)


def tick(name: str) -> Callable[[Page], object]:
    return lambda page: page.get_by_label(name, exact=True).check()


def has_rows(number: int) -> Callable[[Page], object]:
    return lambda page: expect(page.locator(".row, .tile")).to_have_count(number)


def says(where: str, text: str) -> Callable[[Page], object]:
    return lambda page: expect(page.locator(where)).to_have_text(text)


def move_slider(page: Page) -> None:
    page.locator("#form-fill summary").click()
    page.get_by_role("slider", name="From familiar to new").press("End")


CASES = {
    "a search of the list": Case(
        "/downloads", fill("Search titles, artists and albums", "tone 2"), has_rows(1)
    ),
    "a filter of the list": Case("/downloads?kind=music", choose("Type", "films"), has_rows(0)),
    "a box of a row": Case("/downloads", tick("Select Tone 1"), says("#how-many", "1 selected")),
    "the box of all rows": Case(
        "/downloads", tick("Select all on this page"), says("#how-many", "3 selected")
    ),
    "the speed limit": Case(
        "/downloads",
        choose("Speed limit", "500000"),
        says("#done-text", "The speed limit is changed."),
        EVE,
    ),
    "a search on devices": Case(
        "/offline", fill("Search titles, artists and albums", "nothing"), has_rows(0)
    ),
    "the words of the log": Case(
        "/admin/log",
        fill("With the words", "nothing has these words"),
        says("#lines", "Nothing of the kind was logged since the start."),
        EVE,
    ),
    "a slider": Case(
        f"/devices/{STICK}",
        move_slider,
        says("#form-fill output", "new (100)"),
        EVE,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_was_done_before_the_scripts_came_is_taken_up(
    context: BrowserContext, house: WebHouse, server: WebServer, case: Case
) -> None:
    for number in (1, 2, 3):
        house.add(number)
    house.add(4, status=Status.COMPLETED, body=b"music")
    give_session(context, house, server, case.person)
    page = context.new_page()
    held: list[Route] = []
    page.route("**/vendor/app.js*", lambda route: held.append(route))  # noqa: PLW0108 - it takes no built-in
    page.goto(server.url + case.path, wait_until="commit")
    case.does(page)
    assert len(held) == 1

    held[0].continue_()

    case.sees(page)


def test_what_nobody_touched_is_asked_for_once(
    context: BrowserContext, house: WebHouse, server: WebServer
) -> None:
    for number in (1, 2):
        house.add(number)
    give_session(context, house, server, EVE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/downloads" in one.url else None)

    page.goto(f"{server.url}/downloads?kind=music&sort=title&q=tone")
    page.wait_for_load_state("networkidle")

    assert len(asked) == 1
