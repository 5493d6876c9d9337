"""Which controls of a page on a phone are too small for a finger.

Large enough are 24 by 24 CSS pixels, as WCAG 2.2 (2.5.8) asks for, and 44 at least one way.
Measured is where a tap really arrives, not what is drawn: a label belongs to its field, and what
lies above a control takes from it. A link in a sentence is as high as its line: 2.5.8 allows it.
"""

from __future__ import annotations

from playwright.sync_api import Page

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


def too_small(page: Page) -> list[str]:
    """Return the controls that a finger would miss, with the size that a tap finds."""
    found: list[str] = page.evaluate(TOO_SMALL)
    return found
