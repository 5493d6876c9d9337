from __future__ import annotations

import re
from collections.abc import Callable
from threading import Event
from time import monotonic

import pytest
from playwright.sync_api import Browser, Page, expect

from sidecar.domain.downloads.download import Status, Validator
from sidecar.web.server import WebServer
from tests.browser.accessibility import violations
from tests.browser.conftest import SignedIn, give_session
from tests.patience import PATIENCE_S
from tests.web.house import ANN, BEN, REFUSED, WebHouse

WIDTHS = [360, 1280]
PATHS = [
    "/downloads",
    "/downloads?tab=failed&kind=music",
    "/downloads/2/ask?action=retry",
    "/downloads/2/ask?action=cancel",
    "/downloads/3/ask?action=delete",
]


@pytest.fixture
def stocked(house: WebHouse) -> WebHouse:
    """Let one run, one have failed half-way and one be there, which somebody else wants as well."""
    house.add(6, status=Status.DOWNLOADING, title="A title that is long enough to be cut " * 3)
    failed = house.add(7, status=Status.DOWNLOADING, size=9_000_000)
    transitions = house.store.downloads.transitions
    began = Validator("Sun, 01 Nov 2026 10:00:00 GMT", 9_000_000)
    transitions.transfer_started(failed.id, began, 3_000_000)
    transitions.give_up(house.now(failed), until=None, failure=REFUSED, retry_count=1)
    house.add(8, ANN, BEN, status=Status.COMPLETED)
    return house


def opened(
    chromium: Browser, house: WebHouse, server: WebServer, path: str, **options: object
) -> Page:
    context = chromium.new_context(**options)  # type: ignore[arg-type]  # as playwright takes them
    context.set_default_timeout(30_000)
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(server.url + path)
    return page


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until the server has done what the page asked for."""
    deadline = monotonic() + PATIENCE_S
    while not is_so():
        assert monotonic() < deadline
        Event().wait(0.02)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_download_is_paused_with_and_without_scripts(
    chromium: Browser, stocked: WebHouse, server: WebServer, scripts: bool
) -> None:
    page = opened(chromium, stocked, server, "/downloads?q=title", java_script_enabled=scripts)

    page.get_by_role("button", name="Pause A title that is long").click()

    asked = f"{server.url}/downloads?q=title"
    led_back = re.compile(re.escape(f"{server.url}/downloads?tab=active&q=title&done=") + r"[\w-]+")
    expect(page).to_have_url(asked if scripts else led_back)
    expect(page.locator("#done")).to_contain_text("1 download is paused.")
    eventually(lambda: stocked.row(6).status is Status.PAUSED)
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_download_is_cancelled_after_a_question_and_its_part_is_kept(
    chromium: Browser, stocked: WebHouse, server: WebServer, scripts: bool
) -> None:
    page = opened(chromium, stocked, server, "/downloads?tab=failed", java_script_enabled=scripts)

    failed = stocked.row(7)
    page.get_by_role("button", name="More about Tone 7").click()
    page.get_by_role("link", name="Cancel Tone 7").click()
    assert stocked.row(7).status is Status.FAILED
    page.get_by_label("Keep the partial file (3.0 MB)").check()
    page.get_by_role("button", name="Cancel download").click()

    expect(page.get_by_role("heading", name="Downloads")).to_be_visible()
    expect(page.get_by_role("heading", name="Cancel this")).to_be_hidden()
    eventually(lambda: stocked.status(failed) is None)
    assert not stocked.store.downloads.queue.list_forgotten([failed.id])
    page.context.close()


def test_questions_are_asked_again_after_going_back(
    chromium: Browser, stocked: WebHouse, server: WebServer
) -> None:
    page = opened(chromium, stocked, server, "/downloads?tab=failed")
    page.get_by_role("link", name="Completed").click()
    expect(page.locator("#download-3")).to_be_visible()
    page.go_back()

    failed = stocked.row(7)
    page.get_by_role("button", name="More about Tone 7").click()
    page.get_by_role("link", name="Cancel Tone 7").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel download").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    eventually(lambda: stocked.status(failed) is None)


def test_what_is_selected_stays_so_while_the_list_changes_and_goes_together(
    signed_in: SignedIn, house: WebHouse
) -> None:
    files = [house.add(number, status=Status.COMPLETED) for number in range(1, 6)]
    page = signed_in(ANN, "/downloads?tab=completed")
    page.get_by_label("Select Tone 2").check()
    page.get_by_label("Select Tone 4").check()
    expect(page.get_by_text("2 selected")).to_be_visible()

    another = house.add(9, status=Status.COMPLETED)
    expect(page.locator(f"#download-{another.id}")).to_be_visible()
    expect(page.get_by_label("Select Tone 2")).to_be_checked()
    expect(page.get_by_text("2 selected")).to_be_visible()

    page.locator("#chosen").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 2 files?")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(page.get_by_role("heading", name="Delete 2 files?")).to_be_hidden()
    gone = [files[1], files[3]]
    eventually(lambda: all(house.status(one) is Status.REMOVED for one in gone))
    assert [one for one in files if house.path(one).exists()] == [files[0], files[2], files[4]]
    expect(page.get_by_text("2 selected")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False])
def test_all_are_paused_after_a_question_with_numbers_and_that_is_undone_by_keys(
    chromium: Browser, stocked: WebHouse, server: WebServer, scripts: bool
) -> None:
    all_three = [stocked.row(6), stocked.add(9), stocked.add(10)]
    page = opened(chromium, stocked, server, "/downloads", java_script_enabled=scripts)

    page.get_by_role("button", name="Pause all").click()
    expect(page.get_by_role("heading", name="Pause 3 downloads?")).to_be_visible()
    assert stocked.status(all_three[1]) is Status.PENDING
    page.locator("main section, dialog").get_by_role(
        "button", name="Pause", exact=True
    ).last.click()

    done = page.locator("#done").filter(has_text="3 downloads are paused.")
    expect(done).to_be_visible()
    undo = done.get_by_role("button", name="Undo")
    expect(undo).to_have_accessible_description("3 downloads are paused.")
    if not scripts:
        # Where nothing announces the line, the page opens at its button.
        expect(undo).to_be_focused()
    assert {stocked.status(one) for one in all_three} == {Status.PAUSED}
    expect(page.locator("#state-of-things")).to_have_text("3 paused")
    undo.focus()
    page.keyboard.press("Enter")

    expect(page.locator("#done")).to_contain_text("It is undone.")
    assert {stocked.status(one) for one in all_three} == {Status.PENDING}
    expect(undo).to_have_count(0)
    if scripts:
        expect(page.locator("#done")).to_be_focused()
    page.context.close()


def test_a_range_and_what_is_on_other_pages_is_selected_until_something_is_done(
    signed_in: SignedIn, house: WebHouse
) -> None:
    with house.store.db.write():
        ids = [house.add(number).id for number in range(1, 13)]
    page = signed_in(ANN, "/downloads?rows=10")
    number = page.locator("#how-many")

    page.get_by_label("Select Tone 2", exact=True).check()
    page.get_by_label("Select Tone 5", exact=True).click(modifiers=["Shift"])
    expect(number).to_have_text("4 selected")
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.locator(f"#download-{ids[11]}")).to_be_visible()
    expect(number).to_have_text("4 selected")
    page.get_by_label("Select Tone 12", exact=True).check()
    page.locator("#chosen").get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("#done")).to_contain_text("5 downloads are paused.")
    expect(page.locator("#chosen")).to_be_hidden()
    assert [one for one in range(1, 13) if house.row(one).status is Status.PAUSED] == [
        *range(2, 6),
        12,
    ]

    page.get_by_label("Select Tone 11", exact=True).check()
    page.get_by_label("All 12 of the list").check()
    expect(number).to_have_text("12 selected")
    page.locator("#chosen").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancel 12 downloads?")).to_be_visible()
    page.get_by_role("dialog").get_by_role("link", name="Keep them").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_album_opens_where_it_is_and_is_selected_as_a_whole(
    signed_in: SignedIn, house: WebHouse
) -> None:
    with house.store.db.write():
        for number in range(1, 5):
            house.add(number, album_id="a" * 32)
    page = signed_in(ANN, "/downloads?albums=yes")
    expect(page.locator("#download-2 h2")).to_be_hidden()

    page.locator(".group > summary").click()
    page.get_by_label("Select all of First Light").check()
    expect(page.locator("#how-many")).to_have_text("4 selected")
    # It stays open, and selected, when the list is fetched anew.
    house.add(5, album_id="a" * 32)
    expect(page.locator("#download-5")).to_be_visible()
    expect(page.locator("#download-2 h2")).to_be_visible()
    expect(page.locator("#how-many")).to_have_text("4 selected")


def test_all_of_a_page_are_selected_at_once(signed_in: SignedIn, house: WebHouse) -> None:
    for number in range(1, 4):
        house.add(number)
    page = signed_in(ANN)

    page.get_by_label("Select all on this page").check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_label("Select Tone 1").uncheck()

    expect(page.get_by_text("2 selected")).to_be_visible()
    expect(page.get_by_label("Select all on this page")).not_to_be_checked()


@pytest.mark.parametrize("way", ["keys", "pointer"])
def test_the_queue_is_put_in_another_order(signed_in: SignedIn, house: WebHouse, way: str) -> None:
    ids = [house.add(number).id for number in range(1, 4)]
    page = signed_in(ANN)
    grip = page.get_by_role("button", name="Move Tone 3")

    if way == "keys":
        grip.press("ArrowUp")
        expect(grip).to_be_focused()
    else:
        # A list that is fetched anew under the pointer takes the row from its hand.
        page.wait_for_load_state("networkidle")
        grip.hover()
        target = page.locator(f"#download-{ids[1]}").bounding_box()
        assert target is not None
        page.mouse.down()
        page.mouse.move(target["x"] + 100, target["y"] + 5, steps=5)
        page.mouse.up()

    expect(page.locator("#told")).to_have_text("Tone 3 is now number 2 here")
    places = house.store.downloads.queries.positions(ids)
    assert sorted(ids, key=places.__getitem__) == [ids[0], ids[2], ids[1]]


def test_all_buttons_can_be_seen_reached_and_read_out(
    chromium: Browser, stocked: WebHouse, server: WebServer
) -> None:
    page = opened(chromium, stocked, server, PATHS[0])
    for path in PATHS:
        page.goto(server.url + path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})

            assert violations(page) == [], (path, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()
