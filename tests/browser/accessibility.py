"""What keeps people out of a page, as axe-core finds it in a real browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Only what is wrong is described: the rest is much more, and nobody reads it.
RUN = """async (rules) => {
    const { violations } = await axe.run({
        resultTypes: ["violations"],
        // Style sheets are copied for a rule that is tried out and not run.
        preload: { assets: ["media"] },
        ...(rules && { runOnly: { type: "rule", values: rules } }),
    });
    return violations.flatMap((one) => one.nodes.map(
        (node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}"""
# The rules that look at colours; all others say the same in every theme.
OF_COLOURS = ("color-contrast", "link-in-text-block")
Theme = Literal["light", "dark"]
THEMES: Sequence[Theme] = ("light", "dark")


def violations(page: Page, *, rules: Sequence[str] | None = None) -> list[str]:
    """Return what is wrong with the page as it is shown now; by all rules, or by these."""
    # It comes in past the page's policy.
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    found: list[str] = page.evaluate(RUN, list(rules) if rules else None)
    return found


def violations_in_both_themes(page: Page) -> Iterator[str]:
    """Yield what is wrong with the page in the light and in the dark, where colours differ."""
    for theme in THEMES:
        rules = None if theme == THEMES[0] else OF_COLOURS
        yield from violations_in(page, theme, rules=rules)


def violations_in(page: Page, theme: Theme, *, rules: Sequence[str] | None = None) -> list[str]:
    """Return what is wrong with the page in this theme; by all rules, or by these."""
    # Without motion a change of the theme is done at once.
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    return [f"{theme}: {one}" for one in violations(page, rules=rules)]


@cache
def _source() -> str:
    return AXE.read_text(encoding="utf-8")
