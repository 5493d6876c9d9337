"""The page of the devices in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from sidecar.events import Bus
from sidecar.web.app import create_app
from sidecar.web.server import WebServer, serve_in_thread
from tests.browser.conftest import give_session
from tests.fakes.desk import ANN, FakeDesk
from tests.fakes.plans import FakePlans, a_line, a_plan
from tests.fakes.web_services import services_of

pytestmark = pytest.mark.browser


@pytest.fixture
def planned() -> FakePlans:
    reason = "Nobody wants it any more, and what is wanted more needs the room"
    return FakePlans(
        [
            a_plan(
                removals=tuple(a_line(number, reason=reason) for number in range(1, 9)),
                adds=(a_line(20, reason="There is room for it once 8 others are gone"),),
                refusals=(a_line(21, reason="Car stick is full", code="full"),),
                needs_confirmation=True,
            ),
            a_plan("card", name="Player"),
        ]
    )


@pytest.fixture
def page(context: BrowserContext, planned: FakePlans) -> Iterator[Page]:
    desk = FakeDesk()
    web = create_app(services_of(desk, plans=planned), Bus())
    server = WebServer(web.wsgi, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    give_session(context, desk, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/devices")
    yield page
    page.close()
    web.live.stop()
    server.stop()
    thread.join(5)


def test_many_removals_are_read_and_then_confirmed(page: Page, planned: FakePlans) -> None:
    expect(page.get_by_text("Track 3", exact=True)).to_be_visible()

    page.get_by_role("button", name="Remove these 8 files").click()

    expect(page.get_by_role("status")).to_contain_text("These files go now")
    assert planned.confirmed == [("ann", "stick", "0123456789abcdef")]


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_and_nothing_is_wrong_for_those_who_do_not_see(
    page: Page, axe: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [one["id"] for one in found["violations"]] == []
