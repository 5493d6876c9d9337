"""The library in a real browser: what one watches next, and what can be done with it."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations_in_both_themes
from tests.browser.conftest import SignedIn
from tests.browser.test_dense_list import LONG
from tests.browser.test_offline import ALBUM, a_song, a_tone
from tests.browser.trouble import BrowserTrouble
from tests.fakes.servers.answering import json_reply
from tests.services.conftest import track
from tests.services.rules.steered import row
from tests.web.house import ANN, WebHouse
from tests.web.series import EPISODES, SEASONS, SERIES, add_series

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = [360, 1280]


@pytest.fixture(autouse=True)
def _with_series(house: WebHouse) -> None:
    add_series(house)


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_series_goes_on_where_it_was_stopped(
    signed_in: SignedIn, trouble: BrowserTrouble, width: int
) -> None:
    # This Jellyfin has no films, only what is said of them.
    trouble.announce("^404 GET .*/media/item/")
    page = signed_in(ANN, f"/library/{SERIES}")
    page.set_viewport_size({"width": width, "height": 800})
    following = page.get_by_role("region", name="Next up")
    expect(following).to_contain_text("9 min left")
    assert not is_too_wide(page)
    assert list(violations_in_both_themes(page)) == []

    following.get_by_role("link", name="Resume at 1:30 Beacon 2").click()

    expect(page.locator("#player")).to_contain_text("Beacon 2")
    kept = page.evaluate(
        "localStorage[Object.keys(localStorage).find(key => key.startsWith('sidecar-player '))]"
    )
    remembered = json.loads(kept)
    assert remembered["seconds"] == 90
    assert [one["item"] for one in remembered["entries"]] == [track(EPISODES[1]).id]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_row_has_one_menu_with_all_that_can_be_done(
    signed_in: SignedIn, house: WebHouse, width: int
) -> None:
    third = track(EPISODES[2]).id
    data = {"ItemId": third, "IsFavorite": True}
    house.jellyfin.routes[f"POST /UserFavoriteItems/{third}"] = json_reply(data)
    before = data | {"IsFavorite": False, "Played": False}
    house.jellyfin.routes[f"GET /UserItems/{third}/UserData"] = json_reply(before)
    page = signed_in(ANN, f"/library/{SEASONS[0]}")
    page.set_viewport_size({"width": width, "height": 800})
    more = page.get_by_role("link", name="More about Beacon 3")
    more.click()
    menu = page.get_by_role("dialog")
    expect(menu.get_by_role("heading", name="Beacon 3")).to_be_visible()
    assert not is_too_wide(page)
    assert list(violations_in_both_themes(page)) == []

    menu.get_by_role("button", name="Add to the favourites").click()

    expect(menu).to_be_hidden()
    expect(page.locator("#done")).to_contain_text("Beacon 3 is a favourite now.")
    if width == max(WIDTHS):
        heart = page.get_by_role("button", name="Favourite: Beacon 3")
        expect(heart).to_have_attribute("aria-pressed", "true")
    # By keys alone: it opens, and Escape leads back to where it was.
    more.focus()
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(more).to_be_focused()


def test_who_may_not_download_is_told_once_and_reads_all_titles(
    signed_in: SignedIn, house: WebHouse
) -> None:
    songs = [
        row(number, Name="Stepping Stones", ParentId=ALBUM, AlbumId=ALBUM, CanDownload=False)
        for number in (1, 2)
    ]
    house.library(row(80, Id=ALBUM, Type="MusicAlbum", Name="Evenings"), *songs)
    page = signed_in(ANN, f"/library/{ALBUM}")
    page.set_viewport_size({"width": 360, "height": 740})

    expect(page.get_by_text("Jellyfin does not let your account download this.")).to_have_count(1)
    expect(page.get_by_role("button", name="Download")).to_have_count(0)
    widths = page.locator(".track h3").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert min(widths) > 120
    assert not is_too_wide(page)
    assert list(violations_in_both_themes(page)) == []


def test_the_queue_takes_what_is_played_next_and_last(signed_in: SignedIn, house: WebHouse) -> None:
    titles = ("Dawn", "Noon", "Dusk")
    for number, title in enumerate(titles, 1):
        a_song(house, number, title, a_tone(30.0))
    songs = [
        row(number, Name=title, ParentId=ALBUM, AlbumId=ALBUM)
        for number, title in enumerate(titles, 1)
    ]
    long = row(9, Name=LONG, ParentId=ALBUM, AlbumId=ALBUM)
    house.library(row(80, Id=ALBUM, Type="MusicAlbum", Name="Evenings"), *songs, long)
    page = signed_in(ANN, f"/library/{ALBUM}")
    # On a phone a title of any length takes two lines.
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator(".track h3").last).to_contain_text(LONG.strip())
    heights = page.locator(".track").evaluate_all("all => all.map((one) => one.offsetHeight)")
    assert max(heights) <= 72
    assert not is_too_wide(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    menu = page.get_by_role("dialog")

    def choose(title: str, entry: str) -> None:
        page.get_by_role("link", name=f"More about {title}").first.click()
        menu.get_by_role("link", name=entry, exact=True).click()
        expect(menu).to_be_hidden()

    choose("Dawn", "Add to the queue")
    expect(page.locator("#player")).to_contain_text("Dawn")
    choose("Dusk", "Add to the queue")
    choose("Noon", "Play next")
    expect(page.locator("#player")).to_contain_text("Noon is played next.")

    page.locator("#player summary").click()
    lines = page.locator("#player [data-part=queue] li > button:first-child > span")
    assert lines.all_inner_texts() == list(titles)
    # A line of the queue has the same menu.
    page.locator("#player").get_by_role("link", name="More about Dusk").click()
    expect(menu.get_by_role("heading", name="Dusk")).to_be_visible()


def test_on_a_phone_the_chosen_category_is_in_sight(signed_in: SignedIn) -> None:
    page = signed_in(ANN, "/library?shelf=episodes")
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()
    chosen = page.get_by_role("navigation", name="Categories").get_by_role("link", name="Episodes")

    expect(chosen).to_be_in_viewport(ratio=1)
    # Also after the list was changed in place.
    page.locator("#sort").select_option("added")
    page.wait_for_url("**sort=added**")
    expect(chosen).to_be_in_viewport(ratio=1)
