"""Rules are tried on past plays in a real browser, and what would have served best is used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Page, expect

from sidecar.clock import SystemClock
from sidecar.domain.rules.registry import RULE_OF
from tests.browser.accessibility import violations_in_both_themes
from tests.browser.conftest import SignedIn
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import ANN, WebHouse, only_for, web_house
from tests.web.pages.test_replay import replays

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def house(quick_path: Path) -> Iterator[WebHouse]:
    """Ann has the stick alone, and manages it."""
    with web_house(
        quick_path, FakeClock(), change=only_for("ann"), web_clock=SystemClock()
    ) as built:
        yield built


@pytest.mark.parametrize("width", [360, 1280])
def test_what_would_have_served_best_is_used_by_a_press_and_taken_back(
    house: WebHouse, signed_in: SignedIn, width: int
) -> None:
    for day in range(20):
        for number in (1, 2):
            house.heard(ANN, number, house.clock.now() + timedelta(days=day))
    page = signed_in(ANN, "/activity/replay")
    page.set_viewport_size({"width": width, "height": 800})

    page.get_by_label("Other sizes").fill("1 GB")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    replays(house).step(Event())

    # The page asks by itself.
    expect(page.get_by_role("heading", name="What would have served best")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    chart = page.get_by_role("img", name="Plays whose file was there, by size")
    assert chart.locator("rect").count() > 0
    by_size = page.get_by_role("region", name="Plays whose file was there, by size")
    by_size.get_by_text("As a table").click()
    assert by_size.get_by_role("row").count() == 1 + 5, "a heading, and a row for each size"
    assert fits(page, width)
    assert [*violations_in_both_themes(page)] == []

    page.get_by_role("button", name="Use these rules").last.click()
    expect(page.get_by_text("The rules of Car stick are set as recommended.")).to_be_visible()
    assert is_filled(house)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The rules of Car stick are set as recommended.")).to_have_count(0)
    assert not is_filled(house)


def fits(page: Page, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def is_filled(house: WebHouse) -> bool:
    return bool(house.services.rules.settings.of(RULE_OF["fill"], STICK).enabled)
