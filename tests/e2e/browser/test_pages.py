"""The whole product through real browsers: what a household does with its pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.trouble import BrowserTrouble
from tests.e2e.conftest import PASSWORDS, Person, Sidecar
from tests.e2e.proxies.conftest import BASE_URL, leads_to, printed, server_block
from tests.fakes.servers.nginx import run_nginx
from tests.fakes.servers.slow_line import SlowLine
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(400)]

SLOW = 2_000_000  # bytes a second: Long Noise takes twenty seconds
STANDSTILL = 5_000  # nothing arrives before it is looked at


@contextmanager
def at_home(chromium: Browser, url: str, name: str, **options: object) -> Iterator[Page]:
    """A browser of somebody's own, signed in."""
    context = chromium.new_context(**options)  # type: ignore[arg-type]  # as playwright takes them
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(f"{url.rstrip('/')}/downloads")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORDS[name])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Downloads")).to_be_visible()
    page.wait_for_load_state("networkidle")
    yield page
    context.close()


def test_two_browsers_are_in_step(
    running: Sidecar, ann: Person, line: SlowLine, chromium: Browser
) -> None:
    line.bytes_a_second = SLOW
    with (
        at_home(chromium, running.url, "ann") as desk,
        at_home(chromium, running.url, "ann", viewport={"width": 360, "height": 780}) as phone,
    ):
        ann.heart(ann.tracks()["Long Noise"])
        for page in (desk, phone):
            expect(page.locator(".row")).to_contain_text("Downloading")
            expect(page.locator(".row")).to_contain_text("your favourite")

        phone.get_by_role("button", name="Pause Long Noise").click()
        expect(desk.locator(".row")).to_contain_text("Paused")
        desk.get_by_role("button", name="Resume Long Noise").click()
        expect(phone.locator(".row")).to_contain_text("Downloading")

        desk.get_by_role("button", name="More about Long Noise").click()
        desk.get_by_role("link", name="Cancel Long Noise").click()
        desk.get_by_role("button", name="Cancel download").click()
        for page in (desk, phone):
            expect(page.get_by_role("link", name="Active 0")).to_be_visible()
        assert running.downloads() == []


def test_what_was_deleted_on_one_is_fetched_again_on_the_other(
    running: Sidecar, ann: Person, chromium: Browser
) -> None:
    with (
        at_home(chromium, running.url, "ann") as desk,
        at_home(chromium, running.url, "ann", locale="de-DE") as phone,
    ):
        ann.heart(ann.tracks()["Tone 2"])
        desk.get_by_role("link", name="Completed 1").click()
        desk.get_by_role("link", name="Delete Tone 2").click()
        desk.get_by_role("button", name="Delete", exact=True).click()

        phone.get_by_role("link", name="Entfernt 1").click()
        phone.get_by_role("button", name="Noch einmal laden Tone 2").click()

        expect(desk.get_by_role("link", name="Completed 1")).to_be_visible()
        expect(desk.locator(".row")).to_contain_text("downloaded by you")


def test_an_admin_sees_whose_it_is_and_nobody_else_sees_it_at_all(
    running: Sidecar, ann: Person, chromium: Browser
) -> None:
    with (
        at_home(chromium, running.url, "admin") as admin,
        at_home(chromium, running.url, "kid") as kid,
    ):
        ann.heart(ann.tracks()["Tone 2"])

        admin.get_by_role("link", name="Completed 1").click()
        expect(admin.locator(".row")).to_contain_text("your favourite (ann)")
        admin.get_by_text("Filter and sort").click()
        admin.get_by_label("admin", exact=True).check()
        expect(admin.get_by_text("Nothing matches")).to_be_visible()
        admin.get_by_label("ann", exact=True).check()
        expect(admin.locator(".row")).to_contain_text("Tone 2")

        kid.reload()
        for tab in ("Active 0", "Completed 0", "Failed 0", "Removed 0"):
            expect(kid.get_by_role("link", name=tab)).to_be_visible()
        assert "Tone 2" not in kid.content()


def test_an_album_is_found_downloaded_and_watched_until_it_is_there(
    running: Sidecar, ann: Person, line: SlowLine, chromium: Browser
) -> None:
    with (
        at_home(chromium, running.url, "ann") as page,
        at_home(chromium, running.url, "ann", viewport={"width": 360, "height": 780}) as phone,
    ):
        page.get_by_role("link", name="Library").click()
        page.get_by_label("Search all of Jellyfin").fill("first l")
        # Only then: what is found takes the address of the page, and with it the way of a link.
        expect(page).to_have_url(re.compile("q=first"))
        page.get_by_role("link", name="First Light").first.click()
        phone.goto(page.url)
        line.bytes_a_second = STANDSTILL
        page.get_by_role("button", name="Download First Light").click()

        # The button changes where it stands, here and on the phone.
        expect(page.locator("#done")).to_contain_text("First Light: 4 files are queued for")
        expect(page.locator(".get.large")).to_contain_text("Downloading")
        expect(phone.locator(".get.large")).to_contain_text("Downloading")
        noise = phone.locator(".track", has_text="Long Noise")
        expect(noise.locator(".ring")).to_be_visible()
        on_page = page.locator(".track", has_text="Long Noise")
        on_page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#done")).to_contain_text("1 download is cancelled.")
        expect(on_page.get_by_role("button", name="Download Long Noise")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#done")).to_contain_text("It is undone.")
        expect(on_page.get_by_role("button", name="Cancel")).to_be_visible()
        line.bytes_a_second = None
        expect(phone.locator(".get.large")).to_contain_text("On the device")
        expect(phone.get_by_role("link", name="On the device Tone 2")).to_be_visible()
        expect(page.locator(".get.large")).to_contain_text("On the device")

        # What is here already leads to its row.
        phone.get_by_role("link", name="On the device Tone 2").click()
        expect(phone.locator(".row:target")).to_contain_text("Tone 2")


@pytest.mark.parametrize("way", ["typing", "Enter", "button", "no scripts"])
def test_the_library_is_searched_on_a_narrow_phone(
    sidecar: Sidecar, ann: Person, chromium: Browser, tmp_path: Path, way: str
) -> None:
    (tmp_path / "Player").mkdir()
    known = json.loads(sidecar.environ["SIDECAR_DEVICES"])
    other = {"name": "Player", "path": str(tmp_path / "Player")}
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([*known, other])
    sidecar.start()
    size = {"width": 320, "height": 640}
    scripts = way != "no scripts"
    with at_home(chromium, sidecar.url, "ann", viewport=size, java_script_enabled=scripts) as page:
        page.goto(f"{sidecar.url}/library?shelf=tracks&sort=year")
        page.get_by_label("Download to").focus()
        with page.expect_response("**/library?*"):
            page.get_by_label("Download to").select_option(label="Player")
            if not scripts:
                page.locator(".for-device", has_text="Download to").get_by_role("button").click()
        if scripts:
            expect(page.get_by_label("Download to")).to_be_focused()
        page.get_by_label("Search all of Jellyfin").fill("noise")
        if way == "Enter":
            page.keyboard.press("Enter")
        elif way != "typing":
            page.get_by_role("button", name="Search").click()

        expect(page.locator(".track h3")).to_have_text(["Long Noise"])
        expect(page.get_by_label("Download to").locator(":checked")).to_have_text("Player")
        asked = dict(parse_qsl(urlsplit(page.url).query))
        assert asked == {"q": "noise", "shelf": "tracks", "sort": "year"}
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_search_that_fails_says_so(
    running: Sidecar, line: SlowLine, chromium: Browser, trouble: BrowserTrouble
) -> None:
    trouble.announce("^50[23] GET .*/library", "htmx:response:error")
    with at_home(chromium, running.url, "ann") as page:
        page.goto(f"{running.url}/library")
        line.lead_to(free_port())
        line.cut()
        page.get_by_label("Search all of Jellyfin").fill("tone")

        expect(page.get_by_role("heading", name="Jellyfin is unreachable")).to_be_visible()
        assert page.url.endswith("/library?q=tone")


def test_tracks_are_chosen_and_hearts_are_pressed_in_the_library(
    running: Sidecar, ann: Person, chromium: Browser
) -> None:
    tracks = ann.tracks()
    with at_home(chromium, running.url, "ann") as page:
        page.goto(f"{running.url}/library/{ann.item('First Light', 'MusicAlbum')}")
        expect(page.get_by_role("button", name="Download selected")).to_be_hidden()
        page.get_by_label("Select Tone 2").check()
        page.get_by_label("Select What?").check()
        expect(page.get_by_text("2 selected")).to_be_visible()
        page.get_by_role("button", name="Download selected").click()
        expect(page.get_by_role("link", name="On the device Tone 2")).to_be_visible()
        expect(page.get_by_role("link", name="On the device What?")).to_be_visible()

        heart = page.get_by_role("button", name="Favourite: Tone 1")
        heart.click()
        expect(heart).to_have_attribute("aria-pressed", "true")
        expect(heart).to_be_focused()
        running.wait_for("Tone 1", "completed")
        assert ann.has_heart(tracks["Tone 1"])
        assert {one["title"] for one in running.downloads()} == {"Tone 1", "Tone 2", "What?"}
        expect(page.get_by_role("link", name="On the device Tone 1")).to_be_visible()


def test_the_page_comes_back_after_a_restart(
    sidecar: Sidecar, ann: Person, chromium: Browser, trouble: BrowserTrouble
) -> None:
    trouble.announce(
        "WebSocket connection to",
        r"^(net::ERR_[A-Z_]+|503) GET .*/(socket\.io/|alerts|api/v1/session)",
    )
    sidecar.environ["SIDECAR_SERVER__PORT"] = str(free_port())
    sidecar.start()
    with at_home(chromium, sidecar.url, "ann") as page:
        sidecar.stop()
        expect(page.locator("#offline")).to_contain_text("Trying again")
        ann.heart(ann.tracks()["Tone 1"])
        sidecar.start()

        expect(page.locator("#offline")).to_be_hidden()
        expect(page.get_by_role("link", name="Completed 1")).to_be_visible()


def test_everything_works_behind_a_proxy_under_a_path_of_its_own(
    sidecar: Sidecar, ann: Person, chromium: Browser, tmp_path: Path
) -> None:
    target, port = free_port(), free_port()
    sidecar.environ |= {
        "SIDECAR_SERVER__PORT": str(target),
        "SIDECAR_SERVER__BASE_URL": BASE_URL,
        "SIDECAR_SERVER__TRUSTED_PROXIES": "127.0.0.1",
    }
    sidecar.start()
    block, _ = printed("nginx")
    url = f"http://127.0.0.1:{target}"
    with (
        run_nginx(tmp_path, server_block(port, leads_to(block, url), tls="")),
        at_home(chromium, f"http://127.0.0.1:{port}{BASE_URL}/", "ann") as page,
    ):
        lines: list[str] = []
        page.on("websocket", lambda line: lines.append(line.url))
        page.reload()
        expect(page.get_by_role("link", name="Active 0")).to_be_visible()
        ann.heart(ann.tracks()["Tone 2"])

        page.get_by_role("link", name="Completed 1").click()
        expect(page.locator(".row")).to_contain_text("Tone 2")
        page.get_by_role("link", name="Devices", exact=True).click()
        expect(page.get_by_role("heading", name="Car stick")).to_be_visible()
        live = f"ws://127.0.0.1:{port}{BASE_URL}/socket.io/?EIO=4&transport=websocket"
        assert set(lines) == {live}
        outside = requests.get(f"{url}/downloads", timeout=PATIENCE_S)
        assert outside.status_code == 404
