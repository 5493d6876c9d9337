"""A device that the settings name no more is on no page, but where an admin can forget it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser.test_pages import at_home
from tests.e2e.conftest import Person, Sidecar
from tests.fakes.servers.slow_line import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(400)]

OLD = "Old stick"
# Where something of a device is shown or counted.
PAGES = (
    "/",
    "/downloads",
    "/downloads?tab=completed",
    "/downloads?tab=failed",
    "/offline",
    "/offline?look=files",
    "/offline/next",
    "/now",
    "/activity/charts",
)


def test_a_device_that_was_removed_from_the_settings_haunts_no_page(
    sidecar: Sidecar, ann: Person, chromium: Browser, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    [stick] = json.loads(sidecar.environ["SIDECAR_DEVICES"])
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([stick, {"name": OLD, "path": str(old)}])
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")
    ann.heart(ann.tracks()["Tone 1"])
    # What comes next on the album is on both as well.
    ann.report("", ann.tracks()["Tone 2"], 3.0)

    def there() -> list[str]:
        return [one["title"] for one in sidecar.downloads(status="completed")]

    wait_until(lambda: there().count("Tone 1") == len({OLD, stick["name"]}), what="both devices")
    with at_home(chromium, sidecar.url, "ann") as page:
        page.goto(f"{sidecar.url}/offline?look=files")
        expect(page.locator("#main")).to_contain_text(OLD)
    sidecar.stop()
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps([stick])
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    here = there()

    with at_home(chromium, sidecar.url, "ann") as page:
        for path in PAGES:
            page.goto(sidecar.url + path)
            expect(page.locator("#main")).not_to_contain_text(OLD)
        page.goto(f"{sidecar.url}/downloads?tab=completed&albums=no")
        expect(page.get_by_role("link", name=f"Completed {len(here)}")).to_be_visible()
        expect(page.locator(".row")).to_have_count(len(here))

    with at_home(chromium, sidecar.url, "admin") as page:
        page.goto(f"{sidecar.url}/devices")
        unused = page.get_by_role("region", name="Not in use any more")
        unused.get_by_role("link", name=f"Forget it … {OLD}").click()
        page.get_by_role("button", name="Remove, files stay on it").click()
        page.get_by_role("button", name="Remove the device").click()
        expect(page.get_by_role("heading", name="Devices")).to_be_visible()
        expect(page.locator("#main")).not_to_contain_text(OLD)
    assert list(old.rglob("*.flac")), "its files are the person's"
