"""A device at another machine in a real browser: what is pressed is done there, and shown here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sidecar.clock import SystemClock
from tests.browser.accessibility import violations_in_both_themes
from tests.browser.conftest import SignedIn
from tests.fakes.clock import FakeClock
from tests.web.elsewhere.house_and_car import Car, house_and_car
from tests.web.house import ANN, EVE, WebHouse, only_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def both(quick_path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Car]]:
    """Pages on the machine "nas", Ann's stick at the machine "car"."""
    with house_and_car(quick_path, clock, only_for("ann"), web_clock=SystemClock()) as built:
        yield built


@pytest.fixture
def house(both: tuple[WebHouse, Car]) -> WebHouse:
    return both[0]


@pytest.mark.parametrize("width", [360, 1280])
def test_what_is_pressed_here_is_done_there_and_can_be_cancelled_until_then(
    signed_in: SignedIn, both: tuple[WebHouse, Car], clock: FakeClock, width: int
) -> None:
    house, car = both
    page = signed_in(ANN, "/")
    page.set_viewport_size({"width": width, "height": 800})
    asked = page.get_by_text("Asked car to eject Car stick …")

    page.get_by_role("button", name="Eject").first.click()
    expect(asked.first).to_be_visible()
    assert wrong(page, width) == []
    car.work()
    house.look_at_devices()
    page.goto(page.url)
    expect(page.get_by_text("It may be unplugged.").first).to_be_visible()
    assert wrong(page, width) == []
    page.get_by_role("button", name="Close").first.click()
    expect(page.get_by_text("It may be unplugged.")).to_have_count(0)

    car.die()
    clock.advance(120)
    house.store.processes.renew()
    house.look_at_devices()
    page.goto(page.url)
    assert wrong(page, width) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_machines_can_be_read_and_removed(
    signed_in: SignedIn, both: tuple[WebHouse, Car], clock: FakeClock, width: int
) -> None:
    house, car = both
    page = signed_in(EVE, "/admin/machines")
    page.set_viewport_size({"width": width, "height": 800})
    expect(page.get_by_role("link", name="Car stick").first).to_be_visible()
    assert wrong(page, width) == []

    car.die()
    clock.advance(120)
    house.store.processes.renew()
    page.goto(page.url)
    assert wrong(page, width) == []
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("1 device was there last")).to_be_visible()
    assert wrong(page, width) == []


def wrong(page: Page, width: int) -> list[str]:
    """Return what keeps people out of a page, or makes it wider than the screen."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [*([f"{wide} wide"] if wide > width else []), *violations_in_both_themes(page)]
