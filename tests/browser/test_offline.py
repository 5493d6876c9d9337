"""The page "On the device" in a real browser: found, played, kept and removed."""

from __future__ import annotations

import io
import math
import re
import struct
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from sidecar.domain.downloads.actions import Action
from sidecar.events import Bus
from sidecar.services.accounts.person import Person
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.commands import ActionResult, DownloadCommand
from sidecar.services.downloads.undo import UndoService
from sidecar.services.files.browse import KeepReason
from sidecar.web.app import create_app
from sidecar.web.server import WebServer, serve_in_thread
from tests.browser.conftest import DEADLINE_MS, give_session
from tests.browser_trouble import BrowserTrouble
from tests.fakes.actions import FakeActions
from tests.fakes.clock import FakeClock
from tests.fakes.desk import ANN, EVE, FakeDesk
from tests.fakes.library import FakeMedia
from tests.fakes.on_device import ALBUM, AWAY, FakeLeavers, FakeOnDevice, a_file, some_leavers
from tests.fakes.steering import FakeSteering
from tests.fakes.web_services import services_of

pytestmark = pytest.mark.browser

# Not each of the files has bytes to play.
NO_FILE = "^404 GET .*/media/[15]$"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 3
RATE = 8000
STICK = DeviceView("stick", "Car stick", "", None, None, 0, 1, 2)
CARD = DeviceView("card", "Player", "", None, None, 0, 1, 2)
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
def desk() -> FakeDesk:
    desk = FakeDesk()
    desk.shelf = (STICK, CARD)
    return desk


@pytest.fixture
def kept(desk: FakeDesk) -> FakeOnDevice:
    """An album of three, a film on a device that is away, and a series of a very long name."""
    kept = FakeOnDevice(desk)
    heart = KeepReason("favourites", ALBUM, "on your favourite album Evenings", is_wide=True)
    for number, title in enumerate(TITLES, 1):
        kept.add(a_file(number, title=title, holdings=(heart,)))
    film = {"title": "Noon again", "item_type": "Movie", "album": None, "artist": None}
    kept.add(a_file(4, tile=f"{4:032x}", sight=AWAY, **film))
    kept.add(
        a_file(5, tile=f"series:{LONG}", item_type="Episode", title=LONG, artist=LONG, album=None)
    )
    return kept


@pytest.fixture
def sounds(tmp_path: Path) -> FakeMedia:
    sounds = FakeMedia(tmp_path, mime_type="audio/wav")
    sounds.add(ANN, 1, a_tone(1.0))
    sounds.add(ANN, 2, a_tone(30.0))
    sounds.add(ANN, 3, b"this is no sound at all")
    return sounds


class Removing(FakeActions):
    """Lets what is deleted be gone, on the page as well; the rest is as in `FakeActions`."""

    def __init__(self, desk: FakeDesk, kept: FakeOnDevice) -> None:
        super().__init__(desk)
        self.kept = kept

    def act(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        outcome = super().act(person, download_id, order)
        if order.action is Action.DELETE:
            self.kept.files_of.pop(download_id, None)
        return outcome


@pytest.fixture
def doing(desk: FakeDesk, kept: FakeOnDevice) -> Removing:
    return Removing(desk, kept)


@pytest.fixture
def server(
    desk: FakeDesk, kept: FakeOnDevice, sounds: FakeMedia, doing: Removing
) -> Iterator[WebServer]:
    undoing = UndoService(lambda _person, _reversal: True, FakeClock())
    services = services_of(
        desk,
        files=kept,
        eviction_preview=FakeLeavers([some_leavers(device_name=LONG)]),
        preferences=FakeSteering(),
        undo=undoing,
        actions=doing,
        media=sounds,
    )
    web = create_app(services, Bus())
    server = WebServer(web.wsgi, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    yield server
    web.live.stop()
    server.stop()
    thread.join(5)


Open = Callable[..., Page]


@pytest.fixture
def opened(context: BrowserContext, desk: FakeDesk, server: WebServer) -> Open:
    def open_page(path: str = "/offline", person: Person = ANN) -> Page:
        give_session(context, desk, server, person)
        page = context.new_page()
        page.goto(server.url + path)
        return page

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
    return later > first


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
    page.locator("summary").click()
    page.get_by_label("Kind").select_option("films")
    expect(page.locator(".row")).to_have_count(1)
    assert page.evaluate("window.untouched")
    page.reload()
    assert rows(page) == ["Noon again"]
    expect(page.get_by_label("Search titles")).to_have_value("noon")


def test_without_scripts_it_searches_by_a_button_and_plays_by_a_link(
    chromium: Browser, desk: FakeDesk, server: WebServer
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(DEADLINE_MS)
    give_session(context, desk, server, ANN)
    page = context.new_page()
    page.goto(f"{server.url}/offline?look=files")
    page.get_by_label("Search titles").fill("noon")
    page.get_by_role("button", name="Search").click()
    assert rows(page) == ["Noon again", "Noon"]
    expect(page.locator("#player")).to_be_hidden()

    with page.expect_response("**/media/2") as answer:
        page.get_by_role("link", name="Play Noon", exact=True).click()

    assert answer.value.status in {200, 206}
    expect(page.locator("video, audio")).to_have_js_property("readyState", 4)
    context.close()


def test_a_track_plays_in_the_page_and_the_next_one_follows(
    opened: Open, sounds: FakeMedia
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
    assert set(sounds.used) == {1, 2}
    page.get_by_role("button", name="Close the player").click()
    expect(player).to_be_hidden()


def test_what_is_on_two_devices_is_heard_once(
    opened: Open, kept: FakeOnDevice, sounds: FakeMedia
) -> None:
    copy = {"item_id": f"{1:032x}", "title": "Dawn", "device_id": "card", "device_name": "Player"}
    kept.add(a_file(6, **copy))
    sounds.add(ANN, 6, a_tone(30.0))
    page = opened(f"/offline/albums/{ALBUM}")
    expect(page.locator(".row")).to_have_count(4)

    page.locator("#play-6").click()

    player = page.get_by_role("region", name="Player")
    expect(player).to_contain_text("3 of 3")
    assert is_heard(page)
    assert sounds.used[-1] == 6
    page.get_by_role("link", name="Player", exact=True).click()
    expect(page.locator(".row")).to_have_count(1)


def test_it_goes_on_playing_after_going_back(opened: Open) -> None:
    page = opened(f"/offline/albums/{ALBUM}")
    player = page.get_by_role("region", name="Player")
    page.get_by_role("link", name="Play Dawn").click()
    page.get_by_role("link", name="Everything on the device").click()
    expect(page.locator(".tile")).to_have_count(3)
    page.go_back()
    expect(page.get_by_role("heading", name="Evenings")).to_be_visible()

    assert is_heard(page)
    player.get_by_role("button", name="Close the player").click()
    expect(player).to_be_hidden()


def test_what_cannot_be_played_says_why(
    opened: Open, sounds: FakeMedia, trouble: BrowserTrouble
) -> None:
    trouble.announce("^503 GET .*/media/2$")
    page = opened(f"/offline/albums/{ALBUM}")
    player = page.get_by_role("region", name="Player")

    page.get_by_role("link", name="Play Dusk").click()
    expect(player).to_contain_text("This browser cannot play this kind of file.")

    sounds.away.add(2)
    player.get_by_role("button", name="The one before").click()
    expect(player).to_contain_text("Car stick is not there: plug it in and try again")


def test_it_goes_on_playing_while_one_looks_elsewhere(opened: Open) -> None:
    page = opened(f"/offline/albums/{ALBUM}")
    page.get_by_role("link", name="Play Noon").click()
    expect(page.get_by_role("region", name="Player")).to_contain_text("Noon")

    page.get_by_role("link", name="Everything on the device").click()
    expect(page.locator(".tile")).to_have_count(3)
    page.get_by_role("link", name="Evenings").click()
    expect(page.get_by_role("heading", name="Evenings")).to_be_visible()
    page.get_by_label("Search titles").fill("dusk")
    expect(page.locator(".tile")).to_have_count(1)

    expect(page.locator("#player audio")).to_have_js_property("paused", False)


def test_a_file_is_pinned_and_let_go_in_place(opened: Open, kept: FakeOnDevice) -> None:
    page = opened("/offline?look=files&q=dawn")
    page.evaluate("window.untouched = true")

    page.get_by_role("button", name="Pin Dawn").click()
    expect(page.get_by_role("button", name="Unpin Dawn")).to_be_visible()
    page.get_by_role("button", name="Unpin Dawn").click()
    expect(page.get_by_role("button", name="Pin Dawn", exact=True)).to_be_visible()

    assert kept.pressed == [("ann", "keep", 1), ("ann", "let go", 1)]
    assert page.evaluate("window.untouched")
    assert page.url.endswith("/offline?look=files&q=dawn")


def test_removing_asks_first_and_the_row_goes(opened: Open, doing: Removing) -> None:
    page = opened(f"/offline/albums/{ALBUM}")

    page.get_by_role("link", name="Delete Noon").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Delete this file?")
    question.get_by_role("link", name="Keep it").click()
    expect(question).to_be_hidden()
    assert doing.orders == []

    page.get_by_role("link", name="Delete Noon").click()
    question.get_by_role("button", name="Delete").click()
    expect(page.locator(".row")).to_have_count(2)
    assert rows(page) == ["Dawn", "Dusk"]
    assert [order.action for _, _, order in doing.orders] == [Action.DELETE]


def test_when_the_last_file_of_an_album_goes_the_list_is_shown(
    opened: Open, kept: FakeOnDevice
) -> None:
    for number in (2, 3):
        kept.files_of.pop(number)
    page = opened(f"/offline/albums/{ALBUM}")

    page.get_by_role("link", name="Delete Dawn").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(page.locator(".tile")).to_have_count(2)
    page.wait_for_url(re.compile(r"/offline(\?done=[^/]*)?$"))


def test_a_file_is_left_out_of_a_rule(opened: Open) -> None:
    page = opened(f"/offline/albums/{ALBUM}")

    page.get_by_role("link", name="Leave out of a rule Dawn").click()
    question = page.get_by_role("dialog")
    question.get_by_label("All of it, out of “Favourites”").check()
    question.get_by_role("button", name="Leave it out").click()

    expect(question).to_be_hidden()
    expect(page.locator(".row")).to_have_count(3)


@pytest.mark.parametrize("width", [320, 360, 640, 1280])
def test_no_page_has_to_be_moved_sideways(
    opened: Open, width: int, trouble: BrowserTrouble
) -> None:
    trouble.announce(NO_FILE)
    page = opened()
    page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        page.goto(page.url.split("/offline")[0] + path)
        if page.locator("a[data-plays]").count():
            page.locator("a[data-plays]").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_keeps_anybody_out(
    chromium: Browser,
    server: WebServer,
    desk: FakeDesk,
    axe: str,
    trouble: BrowserTrouble,
    *,
    width: int,
    dark: bool,
) -> None:
    trouble.announce(NO_FILE)
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        bypass_csp=True,
    )
    context.set_default_timeout(DEADLINE_MS)
    give_session(context, desk, server, EVE)
    page = context.new_page()
    found: list[str] = []
    for path in PAGES:
        page.goto(server.url + path)
        if page.locator("a[data-plays]").count():
            page.locator("a[data-plays]").first.click()
        page.evaluate(axe)
        violations = page.evaluate("axe.run().then(result => result.violations)")
        found += [
            f"{path} {one['id']}: {node['html'][:120]} {node['failureSummary']}"
            for one in violations
            for node in one["nodes"]
        ]
    context.close()

    assert found == []


def test_the_player_comes_and_goes(opened: Open) -> None:
    page = opened("/downloads")
    page.goto(page.url.replace("/downloads", f"/offline/albums/{ALBUM}"))
    page.get_by_role("link", name="Play Noon").click()
    assert is_heard(page)
    page.get_by_role("link", name="Everything on the device").click()
    expect(page.locator(".tile")).to_have_count(3)
    page.get_by_role("button", name="Close the player").click()
