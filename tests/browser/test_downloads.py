from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Route, WebSocket, expect

from sidecar.clock import SystemClock
from sidecar.domain.downloads.download import Status
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.errors import ServerAway
from sidecar.events import Progress, TransfersProgressed
from sidecar.web.app import WebOptions, create_app
from sidecar.web.server import WebServer
from tests.browser.accessibility import violations_in_both_themes
from tests.browser.conftest import SignedIn, give_session
from tests.browser.trouble import SERVER_GONE, BrowserTrouble
from tests.fakes.clock import FakeClock
from tests.web.house import ANN, EVE, PASSWORD, WebHouse, serving, web_house

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# A page whose session has ended asks whether it has.
SIGNED_OUT = "^401 GET .*/(api/v1/session|downloads)$"
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
BARRED = Failure(FailureClass.REFUSED, "refused", "It may not be downloaded")
WIDTHS = [320, 360, 640, 1280]
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 3


def fill(house: WebHouse) -> None:
    """Put everything there is to see in every state, with titles that nobody would wish for."""
    running = house.add(1, status=Status.DOWNLOADING, size=7_400_000)
    house.add(2, status=Status.DOWNLOADING, size=None, title=LONG, album=LONG)
    house.add(3, title=NASTY, artist=NASTY, album=NASTY)
    house.add(4, status=Status.PAUSED)
    house.add(5, status=Status.FAILED, failure=BARRED)
    house.add(6, status=Status.COMPLETED, type="Movie")
    house.transfer({running.id: 3_700_000}, seconds=4)
    house.services.accounts.server.tell(ServerAway("The Jellyfin server does not answer"))


def test_a_person_signs_in_and_out(
    context: BrowserContext, server: WebServer, trouble: BrowserTrouble
) -> None:
    trouble.announce("^401 POST .*/sign-in$", SIGNED_OUT)
    page = context.new_page()
    page.goto(server.url)
    # Nobody reads along on the way to one's own machine.
    expect(page.get_by_text("Not encrypted")).to_have_count(0)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password")

    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing to download")).to_be_visible()

    sign_out(page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="ann").click()
    page.get_by_role("button", name="Sign out").click()


def test_quick_connect_goes_on_by_itself(
    context: BrowserContext, server: WebServer, house: WebHouse
) -> None:
    house.offer_quick_connect()
    page = context.new_page()
    page.goto(server.url)
    page.get_by_role("button", name="Use Quick Connect").click()
    expect(page.get_by_text("482913")).to_be_visible()
    expect(page.get_by_text("Waiting for the code")).to_be_visible()

    house.offer_quick_connect(approved=ANN)

    expect(page.get_by_role("heading", name="Nothing to download")).to_be_visible()


def test_the_page_follows_a_download_from_the_heart_to_the_device(
    signed_in: SignedIn, house: WebHouse
) -> None:
    page = signed_in(ANN)
    websocket = []
    page.on("websocket", lambda line: websocket.append(line.url))
    page.reload()
    expect(page.get_by_text("Mark a favourite in any Jellyfin app")).to_be_visible()

    download = house.add(7, size=740_000)
    row = page.locator(f"#download-{download.id}")
    expect(row).to_contain_text("Queued")
    expect(page.locator("#tab-active")).to_have_text("Active 1")

    house.begin(download)
    expect(row).to_contain_text("Downloading")
    house.transfer({download.id: 370_000}, seconds=3)
    expect(row).to_contain_text("370 kB of 740 kB")
    expect(row).to_contain_text("3 sec left")
    expect(row.get_by_role("progressbar")).to_have_js_property("value", 0.5)
    expect(page.locator('[data-part="total-speed"]')).to_have_text("123 kB/s")

    house.add(7, status=Status.COMPLETED)
    expect(row).to_have_count(0)
    expect(page.locator("#tab-completed")).to_have_text("Completed 1")
    assert {one.partition(":")[0] for one in websocket} == {"ws"}


def test_all_of_it_works_below_a_base_url(context: BrowserContext, quick_path: Path) -> None:
    with (
        web_house(
            quick_path,
            FakeClock(),
            options=WebOptions(base_url="/sidecar"),
            web_clock=SystemClock(),
        ) as house,
        serving(house.web) as server,
    ):
        page = context.new_page()
        page.goto(server.url)
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/sidecar/")
        page.get_by_role("link", name="Downloads", exact=True).click()
        page.wait_for_load_state("networkidle")

        download = house.add(7)

        expect(page.locator(f"#download-{download.id}")).to_contain_text("Queued")
        context.close()


def test_tabs_search_and_pages_change_the_list_in_place(
    signed_in: SignedIn, house: WebHouse
) -> None:
    with house.store.db.write():
        for number in range(1, 13):
            house.add(number)
        house.add(20, title="Perth")
        house.add(30, status=Status.COMPLETED, title="Towers")
    page = signed_in(ANN, "/downloads?rows=10")
    page.evaluate("window.untouched = true")

    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("11\u201313 of 13")).to_be_visible()
    # Two things of one name: the pages of the list, and those of the sidecar.
    assert list(violations_in_both_themes(page)) == []
    page.get_by_label("Search titles").fill("pert")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_contain_text("Perth")
    page.get_by_role("link", name="Completed").click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_label("Search titles").fill("")
    expect(page.locator(".row")).to_contain_text("Towers")

    assert page.evaluate("window.untouched") is True
    assert "tab=completed" in page.url
    page.reload()
    expect(page.locator(".row")).to_contain_text("Towers")


def test_back_leads_back(signed_in: SignedIn, house: WebHouse) -> None:
    house.add(1)
    house.add(30, status=Status.COMPLETED, title="Towers")
    page = signed_in(ANN)
    page.get_by_role("link", name="Completed").click()
    expect(page.locator(".row")).to_contain_text("Towers")

    page.go_back()

    expect(page.locator(".row")).to_contain_text("Tone 1")
    expect(page.get_by_role("heading", name="Downloads")).to_have_count(1)


def test_everything_can_be_read_without_scripts(
    chromium: Browser, server: WebServer, house: WebHouse
) -> None:
    fill(house)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    page.get_by_role("link", name="Downloads", exact=True).click()
    page.get_by_role("link", name="Failed").click()
    expect(page.locator("#download-5")).to_contain_text("It may not be downloaded.")
    page.get_by_role("link", name="Completed").click()
    expect(page.locator("#download-6")).to_contain_text("On the device")
    page.get_by_label("Search titles").fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("tab", ["active", "completed", "failed"])
def test_no_list_has_to_be_moved_sideways(
    signed_in: SignedIn, house: WebHouse, width: int, tab: str
) -> None:
    fill(house)

    assert _scrolled_width(signed_in(ANN, f"/downloads?tab={tab}"), width) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_nor_has_the_page_to_sign_in(
    context: BrowserContext, server: WebServer, width: int
) -> None:
    page = context.new_page()
    page.goto(server.url + "/sign-in")

    assert _scrolled_width(page, width) <= width


def _scrolled_width(page: Page, width: int) -> int:
    page.set_viewport_size({"width": width, "height": 800})
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found


def test_whatever_a_tag_holds_nothing_runs(signed_in: SignedIn, house: WebHouse) -> None:
    fill(house)
    page = signed_in(ANN)
    expect(page.locator("#download-3")).to_contain_text("<img src=x onerror=")
    with page.expect_response("**/downloads*"):
        house.store.downloads.queue.put_first(house.row(3))
    expect(page.locator("#download-3")).to_contain_text("<img src=x onerror=")

    assert page.title() == "(2) Downloads · Jellyfin Sidecar"
    assert page.locator('img[src="x"]').count() == 0


def test_the_page_tells_of_a_break_and_knows_the_truth_after_it(
    context: BrowserContext, house: WebHouse, port: int, trouble: BrowserTrouble
) -> None:
    trouble.announce(*SERVER_GONE)
    download = house.add(7, status=Status.DOWNLOADING)
    row, banner = f"#download-{download.id}", "#offline"
    with serving(house.web, port) as server:
        give_session(context, house, server, ANN)
        page = context.new_page()
        page.goto(server.url + "/downloads")
        expect(page.locator(row)).to_contain_text("Downloading")
        page.wait_for_load_state("networkidle")
    expect(page.locator(banner)).to_contain_text("Trying again")

    house.add(7, status=Status.COMPLETED)
    again = create_app(house.services.web, house.bus)
    with serving(again, port):
        expect(page.locator(banner)).to_be_hidden(timeout=40_000)
        expect(page.locator("#tab-completed")).to_have_text("Completed 1")
        expect(page.locator(row)).to_have_count(0)
        context.close()


@pytest.mark.parametrize("path", ["/devices", "/now", "/activity", "/profile"])
def test_every_page_tells_of_a_break(
    context: BrowserContext, house: WebHouse, port: int, trouble: BrowserTrouble, path: str
) -> None:
    trouble.announce(*SERVER_GONE)
    with serving(house.web, port) as server:
        give_session(context, house, server, ANN)
        page = context.new_page()
        page.goto(server.url + path)
        page.wait_for_load_state("networkidle")

    expect(page.locator("#offline")).to_contain_text("Trying again")
    context.close()


def test_a_page_whose_session_ended_elsewhere_asks_to_sign_in(
    signed_in: SignedIn, context: BrowserContext, trouble: BrowserTrouble
) -> None:
    trouble.announce(SIGNED_OUT)
    page = signed_in(ANN)
    other = context.new_page()
    other.goto(page.url)
    page.wait_for_load_state("networkidle")

    sign_out(other)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_page_that_cannot_connect_as_its_session_has_ended_leads_to_the_sign_in_and_back(
    context: BrowserContext, house: WebHouse, server: WebServer, trouble: BrowserTrouble
) -> None:
    trouble.announce(*SERVER_GONE, "^401 GET .*/(api/v1/session|downloads|alerts|socket.io)")
    secret = house.begin_session(ANN)
    context.add_cookies([{"name": "sidecar_session", "value": secret, "url": server.url}])
    page = context.new_page()

    def end_before_it_connects(route: Route) -> None:
        house.store.sessions.end(secret)
        route.continue_()

    page.route("**/app.js*", end_before_it_connects)
    page.goto(f"{server.url}/downloads?tab=completed")

    expect(page.get_by_text("You have been signed out")).to_be_visible()
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.unroute_all(behavior="ignoreErrors")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/downloads?tab=completed")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    signed_in: SignedIn, house: WebHouse
) -> None:
    page = signed_in(ANN)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    reached = []
    for _ in range(15):
        assert page.evaluate(outline) == "solid"
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        page.keyboard.press("Tab")

    assert reached == [
        "Skip to the content",
        "Sidecar",
        "Home",
        "Downloads",
        "Library",
        "On devices",
        "Devices",
        "Now playing",
        "Activity",
        "",
        "ann",
        "",
        "Search",
        "Filter and sort",
        "Active 0",
    ]


def test_it_is_dark_where_the_person_likes_it_dark(chromium: Browser, server: WebServer) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme="dark" if scheme == "dark" else "light")
        page = context.new_page()
        page.goto(server.url)
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()

    assert backgrounds == ["rgb(246, 246, 249)", "rgb(20, 20, 27)"]


def test_nothing_keeps_anybody_out(
    chromium: Browser, server: WebServer, house: WebHouse, trouble: BrowserTrouble
) -> None:
    trouble.announce("^404 GET .*/none$")
    fill(house)
    context = chromium.new_context()
    page = context.new_page()
    found = []
    for path in (
        "/sign-in",
        "/downloads",
        "/downloads?tab=completed",
        "/downloads?tab=removed",
        "/none",
    ):
        page.goto(server.url + path)
        found += [f"{path}: {one}" for one in violations_in_both_themes(page)]
        give_session(context, house, server, EVE)
    context.close()

    assert found == []


def test_the_page_is_loaded_again_and_goes_on(signed_in: SignedIn, house: WebHouse) -> None:
    fill(house)
    page = signed_in(ANN)
    with page.expect_response(lambda answer: answer.request.resource_type == "document"):
        page.reload()
    page.get_by_role("link", name="Completed").click()

    expect(page.locator("#download-6")).to_be_visible()


class Listening:
    """What the live connections of a page have told it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._told: list[str] = []
        page.on("websocket", self._opened)

    def _opened(self, line: WebSocket) -> None:
        line.on("framereceived", lambda frame: self._told.append(str(frame)))

    def until(self, name: str, act: Callable[[], object]) -> None:
        """Do something and wait until a message of this name has come."""
        self._told.clear()
        act()
        deadline = monotonic() + 60
        while not any(f'"{name}"' in one for one in self._told):
            assert monotonic() < deadline, self._told
            # Events are heard while something is asked.
            self._page.evaluate("1")


def test_what_a_page_shows_is_not_fetched_again_when_it_begins_to_listen(
    signed_in: SignedIn, house: WebHouse
) -> None:
    fill(house)
    page = signed_in(ANN, "/help")
    home = page.url.removesuffix("/help")
    # What waits for a moment is done when the test says so.
    page.clock.install()
    listening = Listening(page)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url.removeprefix(home)))
    for path in ("/", "/offline", "/downloads"):
        listening.until("snapshot", partial(page.goto, home + path))
        asked.clear()
        page.clock.run_for(2000)
        assert asked == []

    listening.until("download:queued", lambda: house.add(7))
    with page.expect_response("**/downloads"), page.expect_response("**/alerts*"):
        page.clock.run_for(2000)
    assert {one.partition("?")[0] for one in asked} == {"/downloads", "/alerts"}


SAYS = "([id, text]) => document.getElementById(id).textContent.includes(text)"


def test_progress_lays_out_nothing_but_the_rows_that_changed(
    signed_in: SignedIn, house: WebHouse
) -> None:
    with house.store.db.write():
        running = [house.add(n, status=Status.DOWNLOADING, size=7_400_000) for n in range(1, 9)]
        for number in range(9, 22):
            house.add(number)
    eight = [one.id for one in running]
    house.transfer(dict.fromkeys(eight, 740_000), seconds=1)
    page = signed_in(ANN)
    Listening(page).until("snapshot", page.reload)
    page.evaluate(
        """() => {
            window.touched = new Set();
            new MutationObserver((changes) => {
                for (const { target, type } of changes) {
                    const place = target.closest ? target : target.parentElement;
                    const row = place.closest(".row, .summary, #offline");
                    window.touched.add(`${row?.id || row?.className || place.outerHTML} ${type}`);
                }
            }).observe(document.body, {
                subtree: true, childList: true, characterData: true, attributes: true,
            });
        }"""
    )
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = layouts(session)

    for step in range(2, 12):
        held = 500_000 * step
        transfers = tuple(Progress(n, held, 7_400_000, 1e6, 5.0) for n in eight)
        house.bus.publish(TransfersProgressed(transfers))
        done = f"{held / 1e6:.1f} MB of 7.4 MB"
        # Not `expect`: it asks for the layout itself.
        page.wait_for_function(SAYS, arg=[f"download-{eight[-1]}", done])

    assert layouts(session) - before <= 3 * 10
    touched = set(page.evaluate("[...window.touched]"))
    rows = {f"download-{n}" for n in eight}
    assert {one.split()[0] for one in touched} <= rows | {"summary", "offline"}


def layouts(session: CDPSession) -> int:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return int(next(one["value"] for one in metrics if one["name"] == "LayoutCount"))
