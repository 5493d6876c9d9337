"""How soon a page stands before somebody who was never there: the browser has nothing of it yet."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Browser, sync_playwright

from tests.bench.rows.household import running
from tests.bench.rows.large import Household
from tests.bench.timing import Figures
from tests.browser.program import start_chromium

ROUNDS = 7
PHONE = {"width": 360, "height": 740}
PAGES = {"home": "/", "downloads": "/downloads", "devices": "/devices"}
# Seconds from the press to the largest thing that is painted.
PAINTED = """() => new Promise((done) => new PerformanceObserver((all) => {
    done(all.getEntries().at(-1).startTime / 1000);
}).observe({ type: "largest-contentful-paint", buffered: true }))"""


def measure(household: Household) -> Mapping[str, Figures]:
    """Visit each page some times, each time in a browser that has kept nothing."""
    with running(household) as sidecar, sync_playwright() as playwright:
        browser = start_chromium(playwright)
        cookie = household.cookies["ann"]
        found = {
            name: Figures.of(_visit(browser, sidecar.url, path, cookie) for _ in range(ROUNDS))
            for name, path in PAGES.items()
        }
        browser.close()
    return found


def _visit(browser: Browser, url: str, path: str, cookie: str) -> float:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]  # as playwright takes it
    context.add_cookies([{"name": "sidecar_session", "value": cookie, "url": url}])
    page = context.new_page()
    page.goto(url + path)
    painted: float = page.evaluate(PAINTED)
    context.close()
    return painted
