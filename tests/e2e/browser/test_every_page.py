"""Every page of the running sidecar: it fits, it can be used by everybody, and it is quiet.

A person and an admin see each at both widths and in both themes: what the one sees in the light the
other sees in the dark. `SIDECAR_LOOKS=all` shows each of them all four.
"""

from __future__ import annotations

import os
import re
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import THEMES, Theme, violations_in
from tests.browser.trouble import BrowserTrouble
from tests.e2e.conftest import PASSWORDS, Sidecar

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]

WIDTHS = (320, 1280)
ALL_LOOKS = tuple(product(WIDTHS, THEMES))
LOOKS: dict[str, tuple[tuple[int, Theme], ...]] = {
    "ann": ((320, "light"), (1280, "dark")),
    "admin": ((320, "dark"), (1280, "light")),
}
SHOWS_ALL = os.environ.get("SIDECAR_LOOKS") == "all"
PAGES = (
    "/",
    "/downloads",
    "/downloads?tab=completed&kind=music",
    "/downloads?albums=yes",
    "/downloads?tab=failed",
    "/downloads?tab=removed",
    "/downloads/{download}/history",
    "/library",
    "/library?q=tone",
    "/library?q=nothing+of+this+name",
    "/library?shelf=albums&sort=year",
    "/library?shelf=films",
    "/library?shelf=artists&initial=T&missing=yes",
    "/library/{track}/why",
    "/library/filters",
    "/library/filters/new",
    "/activity",
    "/activity/plays",
    "/activity/charts",
    "/activity/replay",
    "/library/{album}",
    "/library/{track}",
    "/library/{artist}",
    "/offline",
    "/offline?look=files",
    "/offline/albums/{album}",
    "/offline/next",
    "/offline?q=nothing",
    "/devices",
    "/devices/add",
    "/devices/edit?device={device}",
    "/devices/{device}",
    "/devices/{device}/found",
    "/devices/{device}/heard",
    "/devices/{device}/lists",
    "/devices/{device}/player",
    "/now",
    "/this-browser",
    "/without-network",
    "/profile",
    "/profile/notifications",
    "/help",
    "/help/architecture",
    "/about",
    "/keys",
    "/admin",
    "/admin/checks",
    "/admin/log",
    "/admin/webhooks",
    "/admin/machines",
    "/admin/tasks",
    "/settings",
    "/none",
)
FOR_ADMINS = re.compile(r"/(admin|settings|devices/(add|edit))\b")
KEPT_OUT = rf"^403 GET http://[^/]+{FOR_ADMINS.pattern}"
# This page looks again and again whether the sidecar is back, and goes on by itself: it is.
STAY = "for (let last = setInterval(() => {}, 1e9); last > 0; last -= 1) clearInterval(last);"


def test_every_page_fits_is_quiet_and_keeps_nobody_out(
    house: dict[str, str], sidecar: Sidecar, chromium: Browser, trouble: BrowserTrouble
) -> None:
    trouble.announce("^404 GET .*/none$", KEPT_OUT)
    found = []
    for name, shared in LOOKS.items():
        context = chromium.new_context()
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto(sidecar.url)
        page.locator("[name=username]").fill(name)
        page.locator("[name=password]").fill(PASSWORDS[name])
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r":\d+/$"))
        page.wait_for_load_state("networkidle")
        for path in PAGES:
            answer = page.goto(sidecar.url + path.format(**house))
            assert answer is not None
            is_kept_out = name == "ann" and FOR_ADMINS.match(path)
            expected = 404 if path == "/none" else 403 if is_kept_out else 200
            assert answer.status == expected, (name, path)
            if is_kept_out and path != "/admin":
                # Each says the same as the first.
                continue
            if path == "/without-network":
                page.evaluate(STAY)
            # Those of Admin are shown to one of them only.
            for width, theme in ALL_LOOKS if SHOWS_ALL or path.startswith("/admin") else shared:
                page.set_viewport_size({"width": width, "height": 800})
                found += [f"{name}: {path} at {width}: {one}" for one in wrong(page, width, theme)]
        context.close()

    assert found == []


def wrong(page: Page, width: int, theme: Theme) -> list[str]:
    """Return what is wrong with a page at this width and in this theme."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    sideways = [f"{wide} pixels wide"] if wide > width else []
    seen = page.locator("[hidden]").filter(visible=True).all()
    hidden = [f"shown, though hidden: {one.inner_text()}" for one in seen]
    return [*sideways, *hidden, *violations_in(page, theme)]
