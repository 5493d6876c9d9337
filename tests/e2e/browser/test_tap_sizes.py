"""Every control of every page on a phone is large enough for a finger.

Large enough are 24 by 24 CSS pixels, as WCAG 2.2 (2.5.8) asks for, and 44 at least one way.
Measured is where a tap really arrives, not what is drawn: a label belongs to its field, and what
lies above a control takes from it. A link in a sentence is as high as its line: 2.5.8 allows it.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.browser.trouble import BrowserTrouble
from tests.e2e.browser.test_every_page import FOR_ADMINS, KEPT_OUT, PAGES, STAY
from tests.e2e.conftest import PASSWORDS, Sidecar

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

TOO_SMALL = """() => {
    const LEAST = 24, ONE_WAY = 44;
    const CONTROLS = "a[href], button, summary, input:not([type=hidden]), select, textarea";
    const textOf = (one) => one?.textContent.trim().replace(/\\s+/g, " ") ?? "";
    const isInSentence = (one) => getComputedStyle(one).display === "inline"
        && textOf(one.closest("p, li, dd, td")) !== textOf(one);
    const controlAt = (x, y) => {
        const hit = document.elementFromPoint(x, y);
        return hit?.closest("label")?.control ?? hit?.closest(CONTROLS);
    };
    const reach = (one, x, y, right, down) => {
        let far = 0;
        for (; far < ONE_WAY; far += 1)
            if (controlAt(x + right * (far + 1), y + down * (far + 1)) !== one) break;
        return far;
    };
    const found = [];
    for (const one of document.querySelectorAll(CONTROLS)) {
        const isShown = one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
        if (one.disabled || !isShown || one.matches(".skip") || isInSentence(one)) continue;
        one.scrollIntoView({ block: "center", inline: "center" });
        const { left, top, width, height } = one.getClientRects()[0];
        const [x, y] = [left + width / 2, top + height / 2];
        const wide = reach(one, x, y, -1, 0) + reach(one, x, y, 1, 0) + 1;
        const high = reach(one, x, y, 0, -1) + reach(one, x, y, 0, 1) + 1;
        const isSmall = Math.min(wide, high) < LEAST || Math.max(wide, high) < ONE_WAY;
        if (isSmall || controlAt(x, y) !== one)
            found.push(`${wide} x ${high} <${one.localName}> ${textOf(one).slice(0, 60)}`);
    }
    return found;
}"""


def test_every_control_on_a_phone_is_large_enough_for_a_finger(
    house: dict[str, str], sidecar: Sidecar, chromium: Browser, trouble: BrowserTrouble
) -> None:
    trouble.announce("^404 GET .*/none$", KEPT_OUT)
    found = []
    for name in ("ann", "admin"):
        context = chromium.new_context(
            viewport={"width": 360, "height": 780}, is_mobile=True, has_touch=True
        )
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto(sidecar.url)
        page.locator("[name=username]").fill(name)
        page.locator("[name=password]").fill(PASSWORDS[name])
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r":\d+/$"))
        # What ann sees as well is measured once.
        for path in PAGES:
            if name == "ann" or FOR_ADMINS.match(path) or path.startswith("/devices"):
                page.goto(sidecar.url + path.format(**house))
                if path == "/without-network":
                    page.evaluate(STAY)
                found += [f"{name}: {path}: {one}" for one in page.evaluate(TOO_SMALL)]
        context.close()

    assert found == []
