"""The home page and the frame of every page in a real browser."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from sidecar.domain.downloads.download import Download, Status, Validator
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import PIN
from sidecar.errors import ServerAway
from sidecar.messages import msg
from sidecar.web.server import WebServer
from tests.browser.accessibility import THEMES, violations_in, violations_in_both_themes
from tests.browser.conftest import SignedIn, give_session
from tests.browser.trouble import BrowserTrouble
from tests.fakes.servers.answering import Reply, json_reply
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.web.api.playback.test_playback import hears
from tests.web.house import ANN, BEN, EVE, WebHouse
from tests.web.series import EPISODES, add_series

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 2


def fill(house: WebHouse) -> None:
    """Something of everything that the home page shows."""
    house.add(1, status=Status.COMPLETED, title=LONG, album=LONG, artist=LONG)
    house.add(2, title=LONG, artist=LONG)
    house.add(3, status=Status.FAILED)
    house.heard(ANN, 1, house.clock.now() - timedelta(hours=2))
    running = house.add(4, status=Status.DOWNLOADING, size=740_000, title="Loop")
    house.transfer({running.id: 370_000}, seconds=3)


def test_it_follows_what_happens(signed_in: SignedIn, house: WebHouse) -> None:
    page = signed_in(ANN, "/")
    expect(page.get_by_role("heading", name="Nothing to download")).to_be_visible()
    tile = page.locator(f"#tile-{STICK}")
    expect(tile).to_contain_text("Empty")

    download = house.add(7, status=Status.DOWNLOADING, size=740_000)
    expect(page.get_by_role("heading", name="Downloading 1 file")).to_be_visible()
    expect(tile).to_contain_text("Do not unplug it")
    house.transfer({download.id: 370_000}, seconds=3)
    bar = page.get_by_role("progressbar", name="Progress of all downloads")
    expect(bar).to_have_js_property("value", 0.5)
    expect(page.locator('[data-part="total-speed"]')).to_have_text("123 kB/s")

    house.add(7, status=Status.COMPLETED)
    expect(page.get_by_role("heading", name="Nothing to download")).to_be_visible()
    expect(page.get_by_role("region", name="Recently added")).to_contain_text("Tone 7")
    expect(tile).to_contain_text("Before you unplug it, ask whoever manages it to eject it.")


def test_what_was_begun_goes_on_from_here(
    signed_in: SignedIn, house: WebHouse, trouble: BrowserTrouble
) -> None:
    # This Jellyfin has no films, only what is said of them.
    trouble.announce("^404 GET .*/media/item/")
    add_series(house)
    episode = house.jellyfin.routes[f"GET /Items/{track(EPISODES[1]).id}"]
    assert isinstance(episode, Reply)
    films = [row(number, Type="Movie", Name=LONG) for number in range(60, 65)]
    begun_items = {"Items": [json.loads(episode.body), *films], "TotalRecordCount": 6}
    house.jellyfin.routes["GET /UserItems/Resume"] = json_reply(begun_items)
    page = signed_in(ANN, "/")
    begun = page.get_by_role("region", name="Continue watching and listening")
    expect(begun).to_contain_text("9 min left")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert list(violations_in_both_themes(page)) == []

    # The page follows what happens, and does not ask Jellyfin again for that.
    house.add(7, status=Status.COMPLETED)
    expect(page.get_by_role("region", name="Recently added")).to_contain_text("Tone 7")
    expect(begun).to_contain_text("Beacon 2")
    assert len(house.jellyfin.asked("/UserItems/Resume")) == 1

    begun.get_by_role("link", name="Resume at 1:30 Beacon 2").click()
    expect(page.locator("#player")).to_contain_text("Beacon 2")


def test_without_jellyfin_there_is_nothing_to_go_on_with(
    signed_in: SignedIn, house: WebHouse
) -> None:
    with (page := signed_in(ANN, "/")).expect_response("**/library/continued") as answer:
        page.reload()
    assert answer.value.ok
    expect(page.locator("#continued")).to_be_hidden()


def test_a_stick_is_ejected_where_its_tile_is(signed_in: SignedIn) -> None:
    page = signed_in(EVE, "/")
    tile = page.locator(f"#tile-{STICK}")

    tile.get_by_role("button", name="Eject").click()
    expect(tile).to_contain_text("Safe to remove")
    expect(tile).to_contain_text("you can unplug it")
    assert page.url.endswith("/")
    # Who uses it again is not told any more that it may be pulled out.
    tile.get_by_role("button", name="Reconnect").click()
    expect(tile).to_contain_text("Car stick is being reconnected: do not unplug it")
    expect(tile).not_to_contain_text("Safe to remove")
    expect(tile.get_by_role("button", name="Reconnect")).to_have_count(0)


def test_it_fits_and_keeps_nobody_out(
    chromium: Browser, server: WebServer, house: WebHouse
) -> None:
    fill(house)
    context = chromium.new_context()
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(server.url)
    expect(page.get_by_role("region", name="Recently added")).to_contain_text(LONG)
    found = []
    for width, theme in zip((320, 360, 1280, 1920), 2 * [*THEMES], strict=True):
        page.set_viewport_size({"width": width, "height": 800})

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found += [f"at {width}: {one}" for one in violations_in(page, theme)]
        menu = page.locator("[popovertarget=menu]:visible")
        menu.click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        found += [f"menu at {width}: {one}" for one in violations_in(page, theme)]
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    context.close()

    assert found == []


def test_on_a_phone_the_pages_are_at_the_foot_and_the_rest_in_the_menu(
    signed_in: SignedIn, house: WebHouse
) -> None:
    fill(house)
    page = signed_in(ANN, "/")
    page.set_viewport_size({"width": 360, "height": 740})
    pages = page.get_by_role("navigation", name="Pages")
    box = pages.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == 740
    assert pages.get_by_role("link").all_inner_texts() == [
        "Home",
        "Downloads",
        "Library",
        "On devices",
    ]
    # Nothing at the end of the page is hidden behind it.
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last = page.get_by_role("region", name="Recently played").bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= box["y"]

    pages.get_by_role("button", name="Menu").click()
    page.locator("#menu").get_by_role("link", name="Devices", exact=True).click()
    expect(page.get_by_role("heading", name="Devices", level=1)).to_be_visible()


def test_the_menu_closes_by_escape_and_gives_the_focus_back(signed_in: SignedIn) -> None:
    page = signed_in(ANN, "/")
    button = page.get_by_role("button", name="ann")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Profile")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Profile")).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.get_by_role("link", name="Profile")).to_be_hidden()
    expect(button).to_be_focused()


def test_the_theme_is_chosen_and_remembered(
    signed_in: SignedIn, context: BrowserContext, server: WebServer
) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page = signed_in(ANN, "/devices")
    assert page.evaluate(background) == "rgb(246, 246, 249)"

    page.get_by_role("button", name="ann").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_url("**/devices")

    assert page.evaluate(background) == "rgb(20, 20, 27)"
    later = context.new_page()
    later.goto(server.url)
    assert later.evaluate(background) == "rgb(20, 20, 27)"
    assert later.locator('meta[name="theme-color"]').get_attribute("content") == "#14141b"
    later.get_by_role("button", name="ann").click()
    later.get_by_role("button", name="System").click()
    expect(later.locator("html:not([data-theme])")).to_have_count(1)
    assert later.evaluate(background) == "rgb(246, 246, 249)"


def test_it_can_be_installed(signed_in: SignedIn) -> None:
    page = signed_in(ANN, "/")
    session = page.context.new_cdp_session(page)

    told = session.send("Page.getAppManifest")
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]

    assert told["errors"] == []
    assert told["url"].endswith("/static/manifest.webmanifest")
    assert [one["errorId"] for one in found if one["errorId"] != "in-incognito"] == []
    assert page.request.get(page.url + "favicon.ico").ok


@pytest.fixture
def watched(house: WebHouse) -> WebHouse:
    """The house whose stick is watched before the server runs, as in real life."""
    house.look()
    return house


def part_of_bar(page: Page) -> float:
    """Return how much of the bar of a device is what stays there."""
    kept = page.locator(".bar .lasting").bounding_box()
    whole = page.locator(".bar").bounding_box()
    assert kept is not None
    assert whole is not None
    return kept["width"] / whole["width"]


def right_of_tabs(page: Page) -> float:
    """Return where the last of the tabs ends."""
    right: float = page.locator(".tabs a").evaluate_all(
        "(all) => Math.max(...all.map((one) => one.getBoundingClientRect().right))"
    )
    return right


def with_trouble(house: WebHouse) -> Download:
    """Let a line break half-way; return what Ben may not fetch, and Ann wants too."""
    barred = Failure(FailureClass.REFUSED, "not-allowed", msg("It may not be downloaded"))
    small = house.begin(house.add(9, size=2_100_000))
    house.store.downloads.transitions.transfer_started(
        small.id, Validator("Sun, 01 Nov 2026 10:00:00 GMT", 2_100_000), 1_100_000
    )
    later = house.clock.now() + timedelta(minutes=1)
    house.store.downloads.transitions.postpone(
        house.now(small), until=later, failure=barred, retry_count=1
    )
    refused = house.add(10, BEN, status=Status.FAILED, failure=barred)
    house.want(10, ANN, rule="favourites")
    return refused


def test_what_people_reported_of_the_pages_stays_mended(
    watched: WebHouse, signed_in: SignedIn, server: WebServer
) -> None:
    house = watched
    house.services.web.settings.change(EVE, STICK, {"budget": "60 MB"}, {})
    asked = msg("downloaded by you")
    with house.store.db.write():
        pins = [
            house.add(
                number,
                status=Status.COMPLETED,
                rule=PIN,
                text=asked,
                image_item_id=track(1).id,
                image_tag="gone by now",
            )
            for number in range(1, 8)
        ]
        house.add(8, status=Status.FAILED)
    hears(house, ANN)
    page = signed_in(ANN, "/")

    def shown(path: str) -> str:
        page.goto(server.url + path)
        return page.locator("body").inner_text()

    def lasting() -> int:
        holds = [one for pin in pins for one in house.store.holds.of_item(STICK, pin.item_id)]
        return sum(one.release_at is None for one in holds)

    # One number for one thing, wherever it is shown; names and never ids.
    texts = [shown(path) for path in ("/", "/devices", f"/devices/{STICK}")]
    used = {one for text in texts for one in re.findall(r"[\d.]+ \wB of 60\S* MB used", text)}
    assert len(used) == 1
    assert [one for one in texts if re.search(r"\b[0-9a-f]{32}\b", one)] == []
    assert "Tone 1" in texts[2]
    # The bar of a device is as long as its limit, and not as the drive.
    # What others listen to is told in whole megabytes.
    assert part_of_bar(page) == pytest.approx(1 / 60, rel=0.1)
    # Only who manages a device changes it.
    expect(page.get_by_label("Storage limit")).to_be_disabled()
    # What plays does not come next.
    coming = shown("/now").partition("Coming next")[2]
    assert "Tone 50" not in coming.partition("Recently played")[0]
    # What many lose at once is asked first, with their number, and can be undone.
    shown("/downloads?tab=completed")
    page.get_by_role("button", name="Unpin all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Unpin 7 files?")).to_be_visible()
    assert lasting() == 7
    dialog.get_by_role("button", name="Unpin 7 files").click()
    expect(page.locator("#done")).to_contain_text("7 files are unpinned.")
    assert lasting() == 0
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#done")).to_contain_text("It is undone.")
    assert lasting() == 7
    # A cover that is not there leaves its placeholder; all tabs can be seen on a phone.
    page.set_viewport_size({"width": 360, "height": 740})
    shown("/downloads?tab=failed")
    assert right_of_tabs(page) <= 360
    # A German page is German to the last reason.
    page.context.add_cookies([{"name": "sidecar_language", "value": "de", "url": server.url}])
    # On a phone it opens over the row.
    assert "von dir geladen" in (shown("/offline?look=files") and page.content())
    page.context.add_cookies([{"name": "sidecar_language", "value": "en", "url": server.url}])
    # A broken line costs nothing of a small file, and what one may not fetch another fetches.
    refused = with_trouble(house)
    shown("/downloads")
    expect(page.locator('[data-part="size"]', has_text="1.1 MB of 2.1 MB")).to_have_count(1)
    expect(page.locator(f"#download-{refused.id}")).to_contain_text("Queued")
    assert house.row(10).user_id == ANN.user_id
    # A stick that was nearly emptied is asked about on every page.
    house.lose(*pins[1:])
    for path in ("/", "/downloads", "/now"):
        assert "6 are missing" in shown(path)
    # While Jellyfin is away that is said, and one may try at once.
    house.services.accounts.server.tell(ServerAway(msg("Jellyfin is away")))
    assert "Jellyfin cannot be reached" in shown("/now")
    expect(page.get_by_text("Nothing is playing")).to_have_count(0)
    page.locator("#alerts-summary").click()
    expect(page.get_by_role("button", name="Try now")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_a_tile_has_a_menu(signed_in: SignedIn, width: int) -> None:
    page = signed_in(EVE, "/")
    page.set_viewport_size({"width": width, "height": 740})
    page.get_by_role("button", name="More about Car stick").press("Enter")
    menu = page.locator(".tile-menu:popover-open")
    expect(menu).to_be_in_viewport(ratio=1)
    expect(menu.get_by_role("link")).to_have_count(5)
    assert list(violations_in_both_themes(page)) == []
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)

    page.get_by_role("button", name="More about Car stick").click()
    menu.get_by_role("button", name="Pause").click()

    expect(page.locator(".device-tile .state")).to_have_text("Paused")
    menu.get_by_role("link", name="Its downloads").click()
    expect(page).to_have_url(re.compile(rf"/downloads\?device={STICK}"))
