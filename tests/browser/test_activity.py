"""The page of what happened in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sidecar.domain.downloads.download import Status
from tests.browser.conftest import SignedIn
from tests.web.house import ANN, WebHouse

pytestmark = pytest.mark.browser

MORE_THAN_ONE_PART = 60


def test_the_list_goes_on_where_it_ends(signed_in: SignedIn, house: WebHouse) -> None:
    with house.store.db.write():
        for number in range(1, MORE_THAN_ONE_PART + 1):
            house.add(number, status=Status.COMPLETED)
    page = signed_in(ANN, "/activity")

    page.locator("#happened .further").scroll_into_view_if_needed()

    expect(page.locator("#happened li")).to_have_count(MORE_THAN_ONE_PART)
    expect(page).to_have_url(re.compile("/activity$"))


def test_the_list_follows_what_happens(signed_in: SignedIn, house: WebHouse) -> None:
    page = signed_in(ANN, "/activity")
    expect(page.get_by_role("heading", name="Nothing has happened yet")).to_be_visible()

    house.add(1, status=Status.COMPLETED)
    expect(page.locator("#happened")).to_contain_text("Tone 1")

    # Within what was chosen.
    page.get_by_label("With the words").fill("two")
    expect(page.locator("#happened")).to_contain_text("Nothing of the kind has happened.")
    house.add(2, status=Status.COMPLETED, title="Two")
    expect(page.locator("#happened li")).to_have_count(1)


def test_plays_and_charts_follow_as_well(signed_in: SignedIn, house: WebHouse) -> None:
    page = signed_in(ANN, "/activity/plays")
    page.clock.install()
    page.reload()
    expect(page.get_by_role("heading", name="Nothing was played yet")).to_be_visible()

    house.heard(ANN, 1, house.clock.now())
    page.clock.fast_forward(20_000)
    expect(page.locator("#happened li")).to_have_count(1)

    page.goto(page.url.replace("plays", "charts"))
    table = page.locator("#table-plays")
    table.locator("summary").click()
    plays = table.locator("tbody tr").first.get_by_role("cell").first
    expect(plays).to_have_text("1")

    house.heard(ANN, 2, house.clock.now())
    page.clock.fast_forward(70_000)
    expect(plays).to_have_text("2")
    expect(table.get_by_role("table")).to_be_visible()


def test_who_reads_further_down_is_left_alone_until_they_are_back(
    signed_in: SignedIn, house: WebHouse
) -> None:
    with house.store.db.write():
        for number in range(1, MORE_THAN_ONE_PART + 1):
            house.add(number, status=Status.COMPLETED)
    page = signed_in(ANN, "/activity")
    entries = page.locator("#happened li")
    page.locator("#happened .further").scroll_into_view_if_needed()
    expect(entries).to_have_count(MORE_THAN_ONE_PART)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install()

    with page.expect_response("**/alerts*"):
        house.add(99, status=Status.FAILED)
    page.clock.run_for(1000)
    assert [one for one in asked if "alerts" not in one] == []
    expect(entries).to_have_count(MORE_THAN_ONE_PART)

    page.keyboard.press("Control+Home")
    expect(entries.first).to_contain_text("Tone 99")
