"""Wide screens: pages begin and end where the header does, and covers fill their rows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from sidecar.domain.downloads.download import Status
from tests.browser.accessibility import violations_in_both_themes
from tests.browser.conftest import SignedIn
from tests.services.conftest import STICK, track
from tests.web.house import EVE, WebHouse

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = [
    "/",
    "/downloads?tab=completed",
    "/library?shelf=albums",
    f"/library/{track(1).id}",
    "/offline",
    "/devices",
    f"/devices/{STICK}",
    "/now",
    "/activity",
    "/admin",
    "/admin/log",
    "/admin/tasks",
    "/settings",
    "/help/rules",
]
# Their text is as wide as can be read.
OF_TEXT = {"/settings", "/help/rules"}
ENTRIES_ON_A_PAGE = 24
# Edges, in pixels: of the header's content, and of what is seen of the page.
EDGES = """() => {
  const inner = (one) => {
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    return [box.left + parseFloat(style.paddingLeft), box.right - parseFloat(style.paddingRight)];
  };
  const all = "main > *, #now > *, #home > *, #things > :not(.initials)";
  const shown = [...document.querySelectorAll(all)]
    .map((one) => one.getBoundingClientRect()).filter((box) => box.width > 1 && box.height > 1);
  const lefts = shown.map((box) => box.left), rights = shown.map((box) => box.right);
  return [inner(document.querySelector(".top")), [Math.min(...lefts), Math.max(...rights)]];
}"""
# How many covers are in the first row, and how far the ends of tiles are apart in each row.
ROWS = """() => {
  const rows = new Map();
  for (const one of document.querySelectorAll(".tiles > *")) {
    const box = one.getBoundingClientRect();
    rows.set(box.top, [...rows.get(box.top) ?? [], box.bottom]);
  }
  const all = [...rows.values()];
  return [all[0].length, Math.max(...all.map((row) => Math.max(...row) - Math.min(...row)))];
}"""


@pytest.fixture
def page(signed_in: SignedIn, house: WebHouse) -> Page:
    """A page of an admin whose household has something of all that is shown."""
    house.library(
        *({"Id": track(one).id, "Name": f"Album {one}", "Type": "MusicAlbum"} for one in range(30))
    )
    house.add(1, status=Status.COMPLETED)
    house.heard(EVE, 1, house.clock.now())
    return signed_in(EVE, "/")


@pytest.mark.parametrize("width", [1440, 1920])
def test_pages_begin_and_end_where_their_header_does(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    home = page.url.rstrip("/")
    edges = {}
    for path in PATHS:
        page.goto(home + path)
        edges[path] = page.evaluate(EDGES)

    assert {path: round(begins - left) for path, ((left, _), (begins, _)) in edges.items()} == (
        dict.fromkeys(PATHS, 0)
    )
    short = {path for path, ((_, right), (_, ends)) in edges.items() if ends < right - 1}
    assert short <= OF_TEXT
    assert all(ends <= right + 1 for (_, right), (_, ends) in edges.values())


def test_covers_fill_their_rows(page: Page) -> None:
    page.goto(page.url.rstrip("/") + "/library?shelf=albums")
    for width in (360, 768, 1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 1000})

        columns, apart = page.evaluate(ROWS)

        assert ENTRIES_ON_A_PAGE % columns == 0
        assert columns > 1
        assert apart <= 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_file_on_a_device_is_a_line_of_a_table(page: Page) -> None:
    page.goto(page.url.rstrip("/") + "/offline?look=files")
    row = page.locator(".rows > .row")
    for width in (1440, 1920):
        page.set_viewport_size({"width": width, "height": 1000})

        assert row.evaluate("(one) => one.offsetHeight") <= 100
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert list(violations_in_both_themes(page)) == []


def test_the_parts_of_a_device_stand_below_each_other(page: Page) -> None:
    page.goto(page.url.rstrip("/") + "/devices")
    device = page.get_by_role("region", name="Car stick")
    expect(device).to_contain_text("Up to date")

    lefts = device.locator("> *").evaluate_all(
        "(all) => all.map((one) => Math.round(one.getBoundingClientRect().left))"
    )

    assert len(set(lefts)) == 1


def test_on_a_tablet_nothing_of_the_header_lies_over_its_neighbour(
    page: Page, house: WebHouse
) -> None:
    house.add(2, status=Status.FAILED)
    page.context.add_cookies([{"name": "sidecar_language", "value": "de", "url": page.url}])
    page.goto(page.url + "downloads")
    for width in (768, 800, 900, 960, 992, 1024, 1087, 1100, 1280):
        page.set_viewport_size({"width": width, "height": 1000})

        edges = page.locator(".places a:visible, .tools > :visible").evaluate_all(
            """(all) => all.map((one) => one.getBoundingClientRect())
                .map((box) => [box.left, box.right])"""
        )

        gaps = [after[0] - before[1] for before, after in pairwise(sorted(edges))]
        assert min(gaps) >= 0, width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
