"""The page on which an admin accepts another Jellyfin server, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from sidecar.events import Bus
from sidecar.web.app import create_app
from tests.services.identity.house import moving_house, tracks
from tests.web.house import serving

pytestmark = pytest.mark.browser

# The cells in which names would stand letter by letter.
NARROW = """() => [...document.querySelectorAll(".pairs :is(dt, dd)")]
  .filter((one) => one.getBoundingClientRect().width < 80).map((one) => one.textContent)"""


def test_the_preview_can_be_read_and_accepted_on_a_phone(
    quick_path: Path, context: BrowserContext
) -> None:
    with moving_house(quick_path, tracks(4)) as house:
        admin = house.person("admin")
        house.person("ann")
        house.fill(*house.items())
        house.install_anew("9" * 32, media_root="/mnt/other", tracks=house.listing["tracks"][1:])
        with serving(create_app(house.services.web, Bus(), clock=house.clock)) as server:
            secret = house.store.sessions.begin(admin.user_id, address_prefix="192.168.1")
            context.add_cookies([{"name": "sidecar_session", "value": secret, "url": server.url}])
            page = context.new_page()
            page.set_viewport_size({"width": 360, "height": 740})
            page.goto(f"{server.url}/admin/server")
            page.get_by_label("Name").fill("admin")
            page.get_by_label("Password").fill("admin")
            page.get_by_role("button", name="Look").click()

            expect(page.get_by_text("There as a new entry: they follow")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert page.evaluate(NARROW) == []
            page.get_by_role("button", name="Accept").click()
            # Everybody signs in again.
            expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
