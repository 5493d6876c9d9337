"""A title that several devices want is one row, with a chip for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sidecar.clock import SystemClock
from sidecar.domain.downloads.download import Download, Status
from sidecar.web.server import WebServer
from tests.browser.accessibility import violations_in_both_themes
from tests.browser.conftest import SignedIn, give_session
from tests.browser.test_dense_list import LONG, boxes
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import ANN, WebHouse, web_house
from tests.web.test_queries import with_more

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Shared:
    """A house where tones 1 to 4 are wanted on three devices, 5 on one."""

    devices: list[str]
    titles: dict[int, list[Download]]


@pytest.fixture
def house(quick_path: Path) -> Iterator[WebHouse]:
    with web_house(
        quick_path, FakeClock(), web_clock=SystemClock(), change=with_more(quick_path, 3)
    ) as built:
        yield built


@pytest.fixture
def shared(house: WebHouse) -> Shared:
    others = [one.id for one in house.services.devices.registry.all() if one.id != STICK]
    devices = [STICK, *others]
    with house.store.db.write():
        titles = {
            number: [house.add(number, device=device, size=7_400_000) for device in devices]
            for number in range(1, 5)
        }
        house.add(5)
    return Shared(devices, titles)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_title_that_failed_on_several_devices_says_why(
    signed_in: SignedIn, house: WebHouse, shared: Shared, width: int
) -> None:
    with house.store.db.write():
        for device in shared.devices[:2]:
            house.add(9, device=device, status=Status.FAILED)
    page = signed_in(ANN, "/downloads?tab=failed")
    page.set_viewport_size({"width": width, "height": 740})

    expect(page.locator(".row .note .error")).to_be_visible()
    # Whoever ticks it finds the box in the cover or before it, however many lines the reason takes.
    box = page.locator(".row .pick input").bounding_box()
    cover = page.locator(".row .cover").bounding_box()
    assert box is not None
    assert cover is not None
    assert cover["y"] <= box["y"] + box["height"] / 2 <= cover["y"] + cover["height"]


@pytest.mark.parametrize(("width", "most"), [(360, 72), (1280, 48)])
def test_a_row_with_chips_is_as_low_as_any_and_keeps_nobody_out(
    signed_in: SignedIn, house: WebHouse, shared: Shared, width: int, most: int
) -> None:
    with house.store.db.write():
        house.add(2, device=shared.devices[1], status=Status.PAUSED)
        for device in shared.devices[:2]:
            house.add(6, device=device, size=7_400_000, title=LONG, album=LONG)
        running = house.add(1, device=shared.devices[1], status=Status.DOWNLOADING, size=7_400_000)
    house.transfer({running.id: 3_700_000}, seconds=4)
    page = signed_in(ANN)
    page.set_viewport_size({"width": width, "height": 800})

    found = boxes(page)

    assert len(found) == 6
    assert page.locator(".on-device").count() == 14
    assert max(one[1] for one in found) <= most
    assert max(one[2] for one in found) <= width
    # Of each chip that is shown its icon and number are seen, inside of its row.
    assert page.locator(
        ":is(.on-devices:not(.is-many) > li, .by-state) > :is(.icon, b)"
    ).evaluate_all(
        """all => all.length && all.every((one) => {
            const icon = one.getBoundingClientRect();
            const row = one.closest(".cells > ul").getBoundingClientRect();
            return icon.width > 8 && icon.left >= row.left && icon.right <= row.right;
        })"""
    )
    page.get_by_role("button", name="More about Tone 1").click()
    expect(page.get_by_role("button", name="Pause Tone 1 on Car stick")).to_be_visible()
    assert list(violations_in_both_themes(page)) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_chip_follows_its_transfer_and_its_state_in_place(
    signed_in: SignedIn, house: WebHouse, shared: Shared
) -> None:
    first, second, _ = shared.titles[1]
    page = signed_in(ANN)
    page.wait_for_load_state("networkidle")
    row = page.locator(".row", has_text="Tone 1")
    row.evaluate("one => { one.isTheSame = true; }")
    before = page.locator(".row h2").all_text_contents()

    house.add(1, device=second.device_id, status=Status.DOWNLOADING, size=7_400_000)
    there = page.locator(f"li.on-device#download-{second.id}")
    expect(there).to_contain_text("Downloading")
    house.transfer({second.id: 3_700_000}, seconds=4)
    expect(there.get_by_role("progressbar")).to_have_js_property("value", 0.5)

    expect(page.locator(f"li.on-device#download-{first.id}")).to_contain_text("Queued")
    assert row.evaluate("one => one.isTheSame === true")
    assert page.locator(".row h2").all_text_contents() == before
    # What has come leaves the list of what is active; the row stays for the others.
    house.add(1, device=second.device_id, status=Status.COMPLETED)
    expect(there).to_have_count(0)
    assert row.evaluate("one => one.isTheSame === true")
    expect(row.locator(".on-device")).to_have_count(2)
    # Another device wants what one wanted.
    alone = page.locator(".row", has_text="Tone 5")
    expect(alone.locator(".on-device")).to_have_count(0)
    house.add(5, device=second.device_id)
    expect(alone.locator(".on-device")).to_have_count(2)


def test_keys_select_open_pause_and_move_a_title_with_all_its_downloads(
    signed_in: SignedIn, house: WebHouse, shared: Shared
) -> None:
    page = signed_in(ANN)
    page.wait_for_load_state("networkidle")

    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("#how-many")).to_have_text("3 files selected")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel all Tone 1")).to_be_visible()
    page.get_by_role("button", name="Pause Tone 1", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Resume Tone 1", exact=True)).to_be_focused()
    assert {house.now(one).status for one in shared.titles[1]} == {Status.PAUSED}
    page.get_by_role("button", name="Move Tone 4 with the arrow keys").press("ArrowUp")
    expect(page.locator("#told")).to_have_text("Tone 4 is now number 3 here")
    page.reload()
    assert page.locator(".row h2").all_text_contents() == [
        f"Tone {number}" for number in (1, 2, 4, 3, 5)
    ]


def test_what_is_selected_is_sent_with_all_its_downloads(
    signed_in: SignedIn, house: WebHouse, shared: Shared
) -> None:
    page = signed_in(ANN)
    page.wait_for_load_state("networkidle")

    page.get_by_label("Select Tone 2").check()
    page.get_by_label("Select Tone 5").check()
    expect(page.locator("#how-many")).to_have_text("4 files selected")
    page.locator("#chosen").get_by_role("button", name="Cancel").click()
    dialog = page.locator("#asking")
    expect(dialog).to_contain_text("Cancel 4 downloads?")
    dialog.get_by_role("button", name="Cancel them").click()

    expect(page.locator(".row")).to_have_count(3)
    assert not any(house.store.downloads.queries.get(one.id) for one in shared.titles[2])


def test_titles_work_without_scripts(
    chromium: Browser, house: WebHouse, server: WebServer, shared: Shared
) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/downloads")

    page.get_by_role("button", name="More about Tone 3").click()
    page.get_by_role("button", name="Pause Tone 3 on Car stick").click()
    stick = shared.titles[3][0]
    expect(page.locator(f"li.on-device#download-{stick.id}")).to_contain_text("Paused")
    page.get_by_label("Select Tone 1").check()
    page.locator("#chosen").get_by_role("button", name="Pause").click()

    assert {house.now(one).status for one in shared.titles[1]} == {Status.PAUSED}
    context.close()
