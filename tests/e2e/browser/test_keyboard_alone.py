"""What a household does most, without a pointer: the focus is always seen, and never lost."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import PASSWORDS, Person, Sidecar
from tests.fakes.servers.slow_line import SlowLine

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]

STANDSTILL = 5_000  # bytes a second: nothing arrives before it is looked at
# Whether this is on the page, whether it has the focus, and what has it and is not seen to; empty
# if all is well.
LOOK = """(target) => {
    const one = document.activeElement;
    const isOn = target.isConnected;
    // Where a page ends, the browser itself has its turn.
    if (!one || one === document.body) return [isOn, false, "nothing"];
    // Where the last row went, the whole list has it, without a ring around the page.
    if (one.id === "main") return [isOn, false, ""];
    const { top, bottom, left, right } = one.getBoundingClientRect();
    const isOff = bottom <= 0 || right <= 0 || top >= innerHeight || left >= innerWidth;
    const ringed = [one, ...one.labels ?? []];
    // The link of a tile has its ring around all of the tile.
    const isMarked = ringed.some((two) => [null, "::after"].some(
        (part) => getComputedStyle(two, part).outlineStyle !== "none"));
    return [isOn, one === target, isOff || !isMarked ? one.outerHTML.slice(0, 200) : ""];
}"""


@dataclass(frozen=True)
class Keys:
    """Somebody's hands on a keyboard."""

    page: Page

    def reach(self, target: Locator) -> None:
        """Press Tab until it has the focus, which is seen wherever it stands meanwhile."""
        expect(target).to_be_visible()
        # To look for it by its name each time would cost more than all else.
        one = target.element_handle()
        _, is_there, _ = one.evaluate(LOOK)
        ends = 0
        while not is_there and ends < 2:
            self.page.keyboard.press("Tab")
            is_on_page, is_there, unseen = one.evaluate(LOOK)
            ends += unseen == "nothing"
            assert unseen in {"", "nothing"}
            if not is_on_page:
                one = target.element_handle()
                _, is_there, _ = one.evaluate(LOOK)
        if is_there:
            return
        pytest.fail(f"{target} is not reached")

    def press(self, target: Locator, key: str = "Enter") -> None:
        self.reach(target)
        self.page.keyboard.press(key)

    def go_to(self, name: str) -> None:
        """Follow a link of the navigation, which is in the menu where there is no room for it."""
        link = self.page.get_by_role("link", name=name, exact=True).locator("visible=true")
        if not link.count():
            self.press(self.page.get_by_role("button", name="Menu"))
        self.press(link)

    def fill(self, target: Locator, text: str) -> None:
        self.reach(target)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def keep_their_place(self) -> None:
        """Whoever pressed something that is gone is near it, and not back at the beginning."""
        self.page.wait_for_function("() => document.activeElement !== document.body")


PHONE = 360


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_the_main_tasks_need_no_pointer(
    running: Sidecar, ann: Person, line: SlowLine, chromium: Browser, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    keys = Keys(page)
    sign_in(keys, running.url)

    # Find an album, download it, cancel one of its tracks, undo that.
    keys.go_to("Library")
    keys.fill(page.get_by_label("Search all of Jellyfin"), "first l")
    expect(page).to_have_url(re.compile("q=first"))
    keys.press(page.get_by_role("link", name="First Light").first)
    line.bytes_a_second = STANDSTILL
    keys.press(page.get_by_role("button", name="Download First Light"))
    expect(page.locator(".get.large")).to_contain_text("Downloading")
    keys.keep_their_place()
    noise = page.locator(".track", has_text="Long Noise")
    keys.press(noise.get_by_role("button", name="Cancel"))
    expect(noise.get_by_role("button", name="Download Long Noise")).to_be_visible()
    keys.keep_their_place()
    keys.press(page.get_by_role("button", name="Undo"))
    expect(page.locator("#done")).to_contain_text("It is undone.")
    keys.keep_their_place()

    # Pause what runs, open the menu of its row, cancel it after a question.
    keys.go_to("Downloads")
    keys.press(page.get_by_role("button", name="Pause Long Noise"))
    keys.reach(page.get_by_role("button", name="Resume Long Noise"))
    expect(page.locator("#done")).to_contain_text("1 download is paused.")
    keys.press(page.get_by_role("button", name="More about Long Noise"), "Space")
    keys.press(page.get_by_role("link", name="Cancel Long Noise"))
    dialog = page.get_by_role("dialog")
    keys.press(dialog.get_by_role("button", name="Cancel download"))
    expect(dialog).to_be_hidden()
    expect(page.locator(".row", has_text="Long Noise")).to_have_count(0)
    keys.keep_their_place()
    line.bytes_a_second = None

    # Unpin what came, and pin it again.
    running.wait_for("Tone 1", "completed")
    keys.go_to("On devices")
    keys.press(page.get_by_role("link", name="First Light").first)
    if width == PHONE:
        keys.press(page.get_by_role("button", name="More about Tone 1"))
    keys.press(page.get_by_role("button", name="Unpin Tone 1"))
    expect(page.locator("#done")).to_contain_text("unpinned")
    expect(page.locator("#pin-1[value=pin]")).to_have_count(1)
    keys.keep_their_place()
    keys.press(page.get_by_role("button", name=re.compile("^Pin Tone 1 ")))
    expect(page.locator("#pin-1[value=let_go]")).to_have_count(1)
    keys.keep_their_place()
    expect(page.get_by_role("button", name="Unpin Tone 1")).to_be_visible()
    keys.keep_their_place()

    delete_after_all(keys, is_phone=width == PHONE)
    change_limit(keys)
    context.close()


def sign_in(keys: Keys, url: str) -> None:
    page = keys.page
    page.goto(url)
    keys.fill(page.get_by_label("User name"), "ann")
    keys.fill(page.get_by_label("Password"), PASSWORDS["ann"])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r":\d+/$"))


def delete_after_all(keys: Keys, *, is_phone: bool) -> None:
    """Be asked whether to delete a file, keep it, and delete it after all."""
    page = keys.page
    dialog = page.get_by_role("dialog")
    delete = page.get_by_role("link", name="Delete Tone 1")
    keys.press(delete)
    keys.press(dialog.get_by_role("link", name="Keep it"))
    expect(dialog).to_be_hidden()
    if is_phone:
        expect(page.get_by_role("button", name="More about Tone 1")).to_be_focused()
        page.keyboard.press("Enter")
    keys.press(delete)
    keys.press(dialog.get_by_role("button", name="Delete"))
    expect(page.locator("#done")).to_contain_text("deleted")
    expect(page.locator("#download-1")).to_have_count(0)
    keys.keep_their_place()


def change_limit(keys: Keys) -> None:
    """Change a setting of the device."""
    page = keys.page
    keys.go_to("Devices")
    keys.press(page.get_by_role("link", name="Car stick").first)
    keys.fill(page.get_by_label("Storage limit"), "9 GB")
    keys.press(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator("form.settings").get_by_role("status")).to_have_text("Saved.")
