"""Every page of the running sidecar: it fits, it can be used by everybody, and it is quiet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import PASSWORDS, Person, Sidecar
from tests.fakes.slow_line import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (320, 1280)
PAGES = (
    "/downloads",
    "/downloads?tab=completed&kind=music",
    "/downloads?tab=failed",
    "/downloads?tab=removed",
    "/library",
    "/library?q=tone",
    "/library?q=nothing+of+this+name",
    "/library?shelf=albums&sort=year",
    "/library?shelf=films",
    "/library/{album}",
    "/library/{track}",
    "/library/{artist}",
    "/offline",
    "/offline?look=files",
    "/offline/albums/{album}",
    "/offline/next",
    "/offline?q=nothing",
    "/devices",
    "/devices/{device}",
    "/devices/{device}/found",
    "/devices/{device}/heard",
    "/now",
    "/profile",
    "/admin",
    "/none",
)


@pytest.fixture
def house(sidecar: Sidecar, ann: Person) -> dict[str, str]:
    """A sidecar with something on every page, and what stands for the names in braces."""
    devices = json.loads(sidecar.environ["SIDECAR_DEVICES"])
    other = sidecar.stick.parent / "Player"
    other.mkdir()
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([*devices, {"name": "A", "path": str(other)}])
    sidecar.start()
    wait_until(lambda: "Account  ann" in sidecar.command("status").stdout, what="the sign-in")
    sidecar.get_key("ann")
    tracks = ann.tracks()
    for title in ("Tone 1", "Tone 2"):
        ann.heart(tracks[title])
    ann.report("", tracks["What?"], 3.0)
    for title in ("Tone 1", "Tone 2"):
        sidecar.wait_for(title, "completed")
    return {
        "album": ann.item("First Light", "MusicAlbum"),
        "artist": ann.item("The Sine Waves", "MusicArtist"),
        "track": tracks["Tone 1"],
        "device": sidecar.downloads()[0]["device_id"],
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ann", "admin"])
def test_every_page_fits_is_quiet_and_keeps_nobody_out(
    house: dict[str, str], sidecar: Sidecar, chromium: Browser, name: str, *, dark: bool
) -> None:
    context = chromium.new_context(color_scheme="dark" if dark else "light")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(sidecar.url)
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORDS[name])
    page.keyboard.press("Enter")
    page.wait_for_url("**/downloads*")
    page.wait_for_load_state("networkidle")
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url} {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url} {error}"))
    axe = AXE.read_text(encoding="utf-8")
    found = []
    for path in PAGES:
        answer = page.goto(sidecar.url + path.format(**house))
        assert answer is not None
        expected = 404 if path == "/none" else 403 if (path, name) == ("/admin", "ann") else 200
        assert answer.status == expected, path
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"{path} at {width}: {one}" for one in wrong(page, width, axe)]
    context.close()

    assert found == []
    # The browser itself says that the last ones are not there, or not for everybody.
    assert [one for one in said if "status of 40" not in one] == []


def wrong(page: Page, width: int, axe: str) -> list[str]:
    """Return what is wrong with a page at this width."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    sideways = [f"{wide} pixels wide"] if wide > width else []
    page.evaluate(axe)
    violations = page.evaluate("axe.run().then(result => result.violations)")
    return sideways + [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in violations
        for node in one["nodes"]
    ]
