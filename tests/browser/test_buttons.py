from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sidecar.domain.actions import Action
from sidecar.domain.downloads import Status
from sidecar.events import Bus
from sidecar.web.server import WebServer
from tests.browser.conftest import give_session, served
from tests.fakes.actions import FakeActions
from tests.fakes.desk import ANN, FakeDesk, a_download

WIDTHS = [360, 1280]
PATHS = [
    "/downloads",
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
        a_download(7, status=Status.FAILED, bytes_downloaded=3_000_000, progress=0.4),
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


@pytest.mark.parametrize("scripts", [True, False])
def test_a_download_is_paused_with_and_without_scripts(
    chromium: Browser, desk: FakeDesk, house: WebServer, doing: FakeActions, scripts: bool
) -> None:
    page = opened(chromium, desk, house, "/downloads?q=title", java_script_enabled=scripts)

    page.get_by_role("button", name="Pause A title that is long").click()

    expect(page).to_have_url(f"{house.url}/downloads?tab=active&q=title")
    assert [(number, order.action) for _, number, order in doing.orders] == [(6, Action.PAUSE)]
    page.context.close()


def test_a_download_is_cancelled_after_a_question_and_its_part_is_kept(
    chromium: Browser, desk: FakeDesk, house: WebServer, doing: FakeActions
) -> None:
    page = opened(chromium, desk, house, "/downloads")

    page.get_by_role("link", name="Cancel Track 7").click()
    assert not doing.orders
    page.get_by_label("Keep the 3.0 MB").check()
    page.get_by_role("button", name="Cancel the download").click()

    expect(page.get_by_role("heading", name="Downloads")).to_be_visible()
    assert [order.keep_part for _, _, order in doing.orders] == [True]
    page.context.close()


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
