from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.album_affinity import NAME as AFFINITY
from sidecar.domain.rules.latest import NAME as LATEST
from sidecar.domain.rules.queue_ahead import NAME as AHEAD
from sidecar.domain.wishes import PIN
from sidecar.web.pages.files.routes import MOST_LEAVERS
from sidecar.web.pages.files.view import NEXT, for_page
from tests.services.conftest import STICK, track
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse

ALBUM = track(900).id
NASTY = "<img src=x onerror=alert(1)>\"'{{ 7*7 }}/../?#%00"
SHOWN_NASTY = "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;{{ 7*7 }}"


def put(house: WebHouse, number: int, *people: object, **facts: object) -> Download:
    """Let a track of the album be on the stick, unless told otherwise."""
    how: dict[str, object] = {"status": Status.COMPLETED, "album_id": ALBUM, **facts}
    return house.add(number, *people, **how)  # type: ignore[arg-type]  # by name


def shown(one: Browser, path: str = "/offline") -> str:
    page = one.get(path)
    assert page.status_code == 200
    return " ".join(page.text.split())


def press(one: Browser, file: Download | int, **form: str) -> TestResponse:
    number = file if isinstance(file, int) else file.id
    return one.press(f"/offline/{number}/act", **form)


def rules_of(house: WebHouse, file: Download) -> set[str]:
    """Return the rules that keep a file for good."""
    holds = house.store.holds.of_item(file.device_id, file.item_id)
    return {one.reason.rule for one in holds if one.release_at is None}


# What is shown


def test_albums_and_films_are_tiles_and_every_count_is_that_of_its_list(
    house: WebHouse, ann: Browser
) -> None:
    put(house, 1)
    put(house, 2)
    put(house, 3, album=None, album_id=None, type="Movie")

    tiles, files = shown(ann), shown(ann, "/offline?look=files")

    for page in (tiles, files):
        assert re.search(r'Albums and films <span class="count">2</span>', page)
        assert re.search(r'Files <span class="count">3</span>', page)
    assert tiles.count('<li class="tile"') == 2
    assert files.count('<li class="row"') == 3
    assert ">First Light</a>" in tiles
    assert re.search(r"2 files · <span [^>]*>3 kB<", tiles)


def test_a_file_says_why_it_is_here_where_since_when_and_when_it_was_used(
    house: WebHouse, ann: Browser
) -> None:
    house.heard(ANN, 7, house.clock.now() - timedelta(days=3, minutes=3))
    for number in (7, 8, 9):
        put(house, number)
    house.store.downloads.transitions.mark_used(track(8).id)
    house.clock.advance(1800)

    page = shown(ann, "/offline?look=files")

    for words in (
        "your favourite",
        "<bdi>The Sine Waves/First Light/07 - Tone 7.flac</bdi>",
        "7 kB",
        "on Car stick",
        'added <time datetime="2026-11-01T12:00:00.000Z">30 minutes ago</time>',
        'last played <time datetime="2026-10-29T12:00:00.000Z">3 days ago</time>',
        "<span>played since then</span>",
        "<span>not played yet</span>",
        "<span>Available</span>",
    ):
        assert words in page


def test_what_is_away_says_so_and_does_not_play_from_the_device(
    house: WebHouse, ann: Browser
) -> None:
    there, gone = put(house, 7), put(house, 8)
    house.path(gone).unlink()

    page = shown(ann, "/offline?look=files")

    assert "The file of Tone 8 is not on Car stick any more." in page
    assert "Not there now" in page
    assert f'href="/media/{there.id}"' in page
    assert f'href="/media/{gone.id}"' not in page
    assert f'href="/media/item/{gone.item_id}"' in page


def test_what_makes_sound_and_what_shows_pictures_play_in_their_own_way(
    house: WebHouse, ann: Browser
) -> None:
    put(house, 1)
    put(house, 2, type=ItemType.AUDIO_BOOK)
    put(house, 3, type=ItemType.EPISODE, series="The Signal", artist=None)

    page = shown(ann, "/offline?look=files")

    played = re.findall(r'data-plays="(\w+)" data-media="(\w+)"', page)
    kinds = ((3, "video"), (2, "audio"), (1, "audio"))
    assert played == [(track(number).id, media) for number, media in kinds]


def test_an_album_lists_its_files_and_leads_back_to_where_one_was(
    house: WebHouse, ann: Browser
) -> None:
    with house.store.db.write():
        for number in range(1, 25):
            put(house, number)
    place = "q=tone&amp;kind=music"

    page = shown(ann, f"/offline/albums/{ALBUM}?q=tone&kind=music&part=2")

    assert '<h2 id="album">First Light</h2>' in page
    assert "24 files" in page
    assert page.count('<li class="row plain"') == 4
    assert "21\u201324 of 24" in page
    assert f'href="/offline?{place}"' in page
    assert f'href="/offline/albums/{ALBUM}?{place}"' in page


def test_a_series_is_found_by_its_name_whatever_it_is(house: WebHouse, ann: Browser) -> None:
    put(house, 1, type="Episode", series=NASTY, artist=None, album_id=None)

    link = re.search(r'href="(/offline/series[^"]*)"', shown(ann))
    assert link
    page = shown(ann, html.unescape(link[1]))

    assert "<img src=x" not in page
    assert "Tone 1" in page


def test_files_are_found_by_words_device_and_kind(house: WebHouse, ann: Browser) -> None:
    put(house, 1, type="Episode", series="Quiet Hours", artist=None)
    put(house, 2, title="Quiet Hours")

    page = shown(
        ann, f"/offline?look=files&q=%20quiet%20%20hour&device={STICK}&kind=series&rows=50"
    )

    assert page.count('<li class="row"') == 1
    assert 'data-media="video"' in page


def test_owners_are_a_question_for_admins_only(house: WebHouse, ann: Browser, eve: Browser) -> None:
    put(house, 1, title="One of ann")
    put(house, 2, BEN, title="One of ben")

    assert 'name="owner"' not in shown(ann)
    page = shown(eve, "/offline?look=files&owner=ben")
    assert 'name="owner" value="ben" checked' in page
    assert 'Files <span class="count">1</span>' in page
    assert "One of ben" in page
    assert "One of ann" not in page


def test_many_are_on_pages_and_the_last_one_is_shown_for_any_beyond_it(
    house: WebHouse, ann: Browser
) -> None:
    with house.store.db.write():
        for number in range(1, 27):
            put(house, number, album_id=track(900 + number).id)

    first, beyond = shown(ann), shown(ann, "/offline?page=99")

    assert first.count('<li class="tile"') == 24
    assert "1\u201324 of 26" in first
    assert 'href="/offline?page=2"' in first
    assert "25\u201326 of 26" in beyond
    rows = shown(ann, "/offline?look=files&rows=10&page=99")
    assert "21\u201326 of 26" in rows


def test_an_address_that_makes_no_sense_still_shows_the_page(ann: Browser) -> None:
    for arguments in ("page=x", "look=none", "rows=11", "kind=x", "part=-1"):
        shown(ann, f"/offline?{arguments}")


# What is empty


def test_every_empty_page_explains_itself_and_says_what_to_do(
    house: WebHouse, ann: Browser
) -> None:
    page = shown(ann)
    assert "Nothing of yours is on a device yet" in page
    assert '<a href="/downloads">See what is on its way</a>' in page

    put(house, 1)
    nothing = shown(ann, "/offline?look=files&q=<b>")

    assert "Nothing matches “&lt;b&gt;”" in nothing
    assert '<a href="/offline?look=files">Show all of them</a>' in nothing


@pytest.mark.parametrize("users", [("ben",)])
def test_whoever_has_no_device_is_told_so(ann: Browser) -> None:
    for path in ("/offline", "/offline/next"):
        assert "No device is set up for you yet" in shown(ann, path)


# Whose it is


def test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist(
    house: WebHouse, ben: Browser
) -> None:
    file = put(house, 7, rule=AFFINITY, source=ALBUM)

    assert "First Light" not in shown(ben)
    for path in (
        f"/offline/albums/{ALBUM}",
        f"/offline/series?name={ALBUM}",
        f"/offline/{file.id}/ask?action=delete",
        f"/offline/{file.id}/ask?action=leave_out",
        "/offline/99/ask?action=delete",
        "/offline/albums/not-an-id",
    ):
        assert ben.get(path).status_code == 404, path
    for action in ("pin", "let_go", "delete", "leave_out"):
        assert press(ben, file, action=action).status_code == 404
        assert press(ben, 99, action=action).status_code == 404
    assert house.now(file) == file
    assert house.holders(file) == ["ann"]


def test_whatever_a_tag_holds_is_shown_as_text(house: WebHouse, ann: Browser) -> None:
    names: dict[str, object] = {"title": NASTY, "artist": NASTY, "album": NASTY, "text": NASTY}
    file = put(house, 7, rule=AFFINITY, source=ALBUM, **names)

    for path in (
        "/offline",
        "/offline?look=files",
        f"/offline/albums/{ALBUM}",
        "/offline/next",
        f"/offline/{file.id}/ask?action=delete",
        f"/offline/{file.id}/ask?action=leave_out",
    ):
        page = shown(ann, path)
        assert "<img src=x" not in page
        assert SHOWN_NASTY in page
        assert " style=" not in page
        assert "<script>" not in page


# What is pressed


def test_what_is_pressed_leads_back_to_where_it_was_pressed(house: WebHouse, ann: Browser) -> None:
    file = put(house, 7)
    places = {
        "/offline?look=files&q=tone&kind=music&page=2": {
            "look": "files",
            "q": "tone",
            "kind": "music",
            "page": "2",
        },
        f"/offline/albums/{ALBUM}?q=tone": {"q": "tone", "at": ALBUM},
        "/offline/next": {"at": NEXT},
        "/offline": {"next": "https://evil.example", "page": "x"},
    }

    for address, form in places.items():
        answer = press(ann, file, action="pin", **form)
        assert (answer.status_code, answer.location) == (303, address)


def test_a_pin_is_put_and_taken_back(house: WebHouse, ann: Browser) -> None:
    file = put(house, 7)
    assert ">Pin<" in shown(ann, "/offline?look=files")

    press(ann, file, action="pin")
    assert ">Unpin<" in shown(ann, "/offline?look=files")
    assert rules_of(house, file) == {"favourites", PIN}
    press(ann, file, action="let_go")

    assert ">Pin<" in shown(ann, "/offline?look=files")
    assert rules_of(house, file) == {"favourites"}


def test_removing_asks_first_and_then_removes(house: WebHouse, ann: Browser) -> None:
    file = put(house, 7)
    page = shown(ann, "/offline?look=files&q=tone")
    link = re.search(rf'id="delete-{file.id}" href="([^"]*)"', page)
    assert link

    question = shown(ann, html.unescape(link[1]))
    assert "Delete this file?" in question
    assert f'action="/offline/{file.id}/act"' in question
    assert 'href="/offline?look=files&amp;q=tone"' in question
    assert house.path(file).exists()

    answer = press(ann, file, action="delete", look="files", q="tone")
    assert answer.location.startswith("/offline?look=files&q=tone&done=")
    assert house.status(file) is Status.REMOVED
    assert not house.path(file).exists()


def test_an_admin_may_remove_it_for_everybody(house: WebHouse, eve: Browser) -> None:
    file = put(house, 7, EVE, ANN)

    assert "For all users" in shown(eve, f"/offline/{file.id}/ask?action=delete")
    press(eve, file, action="delete", **{"for": "everyone"})

    assert house.status(file) is Status.REMOVED


def test_where_the_last_file_of_an_album_went_the_list_is_shown(
    house: WebHouse, ann: Browser
) -> None:
    alone = put(house, 7)
    other = put(house, 8, album_id=track(901).id)

    back = press(ann, other, action="pin", at=ALBUM, q="x").location
    assert back == f"/offline/albums/{ALBUM}?q=x"
    press(ann, alone, action="delete")
    assert press(ann, other, action="pin", at=ALBUM, q="x").location == "/offline?q=x"


def test_what_could_not_be_done_is_told_and_leads_back(house: WebHouse, ann: Browser) -> None:
    file = put(house, 7)
    house.unplug()

    answer = press(ann, file, action="delete", q="tone")

    assert answer.status_code == 409
    assert "Car stick is not there: plug it in and it goes on." in answer.text
    assert 'href="/offline?q=tone">Back</a>' in answer.text
    assert house.status(file) is Status.COMPLETED


def test_a_file_is_left_out_of_a_rule_alone_or_with_all_of_its_kind(
    house: WebHouse, ann: Browser
) -> None:
    file = put(house, 7)
    house.want(7, rule=AFFINITY, source=ALBUM, text="you played 3 of First Light")
    pinned = put(house, 8, rule=PIN)

    question = shown(ann, f"/offline/{file.id}/ask?action=leave_out")
    assert "Only this file, by “Favourites”" in question
    assert "All of it, by “Albums you like”: you played 3 of First Light" in question
    assert question.count('type="radio"') == 3
    assert ann.get(f"/offline/{pinned.id}/ask?action=leave_out").status_code == 404

    album = press(ann, file, action="leave_out", choice=f"{AFFINITY} {ALBUM}")
    assert album.status_code == 303
    assert rules_of(house, file) == {"favourites"}
    assert house.path(file).exists()
    heart = f"favourites {file.item_id}"
    press(ann, file, action="leave_out", choice=heart, delete="yes")
    left_out = {(one["rule"], one["item_id"]) for one in ann.told("/api/v1/exclusions")["items"]}
    assert left_out == {(AFFINITY, ALBUM), ("favourites", file.item_id)}
    assert house.status(file) is Status.REMOVED


def test_what_the_page_did_not_offer_is_refused(house: WebHouse, ann: Browser) -> None:
    file = put(house, 7)

    forms: tuple[dict[str, str], ...] = (
        {"action": "burn"},
        {},
        {"action": "leave_out"},
        {"action": "leave_out", "choice": f"latest {ALBUM}"},
        {"action": "leave_out", "choice": f"favourites {ALBUM}"},
    )
    for form in forms:
        assert press(ann, file, **form).status_code == 400, form
    assert ann.told("/api/v1/exclusions")["items"] == []
    assert house.now(file) == file


def test_nothing_is_changed_without_the_token_of_the_session(house: WebHouse, ann: Browser) -> None:
    file = put(house, 7)

    answer = ann.client.post(f"/offline/{file.id}/act", data={"action": "pin"})

    assert answer.status_code == 403
    assert rules_of(house, file) == {"favourites"}


# What goes next


def test_what_goes_next_is_in_order_and_says_why(house: WebHouse, ann: Browser) -> None:
    wanted = put(house, 1, rule=PIN)
    put(house, 2, rule=AHEAD)
    put(house, 3, rule=AFFINITY)
    put(house, 4, rule=LATEST)
    put(house, 5)
    put(house, 6, BEN, rule=AHEAD)
    house.services.web.files.let_go(ANN, wanted.id)
    house.store.downloads.transitions.mark_used(track(3).id)

    page = shown(ann, "/offline/next?q=tone")

    places = [page.index(f">Tone {number}<") for number in (1, 2, 3, 4)]
    assert places == sorted(places)
    for words in (
        "No longer needed · Not played since it was added",
        "Downloaded ahead of a queue",
        "Here because its album is played · Played since it was added",
        "Needed for a while",
        "1 of others, which you may not see",
        "5 files can be removed: 1.0 MB together.",
        'href="/offline?q=tone"',
    ):
        assert words in page
    assert page.count(">Pin<") == 4
    assert "Tone 5" not in page


def test_of_many_that_may_go_the_first_are_named(house: WebHouse, ann: Browser) -> None:
    assert "Everything here is kept" in shown(ann, "/offline/next")
    with house.store.db.write():
        for number in range(1, MOST_LEAVERS + 3):
            put(house, number, rule=AHEAD, size=10)

    page = shown(ann, "/offline/next")

    assert page.count(">Pin<") == MOST_LEAVERS
    assert "… and 2 more after these." in page


def test_a_device_that_is_away_has_nothing_to_go(house: WebHouse, ann: Browser) -> None:
    put(house, 1, rule=AHEAD)
    house.unplug()

    page = shown(ann, "/offline/next")

    assert "Car stick is not there" in page
    assert "Everything here is kept" not in page


def test_an_address_is_written_as_it_was_read() -> None:
    read = for_page(MultiDict([("q", " a  b "), ("owner", "x"), ("owner", "x"), ("rows", "50")]))

    assert read.args == {"q": "a b", "owner": ["x"], "rows": "50"}
    assert for_page(MultiDict(read.fields)) == read
