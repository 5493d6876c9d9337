"""How soon a page stands before somebody who was never there, and how much comes for it.

The browser has nothing of it yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playwright.sync_api import Browser, sync_playwright

from tests.bench.rows.household import running
from tests.bench.rows.large import Household
from tests.bench.timing import Figures
from tests.browser.program import start_chromium

ROUNDS = 7
PHONE = {"width": 360, "height": 740}
PAGES = {
    "home": "/",
    "downloads": "/downloads",
    "100 files": "/downloads?tab=completed&rows=100&albums=no",
    "devices": "/devices",
}
# Seconds from the press to the largest thing that is painted.
PAINTED = """() => new Promise((done) => new PerformanceObserver((all) => {
    done(all.getEntries().at(-1).startTime / 1000);
}).observe({ type: "largest-contentful-paint", buffered: true }))"""
# The bytes of all that came, but for heads; those of covers and how many, as they come later.
CAME = """() => {
    const all = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind));
    const covers = all.filter((one) => one.name.includes("/cover"));
    const sum = (some) => some.reduce((bytes, one) => bytes + one.encodedBodySize, 0);
    return [sum(all) - sum(covers), sum(covers), covers.length];
}"""


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of one page.

    Attributes:
        painted: Until the largest thing was painted.
        came: Bytes of the page with its scripts, styles and icons, compressed as they came.
        of_covers: Bytes of the covers that were in view.
        covers: How many these were.
    """

    painted: Figures
    came: int
    of_covers: int
    covers: int


def measure(household: Household) -> Mapping[str, Visits]:
    """Visit each page some times, each time in a browser that has kept nothing."""
    with running(household) as sidecar, sync_playwright() as playwright:
        browser = start_chromium(playwright)
        cookie = household.cookies["ann"]
        found = {
            name: _summed([_visit(browser, sidecar.url, path, cookie) for _ in range(ROUNDS)])
            for name, path in PAGES.items()
        }
        browser.close()
    return found


def _summed(visits: Sequence[tuple[float, Sequence[int]]]) -> Visits:
    most = (max(of_each) for of_each in zip(*(came for _, came in visits), strict=True))
    return Visits(Figures.of(painted for painted, _ in visits), *most)


def _visit(browser: Browser, url: str, path: str, cookie: str) -> tuple[float, Sequence[int]]:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]  # as playwright takes it
    context.add_cookies([{"name": "sidecar_session", "value": cookie, "url": url}])
    page = context.new_page()
    page.goto(url + path)
    painted: float = page.evaluate(PAINTED)
    page.wait_for_load_state("networkidle")
    came: Sequence[int] = page.evaluate(CAME)
    context.close()
    return painted, came
