"""Every page of the running sidecar: it fits, it can be used by everybody, and it is quiet.

A person sees each on a phone in the light, an admin on a desktop in the dark, and on a phone what
only an admin sees. `SIDECAR_LOOKS=all` shows everything to both, on both and in both themes.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import THEMES, Theme, violations_in
from tests.browser.taps import too_small
from tests.browser.trouble import BrowserTrouble
from tests.e2e.conftest import PASSWORDS, Sidecar

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]

PHONE, DESKTOP = 320, 1280
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
OF_MANAGERS = re.compile(rf"/devices|{FOR_ADMINS.pattern}")
KEPT_OUT = rf"^403 GET http://[^/]+{FOR_ADMINS.pattern}"
# This page looks again and again whether the sidecar is back, and goes on by itself: it is.
STAY = "for (let last = setInterval(() => {}, 1e9); last > 0; last -= 1) clearInterval(last);"


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks at which pages, and how."""

    name: str
    width: int
    theme: Theme
    pages: re.Pattern[str] = re.compile("")


LOOKS = (
    [Look(*one) for one in product(("ann", "admin"), (PHONE, DESKTOP), THEMES)]
    if SHOWS_ALL
    else [
        Look("ann", PHONE, "light"),
        Look("admin", PHONE, "light", OF_MANAGERS),
        Look("admin", DESKTOP, "dark"),
    ]
)


def test_every_page_fits_is_quiet_and_keeps_nobody_out(
    house: dict[str, str], sidecar: Sidecar, chromium: Browser, trouble: BrowserTrouble
) -> None:
    trouble.announce("^404 GET .*/none$", KEPT_OUT)
    found = []
    for look in LOOKS:
        is_phone = look.width == PHONE
        context = chromium.new_context(
            viewport={"width": look.width, "height": 800}, is_mobile=is_phone, has_touch=is_phone
        )
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto(sidecar.url)
        page.locator("[name=username]").fill(look.name)
        page.locator("[name=password]").fill(PASSWORDS[look.name])
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r":\d+/$"))
        page.wait_for_load_state("networkidle")
        for path in filter(look.pages.match, PAGES):
            answer = page.goto(sidecar.url + path.format(**house))
            assert answer is not None
            is_kept_out = look.name == "ann" and FOR_ADMINS.match(path)
            expected = 404 if path == "/none" else 403 if is_kept_out else 200
            assert answer.status == expected, (look.name, path)
            if is_kept_out and path != "/admin":
                # Each says the same as the first.
                continue
            if path == "/without-network":
                page.evaluate(STAY)
            found += [f"{look}: {path}: {one}" for one in wrong(page, look)]
        context.close()

    assert not found, "\n".join(found)


def wrong(page: Page, look: Look) -> list[str]:
    """Return what is wrong with a page at this width and in this theme."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    sideways = [f"{wide} pixels wide"] if wide > look.width else []
    seen = page.locator("[hidden]").filter(visible=True).all()
    hidden = [f"shown, though hidden: {one.inner_text()}" for one in seen]
    against = violations_in(page, look.theme)
    return [*sideways, *hidden, *against, *(too_small(page) if look.width == PHONE else [])]
