"""What the browser itself fetches: `make background-fetch` runs it, beside the tests.

The Chromium without a window of its own, which the tests drive, takes a background fetch and never
begins it: so this drives Debian's whole Chromium.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from sidecar.domain.downloads.download import Status
from sidecar.web.server import WebServer
from tests.browser.conftest import DEADLINE_MS
from tests.browser.program import FLAGS
from tests.browser.test_offline import a_tone
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.services.conftest import track
from tests.services.rules.steered import row
from tests.web.house import ANN, WebHouse

pytestmark = [pytest.mark.timeout(300)]

NUMBERS = (1, 2, 3)
LONG_S = 200.0
SLOW = 400_000  # bytes a second: a file takes some eight seconds
KEPT = """async () => {
    const cache = await caches.open("sidecar-kept /");
    const paths = (await cache.keys()).map((one) => new URL(one.url).pathname);
    return paths.filter((path) => /[0-9a-f]{32}[/][0-9a-f]{32}$/.test(path)).length;
}"""
IS_FETCHING = """async () => {
    const { backgroundFetch } = await navigator.serviceWorker.ready;
    return (await backgroundFetch.getIds()).length > 0;
}"""


@pytest.fixture
def line(server: WebServer) -> Iterator[SlowLine]:
    with SlowLine(int(server.url.rpartition(":")[2])) as between:
        yield between


@pytest.fixture
def context(house: WebHouse, line: SlowLine, tmp_path: Path) -> Iterator[BrowserContext]:
    program = shutil.which("chromium")
    assert program, "this drives Debian's whole Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=program, args=[*FLAGS, "--headless=new"]
        )
        context.set_default_timeout(DEADLINE_MS)
        # Only what fails waits so long.
        expect.set_options(timeout=DEADLINE_MS)
        secret = house.begin_session(ANN)
        url = f"http://127.0.0.1:{line.port}"
        context.add_cookies([{"name": "sidecar_session", "value": secret, "url": url}])
        yield context
        context.close()


@pytest.fixture
def page(context: BrowserContext, house: WebHouse, line: SlowLine) -> Page:
    """The page of a browser that is to keep three files, which are on a device here."""
    sound = a_tone(LONG_S)
    for number in NUMBERS:
        house.add(
            number, status=Status.COMPLETED, body=sound, extension="wav", title=f"Tone {number}"
        )
    sources = {n: {"Id": track(n).id, "Container": "wav", "Size": len(sound)} for n in NUMBERS}
    house.library(*(row(n, Name=f"Tone {n}", MediaSources=[one]) for n, one in sources.items()))
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{line.port}/this-browser")
    page.get_by_role("button", name="Keep files in this browser").click()
    expect(page.get_by_role("heading", name="Files in this browser")).to_be_visible()
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    [browser] = house.services.web.browsers.all(ANN)
    for number in NUMBERS:
        house.services.web.browsers.choose(ANN, browser.id, track(number).id)
    return page


def test_it_goes_on_with_no_page_open(page: Page, context: BrowserContext, line: SlowLine) -> None:
    line.bytes_a_second = SLOW
    page.reload()
    expect(page.locator("#kept-now")).to_contain_text("also after you close this page")
    wait_until(lambda: bool(page.evaluate(IS_FETCHING)), what="the browser's fetch")
    page.close()
    line.bytes_a_second = None

    later = context.new_page()
    later.goto(f"http://127.0.0.1:{line.port}/downloads")
    wait_until(lambda: later.evaluate(KEPT) == len(NUMBERS), what="all of them")
    later.goto(f"http://127.0.0.1:{line.port}/this-browser")
    for number in NUMBERS:
        expect(later.locator("#kept-files")).to_contain_text(f"Tone {number}")
    expect(later.locator("#kept-trouble")).to_be_empty()


def test_what_comes_while_the_page_is_open_is_shown_on_it(page: Page, line: SlowLine) -> None:
    line.bytes_a_second = SLOW
    page.reload()
    expect(page.locator("#kept-now")).to_contain_text("also after you close this page")
    line.bytes_a_second = None

    expect(page.locator("#kept-files li a")).to_have_count(len(NUMBERS))
    expect(page.locator("#kept-now")).to_be_empty()
    page.goto(page.url.replace("/this-browser", "/devices"))
    expect(page.get_by_role("region", name="Browsers")).to_contain_text("3 files")


def test_one_that_is_refused_does_not_stop_the_others(page: Page, house: WebHouse) -> None:
    house.path(house.row(2)).unlink()
    page.reload()

    expect(page.locator("#kept-files li a")).to_have_count(len(NUMBERS) - 1)
    expect(page.locator("#kept-trouble")).to_contain_text("Tone 2")


def test_what_finds_no_room_once_it_has_come_is_told(
    page: Page, context: BrowserContext, line: SlowLine
) -> None:
    line.bytes_a_second = SLOW
    page.reload()
    expect(page.locator("#kept-now")).to_contain_text("also after you close this page")
    wait_until(lambda: bool(page.evaluate(IS_FETCHING)), what="the browser's fetch")
    room = {"origin": f"http://127.0.0.1:{line.port}", "quotaSize": 1000}
    context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", room)
    line.bytes_a_second = None

    expect(page.locator("#kept-trouble")).to_contain_text("no space left")
    expect(page.locator("#kept-now")).to_be_empty()
