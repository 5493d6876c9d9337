"""The page "On the device" in a real browser: found, played, kept and removed."""

from __future__ import annotations

import io
import math
import re
import struct
import wave
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from sidecar.clock import SystemClock
from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.wishes import PIN
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.commands import DownloadCommand
from sidecar.web.app import web_files
from sidecar.web.server import WebServer
from tests.browser.accessibility import THEMES, violations_in, violations_in_both_themes
from tests.browser.conftest import DEADLINE_MS, SignedIn, give_session
from tests.browser.trouble import BrowserTrouble
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import json_reply
from tests.fakes.servers.slow_line import wait_until
from tests.services.conftest import track
from tests.services.rules.steered import row
from tests.web.house import ANN, EVE, PLAYER, WebHouse, web_house, with_player

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 3
RATE = 8000
ALBUM = track(900).id
NUMBER_KEPT = "async () => (await (await caches.open('sidecar-kept /')).keys()).length"
TITLES = ("Dawn", "Noon", "Dusk")
PAGES = (
    "/offline",
    "/offline?look=files",
    f"/offline/albums/{ALBUM}",
    "/offline/next",
    "/offline?q=nothing",
    "/offline/1/ask?action=delete",
    "/offline/1/ask?action=leave_out",
)


@cache
def a_tone(seconds: float) -> bytes:
    """A file that every browser can play."""
    body = io.BytesIO()
    with wave.open(body, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        tone = (int(9000 * math.sin(n / 4)) for n in range(int(RATE * seconds)))
        sound.writeframes(b"".join(struct.pack("<h", one) for one in tone))
    return body.getvalue()


@pytest.fixture
def house(quick_path: Path) -> Iterator[WebHouse]:
    """A house with a player beside the stick."""
    change = with_player(quick_path / "player")
    with web_house(quick_path, FakeClock(), change=change, web_clock=SystemClock()) as built:
        yield built


@pytest.fixture(autouse=True)
def files(house: WebHouse) -> list[Download]:
    """An album of three, a film that is not there, and an episode of a very long name."""
    # Jellyfin knows none of it: what is heard is told to it in vain.
    house.library()
    sounds = (a_tone(1.0), a_tone(30.0), b"this is no sound at all")
    files = [
        a_song(house, number, title, body)
        for number, (title, body) in enumerate(zip(TITLES, sounds, strict=True), 1)
    ]
    there = {"status": Status.COMPLETED, "album": None, "artist": None}
    film = house.add(4, title="Noon again", type="Movie", **there)  # type: ignore[arg-type]
    house.path(film).unlink()
    episode = house.add(5, title=LONG, type="Episode", series=LONG, **there)  # type: ignore[arg-type]
    return [*files, film, episode]


def a_song(house: WebHouse, number: int, title: str, body: bytes, **how: object) -> Download:
    """Let a track of the album be there, for Ann's favourite album."""
    facts = {"title": title, "album": "Evenings", "album_id": ALBUM, "extension": "wav"}
    return house.add(
        number,
        status=Status.COMPLETED,
        source=ALBUM,
        text="on your favourite album Evenings",
        body=body,
        **facts,  # type: ignore[arg-type]  # by name
        **how,  # type: ignore[arg-type]  # by name
    )


def remove(house: WebHouse, *files: Download) -> None:
    for one in files:
        house.services.web.actions.act(ANN, one.id, DownloadCommand(action=Action.DELETE))


Open = Callable[..., Page]


@pytest.fixture
def opened(signed_in: SignedIn) -> Open:
    def open_page(path: str = "/offline", person: Person = ANN) -> Page:
        return signed_in(person, path)

    return open_page


def rows(page: Page) -> list[str]:
    return page.locator(".row .what :is(h2, h3)").all_text_contents()


def is_heard(page: Page) -> bool:
    """Wait until the sound has gone on for a while."""
    goes_on = (
        "player => new Promise(done => { player.ontimeupdate = () => done(player.currentTime) })"
    )
    sound = page.locator("#player audio")
    first: float = sound.evaluate(goes_on)
    later: float = sound.evaluate(goes_on)
    # Where the next track has begun meanwhile, it is less.
    return later != first


def test_the_list_narrows_while_one_types_and_the_address_goes_along(opened: Open) -> None:
    page = opened("/offline?look=files")
    page.evaluate("window.untouched = true")
    expect(page.locator(".row")).to_have_count(5)

    page.get_by_label("Search titles").press_sequentially("noon", delay=20)

    expect(page.locator(".row")).to_have_count(2)
    assert rows(page) == ["Noon again", "Noon"]
    expect(page.locator("#look-files")).to_contain_text("2")
    expect(page.locator("#look-tiles")).to_contain_text("2")
    page.wait_for_url("**/offline?*q=noon*")
    page.locator(".filters summary").click()
    page.get_by_label("Type").select_option("films")
    expect(page.locator(".row")).to_have_count(1)
    assert page.evaluate("window.untouched")
    page.reload()
    assert rows(page) == ["Noon again"]
    expect(page.get_by_label("Search titles")).to_have_value("noon")


def test_without_scripts_it_searches_by_a_button_and_plays_by_a_link(
    chromium: Browser, house: WebHouse, server: WebServer
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(DEADLINE_MS)
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/offline?look=files")
    page.get_by_label("Search titles").fill("noon")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/offline?*q=noon*")
    assert rows(page) == ["Noon again", "Noon"]
    expect(page.locator("#player")).to_be_hidden()

    with page.expect_response("**/media/2") as answer:
        page.get_by_role("link", name=re.compile("^Play Noon")).click()

    assert answer.value.status in {200, 206}
    expect(page.locator("video, audio")).to_have_js_property("readyState", 4)
    context.close()


def test_a_track_plays_in_the_page_and_the_next_one_follows(
    opened: Open, house: WebHouse, files: list[Download]
) -> None:
    page = opened(f"/offline/albums/{ALBUM}")
    answers: list[Response] = []
    page.on("response", lambda one: answers.append(one) if "/media/" in one.url else None)
    assert rows(page) == list(TITLES)

    page.get_by_role("link", name="Play Dawn").focus()
    page.keyboard.press("Enter")

    player = page.get_by_role("region", name="Player")
    expect(player).to_contain_text("Dawn")
    expect(player).to_contain_text("1 of 3")
    expect(player.get_by_role("button", name="The one before")).to_be_disabled()
    # It lasts a second; then the second one plays by itself.
    expect(player).to_contain_text("Noon")
    expect(player).to_contain_text("2 of 3")
    sound = page.locator("#player audio")
    assert is_heard(page)
    expect(sound).to_have_js_property("paused", False)
    assert {one.status for one in answers} == {206}
    assert all("range" in one.request.headers for one in answers)
    used = [house.now(one).last_used_seq > 0 for one in files[:3]]
    assert used == [True, True, False]
    page.get_by_role("button", name="Close the player").click()
    expect(player).to_be_hidden()


def test_what_is_on_two_devices_is_heard_once(opened: Open, house: WebHouse) -> None:
    copy = a_song(house, 1, "Dawn", a_tone(30.0), device=PLAYER)
    page = opened(f"/offline/albums/{ALBUM}")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    expect(page.locator(".row")).to_have_count(4)

    page.locator(f"#play-{copy.id}").click()

    player = page.get_by_role("region", name="Player")
    expect(player).to_contain_text("of 3")
    assert is_heard(page)
    assert [one.rpartition("/")[2] for one in asked if "/media/" in one][-1] == str(copy.id)
    page.get_by_role("link", name="Player", exact=True).click()
    expect(page.locator(".row")).to_have_count(1)


def test_it_goes_on_playing_after_going_back(opened: Open) -> None:
    page = opened(f"/offline/albums/{ALBUM}")
    player = page.get_by_role("region", name="Player")
    page.get_by_role("link", name="Play Dawn").click()
    page.get_by_role("main").get_by_role("link", name="On devices").click()
    expect(page.locator(".tile")).to_have_count(3)
    page.go_back()
    expect(page.get_by_role("heading", name="Evenings")).to_be_visible()

    assert is_heard(page)
    player.get_by_role("button", name="Close the player").click()
    expect(player).to_be_hidden()


def test_what_cannot_be_played_says_why(
    opened: Open, house: WebHouse, trouble: BrowserTrouble
) -> None:
    trouble.announce("^503 GET .*/media/2$", "^404 GET .*/media/item/")
    page = opened(f"/offline/albums/{ALBUM}")
    player = page.get_by_role("region", name="Player")

    page.get_by_role("link", name="Play Dusk").click()
    expect(player).to_contain_text("This browser cannot play this kind of file.")

    house.unplug()
    player.get_by_role("button", name="The one before").click()
    # By then the page may know that the stick is away, and ask Jellyfin for the track.
    away = "Car stick is not there: plug it in and try again"
    expect(player).to_contain_text(re.compile(f"{away}|its file is not there now"))


def test_it_goes_on_playing_while_one_looks_elsewhere(opened: Open) -> None:
    page = opened(f"/offline/albums/{ALBUM}")
    page.get_by_role("link", name="Play Noon").click()
    expect(page.get_by_role("region", name="Player")).to_contain_text("Noon")

    page.get_by_role("main").get_by_role("link", name="On devices").click()
    expect(page.locator(".tile")).to_have_count(3)
    page.get_by_role("link", name="Evenings").click()
    expect(page.get_by_role("heading", name="Evenings")).to_be_visible()
    page.get_by_label("Search titles").fill("dusk")
    expect(page.locator(".tile")).to_have_count(1)

    expect(page.locator("#player audio")).to_have_js_property("paused", False)


def test_a_file_is_pinned_and_let_go_in_place(
    opened: Open, house: WebHouse, files: list[Download]
) -> None:
    def is_pinned() -> bool:
        holds = house.store.holds.of_item(files[0].device_id, files[0].item_id)
        return any(one.reason.rule == PIN and one.release_at is None for one in holds)

    page = opened("/offline?look=files&q=dawn")
    page.evaluate("window.untouched = true")

    page.get_by_role("button", name="Pin Dawn").click()
    # Who goes by keys stays on the button, which now does the opposite.
    expect(page.get_by_role("button", name="Unpin Dawn")).to_be_focused()
    assert is_pinned()
    page.get_by_role("button", name="Unpin Dawn").click()
    expect(page.get_by_role("button", name=re.compile("^Pin Dawn"))).to_be_focused()

    assert not is_pinned()
    assert page.evaluate("window.untouched")
    assert page.url.endswith("/offline?look=files&q=dawn")


@pytest.mark.parametrize("path", ["/offline?look=files", f"/offline/albums/{ALBUM}"])
def test_on_a_phone_a_file_is_one_line_and_tells_the_rest_when_asked(
    opened: Open, house: WebHouse, path: str
) -> None:
    a_song(house, 6, f"{LONG} {LONG}", b"")
    page = opened(path)
    page.set_viewport_size({"width": 360, "height": 740})

    heights = page.locator(".rows > .row").evaluate_all("rows => rows.map(one => one.offsetHeight)")
    assert max(heights) <= 72
    row = page.locator(".rows > .row", has_text="Noon").last
    details = row.locator(".more")
    expect(row.locator(".play-file a")).to_be_visible()
    # The same track on another device is a row of the same title.
    expect(row.locator(".what").get_by_text("Car stick", exact=True)).to_be_visible()
    expect(details).to_be_hidden()
    row.get_by_role("button", name="More about").click()
    for text in ("Evenings", "Car stick", ".wav"):
        expect(details).to_contain_text(text)
    assert list(violations_in(page, THEMES[0])) == []
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 740})
    expect(details).to_be_visible()


def test_on_a_phone_the_player_cuts_off_names_and_no_numbers(opened: Open, house: WebHouse) -> None:
    a_song(house, 6, LONG, a_tone(30.0), artist=LONG)
    page = opened(f"/offline/albums/{ALBUM}")
    page.set_viewport_size({"width": 360, "height": 740})

    page.get_by_role("link", name=f"Play {LONG}").click()

    place = page.locator("#player").get_by_text("1 of 4")
    expect(place).to_be_visible()
    line, shown = page.locator(".playing-now").bounding_box(), place.bounding_box()
    assert line is not None
    assert shown is not None
    assert shown["y"] + shown["height"] <= line["y"] + line["height"]
    assert shown["x"] + shown["width"] <= line["x"] + line["width"]
    # German says longer where it stopped; still these are two lines.
    page.locator("#player audio").evaluate("sound => sound.pause()")
    page.context.add_cookies([{"name": "sidecar_language", "value": "de", "url": page.url}])
    page.reload()
    expect(page.get_by_text("angehalten bei")).to_be_visible()
    after = page.locator(".playing-now").bounding_box()
    assert after is not None
    assert after["height"] <= line["height"]


def test_what_is_removed_next_follows_what_happens_elsewhere(opened: Open, house: WebHouse) -> None:
    file = house.add(8, status=Status.COMPLETED, title="Midnight", rule="queue_ahead")
    page = opened("/offline/next")
    expect(page.get_by_text("Midnight", exact=True)).to_be_visible()
    page.evaluate("window.untouched = true")

    remove(house, file)

    expect(page.get_by_text("Midnight", exact=True)).to_have_count(0)
    assert page.evaluate("window.untouched")


def test_removing_asks_first_and_the_row_goes(
    opened: Open, house: WebHouse, files: list[Download]
) -> None:
    page = opened(f"/offline/albums/{ALBUM}")

    page.get_by_role("link", name="Delete Noon").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Delete this file?")
    question.get_by_role("link", name="Keep it").click()
    expect(question).to_be_hidden()
    assert house.path(files[1]).exists()

    page.get_by_role("link", name="Delete Noon").click()
    question.get_by_role("button", name="Delete").click()
    expect(page.locator(".row")).to_have_count(2)
    assert rows(page) == ["Dawn", "Dusk"]
    assert not house.path(files[1]).exists()


def test_when_the_last_file_of_an_album_goes_the_list_is_shown(
    opened: Open, house: WebHouse, files: list[Download], trouble: BrowserTrouble
) -> None:
    # The news of it may come before the answer that leads away: the album is fetched in vain.
    trouble.announce(f"^404 GET .*/offline/albums/{ALBUM}$")
    remove(house, *files[1:3])
    page = opened(f"/offline/albums/{ALBUM}")

    page.get_by_role("link", name="Delete Dawn").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(page.locator(".tile")).to_have_count(2)
    page.wait_for_url(re.compile(r"/offline(\?done=[^/]*)?$"))


def test_a_file_is_left_out_of_a_rule(opened: Open, house: WebHouse) -> None:
    page = opened(f"/offline/albums/{ALBUM}")

    page.get_by_role("link", name="Never download automatically … Dawn").click()
    question = page.get_by_role("dialog")
    question.get_by_label("All of it, by “Favourites”").check()
    question.get_by_role("button", name="Never download automatically").click()

    expect(question).to_be_hidden()
    expect(page.locator(".row")).to_have_count(3)
    [left_out] = house.services.web.preferences.exclusions(ANN)
    assert (left_out.rule, left_out.item_id) == ("favourites", ALBUM)


def test_no_page_has_to_be_moved_sideways(opened: Open) -> None:
    page = opened()
    for path in PAGES:
        page.goto(page.url.split("/offline")[0] + path)
        if page.locator("a[data-plays]").count():
            page.locator("a[data-plays]").first.click()
        for width in (320, 360, 640, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, width)


def test_nothing_keeps_anybody_out(chromium: Browser, house: WebHouse, server: WebServer) -> None:
    context = chromium.new_context()
    context.set_default_timeout(DEADLINE_MS)
    give_session(context, house, server, EVE)
    page = context.new_page()
    found: list[str] = []
    house.want(1, EVE, rule="favourites", source=ALBUM)
    for path in PAGES:
        page.goto(server.url + path)
        if page.locator("a[data-plays]").count():
            page.locator("a[data-plays]").first.click()
        for width, theme in zip((360, 1280), THEMES, strict=True):
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"{path} at {width}: {one}" for one in violations_in(page, theme)]
    context.close()

    assert found == []


def test_the_player_comes_and_goes(opened: Open) -> None:
    page = opened("/downloads")
    page.goto(page.url.replace("/downloads", f"/offline/albums/{ALBUM}"))
    page.get_by_role("link", name="Play Noon").click()
    assert is_heard(page)
    page.get_by_role("main").get_by_role("link", name="On devices").click()
    expect(page.locator(".tile")).to_have_count(3)
    page.get_by_role("button", name="Close the player").click()


def test_it_plays_on_while_one_goes_through_the_pages(
    opened: Open, house: WebHouse, trouble: BrowserTrouble
) -> None:
    """Page by page in place: the same sound, and everything else as after a page load."""
    page = opened(f"/offline/albums/{ALBUM}")
    sound = page.locator("#player audio")
    page.get_by_role("link", name="Play Noon").click()
    assert is_heard(page)
    page.evaluate("window.untouched = true")

    for name, path in (("Downloads", "/downloads"), ("Devices", "/devices"), ("Home", "/")):
        page.get_by_role("link", name=name, exact=True).first.click()
        page.wait_for_url(re.compile(f"{re.escape(path)}$"))
        expect(page).to_have_title(re.compile(f"{name} · "))
        expect(page.locator("#main")).to_be_focused()
        expect(page.locator("#page-shown")).to_contain_text(name)
        expect(page.locator(".places [aria-current=page]")).to_have_text(name)
    page.go_back()
    expect(page.get_by_role("heading", name="Devices", level=1)).to_be_visible()
    page.go_back()
    expect(page.locator("#downloads")).to_be_visible()

    # The scripts of a page begin when it comes: this one follows what happens.
    house.add(77, title="Just come")
    expect(page.get_by_role("heading", name="Just come")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Completed")).first.click()
    expect(page.get_by_role("heading", name="Dusk")).to_be_visible()
    assert page.evaluate("window.untouched")
    expect(sound).to_have_js_property("paused", False)

    # A form that changes something, and is answered by a page.
    page.get_by_role("button", name="ann", exact=True).click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(sound).to_have_js_property("paused", False)
    assert page.evaluate("window.untouched")


def test_the_queue_is_kept_with_its_place_until_one_signs_out(
    opened: Open, trouble: BrowserTrouble
) -> None:
    page = opened(f"/offline/albums/{ALBUM}")
    player = page.get_by_role("region", name="Media player")
    sound = page.locator("#player audio")
    page.get_by_role("link", name="Play Noon").click()
    assert is_heard(page)

    # The queue, shuffled and not; what plays goes on.
    player.get_by_role("button", name="Shuffle").click()
    expect(player).to_contain_text("1 of 3")
    player.get_by_role("button", name="Shuffle").click()
    expect(player).to_contain_text("2 of 3")
    player.locator(".queued summary").click()
    player.get_by_role("button", name="Remove from the queue: Dawn").click()
    expect(player).to_contain_text("1 of 2")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert list(violations_in_both_themes(page)) == []
    assert page.evaluate("navigator.mediaSession.metadata.title") == "Noon"

    # Its place is remembered in this browser; what was heard a while ago waits for a click.
    sound.evaluate("one => { one.pause(); one.currentTime = 20; }")
    expect(sound).to_have_js_property("seeking", False)
    page.reload()
    expect(player).to_contain_text("Noon")
    expect(player).to_contain_text("stopped at 0:20")
    player.get_by_role("button", name="Resume").click()
    assert is_heard(page)
    assert sound.evaluate("one => one.currentTime") >= 20

    trouble.announce("^401 GET .*/api/v1/session$")
    # It goes with its session: who is next in this browser sees nothing of it.
    page.get_by_role("button", name="ann", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in"))
    page.wait_for_load_state()
    assert page.evaluate("Object.keys(localStorage).some(one => /player/.test(one))") is False


def test_the_service_worker_shows_what_a_push_service_brings_and_opens_its_page(
    chromium: Browser,
) -> None:
    source = 'const HOME = "/sidecar/", VERSION = "1", PAGE = "", FILES = [];\n'
    source += (web_files().static / "vendor" / "service-worker.js").read_text()
    page = chromium.new_page()

    shown, opened = page.evaluate(
        """async (source) => {
            const heard = {}, shown = [], opened = [];
            const self = {
                addEventListener: (name, react) => (heard[name] = react),
                location: { origin: "https://house.example" },
                registration: { showNotification: async (...all) => shown.push(all) },
                clients: { matchAll: async () => [], openWindow: async (one) => opened.push(one) },
            };
            new Function("self", source)(self);
            const event = (rest) => new Promise((done) => {
                heard[rest.name]({ ...rest, waitUntil: (work) => work.then(done) });
            });
            for (const path of ["devices", "", "//evil.example", "../elsewhere"]) {
                const json = () => ({ title: "Jellyfin Sidecar", body: "Noon is here", path });
                await event({ name: "push", data: { json } });
                const notification = { data: { path }, close() {} };
                await event({ name: "notificationclick", notification });
            }
            return [shown, opened];
        }""",
        source,
    )
    page.close()

    home = "https://house.example/sidecar/"
    assert (shown[0][0], shown[0][1]["body"]) == ("Jellyfin Sidecar", "Noon is here")
    assert opened == [f"{home}devices", home, home, home]


def _cut_off(page: Page, url: str) -> None:
    """Take the network away, and open what the service worker shows of a page then."""
    page.context.set_offline(True)

    def is_known() -> bool:
        # A worker that only starts now learns of it a moment after its page.
        page.goto(url)
        return page.get_by_role("heading", name="No connection").is_visible()

    wait_until(is_known, what="the page of a browser without network")


def test_what_is_kept_in_the_browser_plays_without_a_network_and_its_plays_come_home(
    chromium: Browser, house: WebHouse, server: WebServer, trouble: BrowserTrouble
) -> None:
    item = track(2).id
    told = f"/UserItems/{item}/UserData"
    state = {"ItemId": item, "IsFavorite": False}
    house.library(row(2, Name="Noon", RunTimeTicks=4_000_000, UserData=state))
    heart = f"/UserFavoriteItems/{item}"
    house.jellyfin.routes[f"POST {heart}"] = json_reply(state | {"IsFavorite": True})
    house.jellyfin.routes[f"GET {told}"] = json_reply(state)
    house.jellyfin.routes[f"POST {told}"] = json_reply(state | {"PlayCount": 1, "Played": True})
    trouble.announce("^net::ERR_INTERNET_DISCONNECTED", "^net::ERR_FAILED", "WebSocket")
    trouble.announce("^401 GET .*/api/v1/session$")
    context = chromium.new_context(service_workers="allow")
    context.set_default_timeout(DEADLINE_MS)
    # Plays of the future are not believed.
    context.clock.set_fixed_time(house.clock.now())
    give_session(context, house, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/this-browser")
    page.get_by_role("button", name="Keep files in this browser").click()
    [browser] = house.services.web.browsers.all(ANN)
    house.services.web.browsers.choose(ANN, browser.id, item)

    page.reload()
    expect(page.locator("#kept-files")).to_contain_text("Noon")
    expect(page.locator("#kept-used")).not_to_have_text(re.compile("^0 bytes of"))
    expect(page.locator("#kept-trouble")).to_be_empty()
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    page.goto(f"{server.url}/devices")
    expect(page.get_by_role("region", name="Browsers")).to_contain_text("1 file")
    _cut_off(page, f"{server.url}/downloads")

    page.get_by_role("button", name="Favourite: Noon").click()
    expect(page.get_by_role("button", name="Favourite: Noon", pressed=True)).to_be_visible()
    page.get_by_role("link", name="Noon").click()
    assert is_heard(page)
    expect(page.locator("#player audio")).to_have_js_property("error", None)
    assert list(violations_in_both_themes(page)) == []
    # It goes on from its middle: a range of a file that is kept.
    page.locator("#player audio").evaluate("one => (one.currentTime = 20)")
    assert is_heard(page)
    page.get_by_role("button", name="Close the player").click()
    # It notices by itself, and leads to the page that was wanted.
    context.set_offline(False)
    expect(page.locator("#downloads")).to_be_visible()
    page.wait_for_function("() => Object.keys(localStorage).length === 0")
    [play] = house.services.web.playback.plays(ANN, None, 1, 10).items
    assert (play.item_id, play.client) == (item, "Jellyfin Sidecar")
    assert len(house.jellyfin.asked(heart)) == 1

    # Nothing of it is given to who is next here; and it goes where that was asked for.
    page.goto(f"{server.url}/this-browser")
    page.get_by_label("Remove these files when I sign out").check()
    page.get_by_role("button", name="ann", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in"))
    wait_until(lambda: page.evaluate(NUMBER_KEPT) == 0, what="the files to go")
    context.close()
