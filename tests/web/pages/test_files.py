from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from sidecar.domain.downloads.actions import Action
from sidecar.domain.wishes import EvictionClass
from sidecar.services.devices.views import DeviceView
from sidecar.services.downloads.commands import ActionResult, DownloadCommand, ResultKind
from sidecar.services.files.browse import KeepReason
from sidecar.web.app import Web
from sidecar.web.pages.files.routes import LEAVING
from sidecar.web.pages.files.view import NEXT, for_page
from tests.fakes.actions import FakeActions
from tests.fakes.clock import START
from tests.fakes.desk import ANN, BEN, EVE, FakeDesk
from tests.fakes.on_device import ALBUM, AWAY, FakeLeavers, FakeOnDevice, a_file, some_leavers
from tests.fakes.steering import FakeSteering
from tests.web.conftest import come_in
from tests.web.house import Browser

STICK = DeviceView("stick", "Car stick", "", None, None, 0, 1, 2)
CARD = DeviceView("card", "Player", "", None, None, 0, 1, 2)
NASTY = "<img src=x onerror=alert(1)>\"'{{ 7*7 }}/../?#%00"
BY_ALBUM = KeepReason("album_affinity", ALBUM, "you played 3 of Evenings", is_wide=True)
BY_HEART = KeepReason("favourites", f"{7:032x}", "your favourite", is_wide=False)


def shown(one: Browser, path: str = "/offline") -> str:
    page = one.client.get(path)
    assert page.status_code == 200
    return " ".join(page.text.split())


def press(one: Browser, number: int, **form: str) -> TestResponse:
    return one.client.post(f"/offline/{number}/act", data={"csrf": one.csrf, **form})


# What is shown


def test_albums_and_films_are_tiles_and_every_count_is_that_of_its_list(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(1), a_file(2), a_file(3, tile=f"{3:032x}", item_type="Movie", title="Noon"))

    tiles, files = shown(ann), shown(ann, "/offline?look=files")

    for page in (tiles, files):
        assert re.search(r'Albums and films <span class="count">2</span>', page)
        assert re.search(r'Files <span class="count">3</span>', page)
    assert tiles.count('<li class="tile"') == 2
    assert files.count('<li class="row"') == 3
    assert ">Evenings</a>" in tiles
    assert "2 files · 14.8 MB" in tiles


def test_a_file_says_why_it_is_here_where_since_when_and_when_it_was_used(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(7, last_heard=START - timedelta(days=3)), a_file(8, was_used=True), a_file(9))

    page = shown(ann, "/offline?look=files")

    for words in (
        "A favourite since this evening",
        "<bdi>The Quiet Hour/Evenings/07 - Track 7.flac</bdi>",
        "7.4 MB",
        "on Car stick",
        'came <time datetime="2026-11-01T11:30:00.000Z">30 minutes ago</time>',
        'last played <time datetime="2026-10-29T12:00:00.000Z">3 days ago</time>',
        "<span>used since then</span>",
        "<span>not used since then</span>",
        "<span>Available</span>",
    ):
        assert words in page


def test_what_is_away_says_so_and_does_not_play_from_the_device(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(7), a_file(8, sight=AWAY))

    page = shown(ann, "/offline?look=files")

    assert "Car stick is not there: plug it in and try again." in page
    assert "Not there now" in page
    assert 'href="/media/7"' in page
    assert 'href="/media/8"' not in page
    assert f'href="/media/item/{8:032x}"' in page


def test_what_makes_sound_and_what_shows_pictures_play_in_their_own_way(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(1), a_file(2, item_type="AudioBook"), a_file(3, item_type="Episode"))

    page = shown(ann, "/offline?look=files")

    played = re.findall(r'data-plays="(\w+)" data-media="(\w+)"', page)
    kinds = ((3, "video"), (2, "audio"), (1, "audio"))
    assert played == [(f"{number:032x}", media) for number, media in kinds]


def test_an_album_lists_its_files_and_leads_back_to_where_one_was(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(*(a_file(number) for number in range(1, 25)))
    place = "q=track&amp;kind=music"

    page = shown(ann, f"/offline/albums/{ALBUM}?q=track&kind=music&part=2")

    assert '<h2 id="album">Evenings</h2>' in page
    assert "24 files" in page
    assert page.count('<li class="row plain"') == 4
    assert "21\u201324 of 24" in page
    assert f'href="/offline?{place}"' in page
    assert f'href="/offline/albums/{ALBUM}?{place}"' in page


def test_a_series_is_found_by_its_name_whatever_it_is(ann: Browser, kept: FakeOnDevice) -> None:
    kept.add(a_file(1, tile=f"series:{NASTY}", item_type="Episode"))

    link = re.search(r'href="(/offline/series[^"]*)"', shown(ann))
    assert link
    page = shown(ann, html.unescape(link[1]))

    assert "<img src=x" not in page
    assert "Track 1" in page


def test_words_device_kind_and_size_of_pages_are_asked_for(
    ann: Browser, kept: FakeOnDevice, desk: FakeDesk
) -> None:
    desk.shelf = (STICK, CARD)

    page = shown(ann, "/offline?look=files&q=%20quiet%20%20hour&device=card&kind=series&rows=50")

    asked = kept.asked[-1]
    assert (asked.text, asked.device_id, asked.page_size) == ("quiet hour", "card", 50)
    assert asked.item_types == {"Episode"}
    assert '<option value="card" selected>Player</option>' in page


def test_owners_are_a_question_for_admins_only(
    ann: Browser, eve: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(1, title="One of ann"))
    kept.add(a_file(2, title="One of ben"), of=(BEN,))

    assert 'name="owner"' not in shown(ann)
    page = shown(eve, "/offline?look=files&owner=ben")
    assert 'name="owner" value="ben" checked' in page
    assert 'Files <span class="count">1</span>' in page
    assert "One of ben" in page
    assert "One of ann" not in page


def test_many_are_on_pages_and_the_last_one_is_shown_for_any_beyond_it(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(*(a_file(number, tile=f"{number:032x}") for number in range(1, 27)))

    first, beyond = shown(ann), shown(ann, "/offline?page=99")

    assert first.count('<li class="tile"') == 24
    assert "1\u201324 of 26" in first
    assert 'href="/offline?page=2"' in first
    assert "25\u201326 of 26" in beyond
    rows = shown(ann, "/offline?look=files&rows=10&page=99")
    assert "21\u201326 of 26" in rows


@pytest.mark.parametrize("arguments", ["page=x", "look=none", "rows=11", "kind=x", "part=-1"])
def test_an_address_that_makes_no_sense_still_shows_the_page(ann: Browser, arguments: str) -> None:
    shown(ann, f"/offline?{arguments}")


# What is empty


def test_every_empty_page_explains_itself_and_says_what_to_do(
    ann: Browser, desk: FakeDesk, kept: FakeOnDevice
) -> None:
    assert "No device is set up for you yet" in shown(ann)
    desk.shelf = (STICK,)
    page = shown(ann)
    assert "Nothing is on a device yet" in page
    assert '<a href="/downloads">See what is on its way</a>' in page

    kept.add(a_file(1))
    nothing = shown(ann, "/offline?look=files&q=<b>")

    assert "Nothing matches “&lt;b&gt;”" in nothing
    assert '<a href="/offline?look=files">Show all of them</a>' in nothing


# Whose it is


def test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist(
    web: Web, desk: FakeDesk, kept: FakeOnDevice
) -> None:
    kept.add(a_file(7, holdings=(BY_ALBUM,)))
    ben = come_in(web, desk, BEN)

    assert "Evenings" not in shown(ben)
    for path in (
        f"/offline/albums/{ALBUM}",
        f"/offline/series?name={ALBUM}",
        "/offline/7/ask?action=delete",
        "/offline/7/ask?action=leave_out",
        "/offline/8/ask?action=delete",
        "/offline/albums/not-an-id",
    ):
        assert ben.client.get(path).status_code == 404, path
    for action in ("pin", "let_go", "delete", "leave_out"):
        assert press(ben, 7, action=action).status_code == 404
        assert press(ben, 8, action=action).status_code == 404
    assert kept.pressed == []


def test_whatever_a_tag_holds_is_shown_as_text(
    ann: Browser, kept: FakeOnDevice, leavers: FakeLeavers
) -> None:
    names = {"title": NASTY, "artist": NASTY, "album": NASTY, "device_name": NASTY}
    holding = KeepReason("favourites", ALBUM, NASTY, is_wide=True)
    kept.add(a_file(7, **names, file_path=NASTY, holdings=(holding,)))
    leavers.devices = [some_leavers(device_name=NASTY)]

    for path in (
        "/offline",
        "/offline?look=files",
        f"/offline/albums/{ALBUM}",
        "/offline/next",
        "/offline/7/ask?action=delete",
        "/offline/7/ask?action=leave_out",
    ):
        page = shown(ann, path)
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;{{ 7*7 }}" in page
        assert " style=" not in page
        assert "<script>" not in page


# What is pressed


def test_what_is_pressed_leads_back_to_where_it_was_pressed(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(7))
    places = {
        "/offline?look=files&q=track&kind=music&page=2": {
            "look": "files",
            "q": "track",
            "kind": "music",
            "page": "2",
        },
        f"/offline/albums/{ALBUM}?q=track": {"q": "track", "at": ALBUM},
        "/offline/next": {"at": NEXT},
        "/offline": {"next": "https://evil.example", "page": "x"},
    }

    for address, form in places.items():
        answer = press(ann, 7, action="pin", **form)
        assert (answer.status_code, answer.location) == (303, address)
    assert set(kept.pressed) == {("ann", "keep", 7)}


def test_a_pin_is_put_and_taken_back(ann: Browser, kept: FakeOnDevice) -> None:
    kept.add(a_file(7))
    assert ">Pin<" in shown(ann, "/offline?look=files")

    press(ann, 7, action="pin")
    assert ">Unpin<" in shown(ann, "/offline?look=files")
    press(ann, 7, action="let_go")

    assert ">Pin<" in shown(ann, "/offline?look=files")
    assert kept.pressed == [("ann", "keep", 7), ("ann", "let go", 7)]


def test_removing_asks_first_and_then_asks_the_desk(
    ann: Browser, kept: FakeOnDevice, doing: FakeActions
) -> None:
    kept.add(a_file(7))
    link = re.search(r'id="delete-7" href="([^"]*)"', shown(ann, "/offline?look=files&q=track"))
    assert link

    question = shown(ann, html.unescape(link[1]))
    assert "Delete this file?" in question
    assert 'action="/offline/7/act"' in question
    assert 'href="/offline?look=files&amp;q=track"' in question
    assert doing.orders == []

    answer = press(ann, 7, action="delete", look="files", q="track")
    assert answer.location.startswith("/offline?look=files&q=track&done=")
    assert doing.orders == [("ann", 7, DownloadCommand(action=Action.DELETE))]


def test_an_admin_may_remove_it_for_everybody(
    eve: Browser, kept: FakeOnDevice, doing: FakeActions
) -> None:
    kept.add(a_file(7), of=(EVE, ANN))
    doing.wanted_too = 1

    assert "For everyone who wants it" in shown(eve, "/offline/7/ask?action=delete")
    press(eve, 7, action="delete", **{"for": "everyone"})

    assert doing.orders == [("eve", 7, DownloadCommand(action=Action.DELETE, for_everyone=True))]


def test_where_the_last_file_of_an_album_went_the_list_is_shown(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(7), a_file(8, tile="series:Other"))

    assert press(ann, 8, action="pin", at=ALBUM, q="x").location == f"/offline/albums/{ALBUM}?q=x"
    kept.files_of.pop(7)
    assert press(ann, 8, action="pin", at=ALBUM, q="x").location == "/offline?q=x"


def test_what_could_not_be_done_is_told_and_leads_back(
    ann: Browser, kept: FakeOnDevice, doing: FakeActions
) -> None:
    kept.add(a_file(7))
    doing.answer = ActionResult(7, ResultKind.REFUSED, "Car stick is write-protected", "read-only")

    answer = press(ann, 7, action="delete", q="track")

    assert answer.status_code == 409
    assert "Car stick is write-protected." in answer.text
    assert 'href="/offline?q=track">Back</a>' in answer.text


def test_a_file_is_left_out_of_a_rule_alone_or_with_all_of_its_kind(
    ann: Browser, kept: FakeOnDevice, steering_desk: FakeSteering, doing: FakeActions
) -> None:
    kept.add(a_file(7, holdings=(BY_HEART, BY_ALBUM)), a_file(8))

    question = shown(ann, "/offline/7/ask?action=leave_out")
    assert "Only this file, out of “Favourites”" in question
    assert "All of it, out of “Albums you like”: you played 3 of Evenings" in question
    assert question.count('type="radio"') == 3
    assert ann.client.get("/offline/8/ask?action=leave_out").status_code == 404

    assert press(ann, 7, action="leave_out", choice=f"album_affinity {ALBUM}").status_code == 303
    assert steering_desk.asked == [("exclude", "album_affinity", ALBUM)]
    assert doing.orders == []
    press(ann, 7, action="leave_out", choice=f"favourites {7:032x}", delete="yes")
    assert steering_desk.asked[-1] == ("exclude", "favourites", f"{7:032x}")
    assert doing.orders == [("ann", 7, DownloadCommand(action=Action.DELETE))]


@pytest.mark.parametrize(
    "form",
    [
        {"action": "burn"},
        {},
        {"action": "leave_out"},
        {"action": "leave_out", "choice": f"latest {ALBUM}"},
        {"action": "leave_out", "choice": f"favourites {ALBUM}"},
    ],
)
def test_what_the_page_did_not_offer_is_refused(
    ann: Browser, kept: FakeOnDevice, steering_desk: FakeSteering, form: dict[str, str]
) -> None:
    kept.add(a_file(7, holdings=(BY_HEART,)))

    assert press(ann, 7, **form).status_code == 400
    assert steering_desk.asked == []


def test_nothing_is_changed_without_the_token_of_the_session(
    ann: Browser, kept: FakeOnDevice
) -> None:
    kept.add(a_file(7))

    answer = ann.client.post("/offline/7/act", data={"action": "pin"})

    assert answer.status_code == 403
    assert kept.pressed == []


# What goes next


def test_what_goes_next_is_in_order_and_says_why(ann: Browser, leavers: FakeLeavers) -> None:
    leavers.devices = [
        some_leavers(total=90),
        some_leavers(device_name="Player", first=(), total=0),
    ]

    page = shown(ann, "/offline/next?q=track")

    assert set(LEAVING) == set(EvictionClass) - {EvictionClass.LASTING}
    places = [page.index(f">Track {number}<") for number in (1, 2, 3, 4)]
    assert places == sorted(places)
    for words in (
        "nobody wants it any more · not used since it came",
        "it was only fetched ahead of a queue",
        "it is only here because its album is played · used since it came",
        "it is only wanted for a while",
        "a file of somebody else",
        "90 files may make room: 29.6 MB together.",
        "… and 85 more after these.",
        "Everything here stays",
        'href="/offline?q=track"',
    ):
        assert words in page
    assert page.count(">Pin<") == 4


def test_a_device_that_is_away_has_nothing_to_go(ann: Browser, leavers: FakeLeavers) -> None:
    assert "No device is set up for you yet" in shown(ann, "/offline/next")
    trouble = "Car stick is not there"
    leavers.devices = [some_leavers(trouble=trouble, first=(), total=0, bytes=0)]

    page = shown(ann, "/offline/next")

    assert trouble in page
    assert "Everything here stays" not in page


def test_an_address_is_written_as_it_was_read() -> None:
    read = for_page(MultiDict([("q", " a  b "), ("owner", "x"), ("owner", "x"), ("rows", "50")]))

    assert read.args == {"q": "a b", "owner": ["x"], "rows": "50"}
    assert for_page(MultiDict(read.fields)) == read
