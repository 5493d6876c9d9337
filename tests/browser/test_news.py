"""How often pages that follow what happens ask for themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from sidecar.domain.downloads.download import Status
from tests.browser.conftest import SignedIn
from tests.browser.test_downloads import Listening
from tests.web.house import ANN, WebHouse

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/", "/devices", "/downloads", "/activity"])
def test_a_slow_sidecar_is_asked_less_often_for_what_happens(
    signed_in: SignedIn, house: WebHouse, path: str
) -> None:
    page = signed_in(ANN, "/help")
    home = page.url.removesuffix("/help")
    page.clock.install()
    listening = Listening(page)
    listening.until("snapshot", lambda: page.goto(home + path))
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    page.route(lambda url: url == home + path, hold)

    listening.until("download:completed", lambda: house.add(1, status=Status.COMPLETED))
    with page.expect_request(home + path):
        page.clock.run_for(300)
    page.clock.run_for(4000)
    with page.expect_response(home + path):
        asked.pop().continue_()

    # It took so long that the next one has time.
    listening.until("download:completed", lambda: house.add(2, status=Status.COMPLETED))
    page.clock.run_for(1000)
    assert asked == []
    with page.expect_request(home + path):
        page.clock.run_for(10_000)
