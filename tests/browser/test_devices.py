"""The page of the devices in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sidecar.clock import SystemClock
from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.rules import fill
from sidecar.domain.rules.queue_ahead import NAME as AHEAD
from sidecar.services.downloads.commands import DownloadCommand
from sidecar.web.server import WebServer
from tests.browser.accessibility import violations
from tests.browser.conftest import DEADLINE_MS, SignedIn, give_session
from tests.browser.trouble import BrowserTrouble
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import ANN, WebHouse, only_for, web_house

pytestmark = pytest.mark.browser

BLOCK = 4096
# Whether nothing lies over the middle of an element.
IS_ON_TOP = """(one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


@pytest.fixture
def house(quick_path: Path) -> Iterator[WebHouse]:
    """A stick of Ann's."""
    with web_house(
        quick_path, FakeClock(), change=only_for("ann"), web_clock=SystemClock()
    ) as built:
        yield built


@pytest.fixture
def files(house: WebHouse) -> list[Download]:
    """Return eight files that would all go for a larger one; another is too large."""
    files = [
        house.add(number, status=Status.COMPLETED, size=BLOCK, rule=AHEAD) for number in range(1, 9)
    ]
    house.add(20, size=8 * BLOCK)
    house.add(21, size=9 * BLOCK)
    changes: dict[str, object] = {"budget": 8 * BLOCK, "reserve": 0}
    house.services.web.settings.change(ANN, STICK, changes, {})
    return files


@pytest.fixture
def page(signed_in: SignedIn, files: list[Download]) -> Page:
    assert files
    return signed_in(ANN, "/devices")


def test_a_device_that_comes_back_says_so_by_itself(page: Page, house: WebHouse) -> None:
    page.get_by_role("button", name="Eject Car stick").click()
    page.get_by_role("button", name="Reconnect Car stick").click()
    device = page.get_by_role("region", name="Car stick")
    expect(device).to_contain_text("Car stick is being reconnected: do not unplug it")

    house.look_at_devices()

    expect(page.get_by_role("button", name="Eject Car stick")).to_be_visible()
    expect(device).not_to_contain_text("being reconnected")
    # And is left alone from then on.
    expect(device).not_to_have_attribute("hx-get", re.compile(".*"))


def test_many_removals_are_read_and_then_confirmed(
    page: Page, house: WebHouse, files: list[Download]
) -> None:
    expect(page.get_by_text("Tone 3", exact=True)).to_be_visible()
    house.services.transfers.space.step()
    assert all(house.path(one).exists() for one in files)

    page.get_by_role("button", name="Remove these 8 files").click()

    expect(page.get_by_role("status")).to_contain_text("These files are being removed")
    house.services.transfers.space.step()
    assert not any(house.path(one).exists() for one in files)


def test_it_fits_and_nothing_is_wrong_for_those_who_do_not_see(page: Page) -> None:
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == [], width


def test_a_wrong_setting_is_told_at_its_field_and_what_was_typed_stays(
    page: Page, house: WebHouse, trouble: BrowserTrouble
) -> None:
    trouble.announce("^422 POST .*/settings$")
    page.goto(page.url.replace("/devices", f"/devices/{STICK}"))
    page.set_viewport_size({"width": 320, "height": 700})
    save = page.get_by_role("button", name="Save", exact=True)
    # It is in sight wherever in the form one is.
    page.get_by_label("Storage limit").scroll_into_view_if_needed()
    expect(save).to_be_in_viewport()

    page.get_by_label("Storage limit").fill("10 elephants")
    page.get_by_label("Bitrate").fill("much")
    page.get_by_label("Write lyrics next to the files").uncheck()
    save.click()

    limit = page.get_by_label("Storage limit")
    expect(limit).to_have_value("10 elephants")
    expect(limit).to_have_attribute("aria-invalid", "true")
    expect(limit).to_have_accessible_description(re.compile("Enter a size such as 10 GB"))
    # Further down than the screen is high: the first of them is brought into sight.
    expect(limit).to_be_focused()
    expect(limit).to_be_in_viewport(ratio=1)
    reason = page.get_by_text("Enter a size such as 10 GB")
    expect(reason).to_be_in_viewport(ratio=1)
    for one in (limit, reason):
        assert one.evaluate(IS_ON_TOP)
    expect(page.get_by_label("Bitrate")).to_have_value("much")
    expect(page.get_by_label("Write lyrics next to the files")).not_to_be_checked()
    expect(page.locator("details.rule[open]")).to_have_count(0)
    assert violations(page) == []

    limit.fill("9 GB")
    page.get_by_label("Bitrate").fill("")
    save.click()

    expect(page.locator("form.settings").get_by_role("status")).to_have_text("Saved.")
    now = house.services.devices.settings.of(STICK)
    assert now is not None
    assert (now.budget, now.lyrics) == (9 * 10**9, False)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_discovery_is_a_slider_that_says_what_it_is_set_to(
    signed_in: SignedIn, house: WebHouse
) -> None:
    page = signed_in(ANN, f"/devices/{STICK}")
    rule = page.locator("#form-fill")
    rule.locator("summary").click()
    slider = page.get_by_role("slider", name="From familiar to new")
    expect(slider).to_have_attribute("aria-valuetext", "balanced (50)")
    expect(rule.locator("output")).to_have_text("balanced (50)")

    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "new (100)")
    for _ in range(13):
        page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "rather new (87)")
    expect(rule.locator("output")).to_have_text("rather new (87)")
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    page.keyboard.press("Enter")

    expect(rule.get_by_role("status")).to_be_visible()
    assert house.services.rules.settings.of(fill.RULE, STICK).discovery == 87
    page.reload()
    expect(page.locator("#form-fill output")).to_have_text("rather new (87)")


def test_without_scripts_and_in_german_it_is_a_slider_as_well(
    chromium: Browser, house: WebHouse, server: WebServer
) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="de-DE")
    context.set_default_timeout(DEADLINE_MS)
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/devices/{STICK}")

    page.locator("#form-fill summary").click()

    slider = page.get_by_role("slider", name="Von vertraut bis neu")
    expect(slider).to_have_attribute("aria-valuetext", "ausgewogen (50)")
    context.close()


def test_the_page_follows_what_happens_and_what_was_closed_stays_closed(
    page: Page, house: WebHouse, files: list[Download]
) -> None:
    removals = page.locator("#removals-1")
    expect(page.get_by_role("button", name="Remove these 8 files")).to_be_visible()
    removals.locator("summary").click()
    expect(removals).not_to_have_attribute("open", re.compile(".*"))

    house.services.web.actions.act(ANN, files[0].id, DownloadCommand(action=Action.DELETE))
    house.services.transfers.space.step()

    expect(page.get_by_role("button", name="Remove these 7 files")).to_be_visible()
    expect(removals).not_to_have_attribute("open", re.compile(".*"))
