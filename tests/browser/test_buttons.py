from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from threading import Event
from time import monotonic

import pytest
from playwright.sync_api import Browser, Page, expect

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.states import Status
from sidecar.domain.undo import Reversal
from sidecar.events import Bus, DownloadChanged
from sidecar.services.downloads.commands import ActionResult, ResultKind
from sidecar.web.server import WebServer
from tests.browser.conftest import SignedIn, give_session, served
from tests.fakes.actions import FakeActions
from tests.fakes.desk import ANN, DOWNLOAD, FakeDesk, a_download

WIDTHS = [360, 1280]
DEADLINE_S = 5.0
PATHS = [
    "/downloads",
    "/downloads?tab=failed&kind=music",
    "/downloads/7/ask?action=retry",
    "/downloads/7/ask?action=cancel",
    "/downloads/8/ask?action=delete",
]


@pytest.fixture
def doing(desk: FakeDesk) -> FakeActions:
    desk.add(
        a_download(
            6, status=Status.DOWNLOADING, title="A title that is long enough to be cut " * 3
        ),
        a_download(7, status=Status.FAILED, bytes_downloaded=3_000_000),
        a_download(8, status=Status.COMPLETED),
    )
    return FakeActions(desk, wanted_too=1)


@pytest.fixture
def house(desk: FakeDesk, bus: Bus, doing: FakeActions) -> Iterator[WebServer]:
    yield from served(desk, bus, 0, doing=doing)


def opened(
    chromium: Browser, desk: FakeDesk, house: WebServer, path: str, **options: object
) -> Page:
    context = chromium.new_context(**options)  # type: ignore[arg-type]  # as playwright takes them
    context.set_default_timeout(10_000)
    give_session(context, desk, house, ANN)
    page = context.new_page()
    page.goto(house.url + path)
    return page


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_S
    while not is_so() and monotonic() < deadline:
        Event().wait(0.02)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_download_is_paused_with_and_without_scripts(
    chromium: Browser, desk: FakeDesk, house: WebServer, doing: FakeActions, scripts: bool
) -> None:
    page = opened(chromium, desk, house, "/downloads?q=title", java_script_enabled=scripts)

    page.get_by_role("button", name="Pause A title that is long").click()

    asked = f"{house.url}/downloads?q=title"
    led_back = re.compile(re.escape(f"{house.url}/downloads?tab=active&q=title&done=") + r"[\w-]+")
    expect(page).to_have_url(asked if scripts else led_back)
    expect(page.locator("#done")).to_contain_text("1 download is paused.")
    eventually(lambda: bool(doing.orders))
    assert [(number, order.action) for _, number, order in doing.orders] == [(6, Action.PAUSE)]
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_download_is_cancelled_after_a_question_and_its_part_is_kept(
    chromium: Browser, desk: FakeDesk, house: WebServer, doing: FakeActions, scripts: bool
) -> None:
    page = opened(chromium, desk, house, "/downloads?tab=failed", java_script_enabled=scripts)

    page.get_by_role("link", name="Cancel Track 7").click()
    assert not doing.orders
    page.get_by_label("Keep the 3.0 MB").check()
    page.get_by_role("button", name="Cancel the download").click()

    expect(page.get_by_role("heading", name="Downloads")).to_be_visible()
    expect(page.get_by_role("heading", name="Cancel this")).to_be_hidden()
    eventually(lambda: bool(doing.orders))
    assert [order.keep_part for _, _, order in doing.orders] == [True]
    page.context.close()


def test_questions_are_asked_again_after_going_back(
    chromium: Browser, desk: FakeDesk, house: WebServer, doing: FakeActions
) -> None:
    page = opened(chromium, desk, house, "/downloads?tab=failed")
    page.get_by_role("link", name="Completed").click()
    expect(page.locator("#download-8")).to_be_visible()
    page.go_back()

    page.get_by_role("link", name="Cancel Track 7").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the download").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    eventually(lambda: bool(doing.orders))
    assert [order.action for _, _, order in doing.orders] == [Action.CANCEL]


def test_what_is_selected_stays_so_while_the_list_changes_and_goes_together(
    signed_in: SignedIn, desk: FakeDesk, bus: Bus, acting: FakeActions
) -> None:
    desk.add(*(a_download(number, status=Status.COMPLETED) for number in range(1, 6)))
    page = signed_in(ANN, "/downloads?tab=completed")
    page.get_by_label("Select Track 2").check()
    page.get_by_label("Select Track 4").check()
    expect(page.get_by_text("2 selected")).to_be_visible()

    desk.add(a_download(9, status=Status.COMPLETED))
    bus.publish(DownloadChanged(DOWNLOAD, None, Status.COMPLETED))
    expect(page.locator("#download-9")).to_be_visible()
    expect(page.get_by_label("Select Track 2")).to_be_checked()
    expect(page.get_by_text("2 selected")).to_be_visible()

    page.locator("#chosen").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 2 files?")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(page.get_by_role("heading", name="Delete 2 files?")).to_be_hidden()
    eventually(lambda: len(acting.orders) == 2)
    assert {number for _, number, _ in acting.orders} == {2, 4}
    expect(page.get_by_text("2 selected")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False])
def test_all_are_paused_after_a_question_with_numbers_and_that_is_undone_by_keys(
    chromium: Browser, desk: FakeDesk, house: WebServer, doing: FakeActions, scripts: bool
) -> None:
    desk.add(a_download(9), a_download(10))
    doing.answer = ActionResult(9, ResultKind.DONE, "It is done", undo=Reversal(resume=(9,)))
    page = opened(chromium, desk, house, "/downloads", java_script_enabled=scripts)

    page.get_by_role("button", name="Pause all").click()
    expect(page.get_by_role("heading", name="Pause 5 downloads?")).to_be_visible()
    assert doing.orders == []
    page.locator("main section, dialog").get_by_role(
        "button", name="Pause", exact=True
    ).last.click()

    done = page.locator("#done").filter(has_text="5 downloads are paused.")
    expect(done).to_be_visible()
    undo = done.get_by_role("button", name="Undo")
    expect(undo).to_have_accessible_description("5 downloads are paused.")
    if not scripts:
        # Where nothing announces the line, the page opens at its button.
        expect(undo).to_be_focused()
    undo.focus()
    page.keyboard.press("Enter")

    expect(page.locator("#done")).to_contain_text("It is undone.")
    expect(undo).to_have_count(0)
    if scripts:
        expect(page.locator("#done")).to_be_focused()
    page.context.close()


def test_all_of_a_page_are_selected_at_once(signed_in: SignedIn, desk: FakeDesk) -> None:
    desk.add(*(a_download(number) for number in range(1, 4)))
    page = signed_in(ANN)

    page.get_by_label("Select all on this page").check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_label("Select Track 1").uncheck()

    expect(page.get_by_text("2 selected")).to_be_visible()
    expect(page.get_by_label("Select all on this page")).not_to_be_checked()


@pytest.mark.parametrize("way", ["keys", "pointer"])
def test_the_queue_is_put_in_another_order(
    signed_in: SignedIn, desk: FakeDesk, acting: FakeActions, way: str
) -> None:
    desk.add(*(a_download(number) for number in range(1, 4)))
    page = signed_in(ANN)
    grip = page.get_by_role("button", name="Move Track 3")

    if way == "keys":
        grip.press("ArrowUp")
        expect(grip).to_be_focused()
    else:
        grip.hover()
        target = page.locator("#download-2").bounding_box()
        assert target is not None
        page.mouse.down()
        page.mouse.move(target["x"] + 100, target["y"] + 5, steps=5)
        page.mouse.up()

    eventually(lambda: bool(acting.orders))
    assert [(number, order.before) for _, number, order in acting.orders] == [(3, 2)]
    expect(page.locator("#told")).to_have_text("Track 3 is now number 2 here")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", WIDTHS)
def test_all_buttons_can_be_seen_reached_and_read_out(
    chromium: Browser, desk: FakeDesk, house: WebServer, axe: str, *, path: str, width: int
) -> None:
    page = opened(
        chromium, desk, house, path, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    page.add_script_tag(content=axe)

    found = page.evaluate("axe.run()")

    assert [one["id"] for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
