"""Set-up, settings and the editor of devices in a real browser, on the demo, by its owner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from sidecar.clock import SystemClock
from sidecar.device.drives import DevicePlaces, Drive
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.web.pages.admin.settings import GROUPS
from sidecar.web.server import WebServer
from tests.browser.accessibility import THEMES, Theme, violations_in
from tests.browser.conftest import SignedIn
from tests.browser.trouble import BrowserTrouble
from tests.e2e.browser.page_walk import Walker
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import EVE, WebHouse, web_house

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETTINGS = [f"/settings/{one}" for one in GROUPS]
FURTHER = [
    "/setup",
    "/settings/first-rules",
    "/devices/add",
    "/devices/add?first=yes",
    "/devices/add?path={drive}",
    "/devices/add?browse={drive}",
    "/devices/edit?device={device}",
]


WRITE_DOWN = """() => {
    const place = document.getElementById("trying");
    const write = () => sessionStorage.setItem("tried", place.textContent);
    new MutationObserver(write).observe(place, { childList: true });
}"""


@pytest.fixture
def drive(quick_path: Path) -> Path:
    folder = quick_path / "media" / "SANDISK"
    (folder / "Music").mkdir(parents=True)
    return folder


@pytest.fixture
def house(quick_path: Path, drive: Path) -> Iterator[WebHouse]:
    """The demo, with a drive that was just plugged in."""
    clock = FakeClock()
    shown = [Drive(drive, "SANDISK", "vfat", 58 * 10**9, 58 * 10**9, can_write=True)]
    places = DevicePlaces(roots=lambda: (drive.parent,), drives=lambda: shown)
    set_up = SetUpService(lambda *_kept: "a session", clock)
    with web_house(
        quick_path, clock, web_clock=SystemClock(), places=places, set_up=set_up
    ) as built:
        yield built


def wrong(page: Page, width: int, theme: Theme) -> list[str]:
    """Return what is wrong with a page: too wide, or not for everybody."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{wide} wide"] * (wide > width) + violations_in(page, theme)


def test_every_page_of_them_fits_and_is_for_everybody(
    signed_in: SignedIn, server: WebServer, drive: Path
) -> None:
    page = signed_in(EVE, "/settings")
    found: list[str] = []
    for path in (*SETTINGS, *FURTHER):
        answer = page.goto(server.url + path.format(drive=drive, device=STICK))
        assert answer is not None
        assert answer.status == 200, path
        for width, theme in zip((320, 1280), THEMES, strict=True):
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"{path} at {width}: {one}" for one in wrong(page, width, theme)]

    assert found == []


def names_of_fields(page: Page) -> list[tuple[str, str]]:
    """Return role and name of every field, as a screen reader is told them."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    told = [(one["role"]["value"], one["name"]["value"]) for one in nodes if one.get("name")]
    return [one for one in told if one[0] in {"checkbox", "combobox", "slider", "textbox"}]


def test_no_two_fields_of_a_page_have_the_same_name(signed_in: SignedIn, server: WebServer) -> None:
    page = signed_in(EVE, "/settings")
    found: list[str] = []
    for path in (*SETTINGS, f"/devices/{STICK}", "/profile", "/profile/notifications"):
        page.goto(server.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        told = names_of_fields(page)
        assert told, path
        found += [f"{path}: {one}" for one in sorted({one for one in told if told.count(one) > 1})]

    assert found == []


def test_a_rules_switch_is_called_by_its_rule(signed_in: SignedIn) -> None:
    page = signed_in(EVE, "/settings/rules")

    expect(page.get_by_role("checkbox", name="Favourites On", exact=True)).to_be_visible()


def test_every_control_of_them_does_something(
    signed_in: SignedIn, context: BrowserContext, server: WebServer
) -> None:
    signed_in(EVE, "/settings").close()
    walker = Walker(context, server.url, "eve")
    walker.begin()

    for path in (*SETTINGS, "/settings/first-rules", "/devices/add", f"/devices/{STICK}"):
        walker.walk(path, 360, with_frame=False)

    assert walker.dead == []
    assert walker.used > 60


def test_on_a_phone_what_saves_is_above_the_navigation(signed_in: SignedIn, drive: Path) -> None:
    page = signed_in(EVE, f"/devices/add?path={drive}")
    page.set_viewport_size({"width": 360, "height": 500})
    edges = page.evaluate(
        """() => [".save", ".places"].map((one) => document.querySelector(one))
        .map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])"""
    )

    (_, save_ends), (navigation_begins, _) = edges
    assert save_ends <= navigation_begins


def test_a_new_drive_offers_itself_on_every_page_until_somebody_says_no(
    signed_in: SignedIn, server: WebServer, drive: Path
) -> None:
    page = signed_in(EVE, "/downloads")
    offer = page.get_by_text("SANDISK, 58.0 GB, was plugged in: use it as a device?")
    expect(offer).to_be_visible()
    page.get_by_role("link", name="Use it as a device SANDISK").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("SANDISK")

    page.goto(f"{server.url}/offline")
    page.get_by_role("button", name="No SANDISK").click()

    page.wait_for_url("**/offline")
    expect(offer).to_have_count(0)
    page.goto(f"{server.url}/devices/add")
    expect(page.get_by_role("link", name="SANDISK")).to_be_visible()


def test_the_settings_of_the_demo_lead_to_the_set_up(signed_in: SignedIn) -> None:
    page = signed_in(EVE, "/settings/jellyfin")

    page.get_by_role("link", name="Set up with your own Jellyfin").click()

    expect(page.get_by_role("heading", name="Set up Jellyfin Sidecar")).to_be_visible()


def test_the_set_up_leads_from_the_address_over_the_device_to_the_rules(
    signed_in: SignedIn, house: WebHouse, server: WebServer, drive: Path, trouble: BrowserTrouble
) -> None:
    trouble.announce("^422 POST .*/setup/server$")
    page = signed_in(EVE, "/setup")
    expect(page.get_by_role("heading", name="Set up Jellyfin Sidecar")).to_be_visible()
    expect(page.get_by_role("link", name="Try the demo instead")).to_be_visible()
    page.get_by_label("Its address").fill("127.0.0.1:9")
    # What is said while an answer is waited for; nobody can ask a page that is on its way.
    page.evaluate(WRITE_DOWN)
    page.get_by_role("button", name="Test and go on").click()
    refused = page.get_by_role("alert").filter(has_text="nothing listens on port 9")
    expect(refused).to_be_visible()
    assert "Trying 127.0.0.1:9" in page.evaluate("sessionStorage.getItem('tried')")
    page.get_by_label("Its address").fill(house.jellyfin.url)
    page.get_by_role("button", name="Test and go on").click()
    expect(page.get_by_text("Attic, Jellyfin 12.0.0")).to_be_visible()

    page.goto(f"{server.url}/devices/add?first=yes")
    page.get_by_role("link", name="SANDISK").last.click()
    page.get_by_role("button", name="Add the device").click()

    expect(page.get_by_role("heading", name="What is downloaded automatically?")).to_be_visible()
    page.get_by_label("Newly added").check()
    page.get_by_role("button", name="Save and finish").click()
    page.wait_for_url(f"{server.url}/")
    assert house.services.configuration.now().rules.latest.enabled  # type: ignore[attr-defined]
    assert house.services.configuration.now().devices[-1].path == drive
