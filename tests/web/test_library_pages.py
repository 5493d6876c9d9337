from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sidecar.domain.downloads.states import Status
from sidecar.domain.items.item import ItemType
from sidecar.domain.items.kinds import Kind
from sidecar.services.devices.views import DeviceView
from sidecar.services.library.browse import BrowseEntry, BrowseSort
from sidecar.services.library.download_state import ButtonState, ItemDownloadState
from tests.fakes.actions import FakeActions
from tests.fakes.desk import ANN, BEN, FakeDesk, a_download
from tests.fakes.library import ALBUM, TRACK, FakeLibrary, an_entry
from tests.web.house import Browser

STICK = DeviceView("stick", "Car stick", "", None, None, 0, None, None)
CARD = DeviceView("card", "Player", "", None, None, 0, None, None)
NASTY = "<script>alert(1)</script>\"'"


@pytest.fixture(autouse=True)
def stocked(library: FakeLibrary, desk: FakeDesk) -> None:
    album = replace(an_entry(8).item, type=ItemType.ALBUM, title="Evenings")
    library.entries = {TRACK: an_entry(), ALBUM: BrowseEntry(album, Kind.ALBUM, 12)}
    desk.shelf = (STICK,)


def told(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_the_start_shows_the_libraries_and_what_is_new(ann: Browser, library: FakeLibrary) -> None:
    page = ann.client.get("/library").text

    assert "Your libraries" in page
    assert "New in Jellyfin" in page
    assert f'href="/library/{ALBUM}"' in page
    assert [one.sort for one in library.asked] == [None, BrowseSort.ADDED]


def test_a_shelf_keeps_search_order_page_and_device(ann: Browser, library: FakeLibrary) -> None:
    page = ann.client.get("/library?shelf=films&q=blue&sort=year&page=1&device=stick").text

    (asked,) = library.asked
    assert asked.kinds == {Kind.FILM, Kind.VIDEO, Kind.MUSIC_VIDEO}
    assert (asked.text, asked.sort) == ("blue", BrowseSort.YEAR)
    assert 'href="/library?shelf=series&amp;q=blue&amp;device=stick"' in page


@pytest.mark.parametrize("odd", ["shelf=none", "sort=up", "page=-1", "page=9999999999", "device=x"])
def test_what_makes_no_sense_is_as_if_it_were_not_there(ann: Browser, odd: str) -> None:
    assert ann.client.get(f"/library?{odd}").status_code == 200
    assert ann.client.get(f"/library/{ALBUM}?{odd}").status_code == 200


def test_a_search_looks_on_each_shelf(ann: Browser, library: FakeLibrary) -> None:
    page = ann.client.get("/library?q=evening").text

    assert [min(one.kinds) for one in library.asked][:2] == [Kind.ARTIST, Kind.ALBUM]
    assert {one.page_size for one in library.asked} == {6}
    assert "<h2" in page


def test_nothing_found_explains_itself(ann: Browser, library: FakeLibrary) -> None:
    library.entries = {}

    assert "Nothing matches “zzz”" in told(ann.client.get("/library?q=zzz").text)
    assert "Nothing here yet" in ann.client.get("/library?shelf=albums").text


def test_an_album_has_a_page_with_its_tracks_to_choose_from(ann: Browser) -> None:
    page = ann.client.get(f"/library/{ALBUM}").text

    assert "<h1>Evenings</h1>" in page
    assert f'name="item" value="{TRACK}" form="chosen"' in page
    assert "Download selected" in page
    assert "Select Track 7" in page


def test_what_an_account_may_not_see_is_not_there(ann: Browser) -> None:
    for path in (f"/library/{'0' * 32}", f"/library/{'z' * 32}"):
        assert ann.client.get(path).status_code == 404


def test_while_jellyfin_is_away_the_page_says_so(ann: Browser, library: FakeLibrary) -> None:
    library.is_away = True

    answer = ann.client.get("/library")

    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_titles_cannot_do_harm(ann: Browser, library: FakeLibrary) -> None:
    library.entries[TRACK] = an_entry(title=NASTY, artist=NASTY, album=NASTY)

    for path in ("/library", f"/library/{TRACK}", f"/library/{ALBUM}", "/library?shelf=tracks"):
        assert NASTY not in ann.client.get(path).text


def test_without_a_device_one_may_look_around(ann: Browser, desk: FakeDesk) -> None:
    desk.shelf = ()

    page = ann.client.get(f"/library/{ALBUM}").text

    assert "nowhere to download to" in page
    assert "/library/download" not in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ButtonState.AVAILABLE, "Download"),
        (ButtonState.PARTLY, "Get the rest 3 of 12"),
        (ButtonState.WAITING, "Waiting, number 4 3 of 12"),
        (ButtonState.DOWNLOADING, "Downloading 3 of 12"),
        (ButtonState.PAUSED, "Paused 3 of 12"),
        (ButtonState.FAILED, "Failed 3 of 12"),
        (ButtonState.COMPLETED, "On the device"),
    ],
)
def test_a_button_says_how_it_stands(
    ann: Browser, library: FakeLibrary, state: ButtonState, said: str
) -> None:
    row = None if state is ButtonState.AVAILABLE else 7
    library.buttons = [a_button(state=state, row=row, place=4, done=3, total=12, progress=0.25)]

    page = ann.client.get(f"/library/{ALBUM}").text

    (large,) = re.findall(r'<span class="get large .*?</(?:form|a)>', page, re.DOTALL)
    assert told(large).split(" Evenings")[0].strip() == said
    leads = "/downloads/7" in large
    assert leads == (state not in {ButtonState.AVAILABLE, ButtonState.PARTLY})
    assert ('stroke-dasharray="25.0 100"' in large) == (state is ButtonState.DOWNLOADING)


def a_button(**facts: object) -> ItemDownloadState:
    return ItemDownloadState(device_id="stick", device_name="Car stick", **facts)  # type: ignore[arg-type]  # by name


def test_each_device_has_a_button_and_one_is_chosen_for_the_tracks(
    ann: Browser, library: FakeLibrary, desk: FakeDesk
) -> None:
    desk.shelf = (STICK, CARD)
    player = replace(
        a_button(state=ButtonState.COMPLETED, row=9), device_id="card", device_name="Player"
    )
    library.buttons = [a_button(state=ButtonState.AVAILABLE), player]

    page = ann.client.get(f"/library/{ALBUM}?device=card").text

    assert "Download · Car stick" in told(page)
    assert "On the device · Player" in told(page)
    smalls = re.findall(r'class="get small is-(\w+)".*?data-on="(\w+)"', page)
    assert set(smalls) == {("completed", "card")}


def test_the_buttons_come_again_without_asking_jellyfin(ann: Browser, library: FakeLibrary) -> None:
    library.buttons = [a_button(state=ButtonState.DOWNLOADING, row=7, download_id=7, progress=0.5)]

    page = ann.client.get(f"/library/buttons?small={TRACK}&large={ALBUM}&small=x").text

    assert library.asked == []
    assert re.findall(r'data-get="(\w+)" data-size="(\w+)" data-on="(\w+)"', page) == [
        (TRACK, "small", "stick"),
        (ALBUM, "large", "stick"),
    ]
    assert 'data-download="7"' in page
    assert "<html" not in page


def download(ann: Browser, **form: object) -> tuple[int, str]:
    answer = ann.client.post("/library/download", data={"csrf": ann.csrf, **form})
    return answer.status_code, answer.headers.get("Location", "") or answer.text


def test_download_leads_to_the_row(ann: Browser, doing: FakeActions, desk: FakeDesk) -> None:
    desk.add(*(a_download(number) for number in range(1, 30)))

    status, where = download(ann, item=f"{25:032x}", device="stick")
    in_view = ann.client.get(where)

    assert (status, where) == (303, "/downloads/25")
    assert doing.additions == [([f"{25:032x}"], "stick", None)]
    assert in_view.headers["Location"] == "/downloads?tab=active&page=3#download-25"
    assert 'id="download-25"' in ann.client.get(in_view.headers["Location"]).text


@pytest.mark.parametrize(
    ("status", "tab"),
    [(Status.COMPLETED, "completed"), (Status.FAILED, "failed"), (Status.REMOVED, "removed")],
)
def test_what_is_there_already_is_shown_where_it_is(
    ann: Browser, desk: FakeDesk, status: Status, tab: str
) -> None:
    desk.add(a_download(3, status=status))

    where = ann.client.get("/downloads/3").headers["Location"]

    assert where == f"/downloads?tab={tab}#download-3"


def test_a_row_of_somebody_else_is_not_there(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(3), of=(BEN,))

    assert ann.client.get("/downloads/3").status_code == 404
    assert ann.client.get("/downloads/99").status_code == 404


def test_several_are_asked_for_at_once(ann: Browser, doing: FakeActions, desk: FakeDesk) -> None:
    desk.add(a_download(7), of=(ANN,))
    asked = [TRACK, ALBUM, TRACK, "nonsense"]

    status, _ = download(ann, item=asked)

    assert status == 303
    assert doing.additions == [([TRACK, ALBUM], None, None)]


def test_what_cannot_be_had_is_said(ann: Browser, doing: FakeActions, desk: FakeDesk) -> None:
    desk.add(a_download(7))
    doing.unknown = {ALBUM}

    nothing = download(ann, item=ALBUM, next="/library?q=x")
    some = download(ann, item=[TRACK, ALBUM])

    assert nothing[0] == 404
    assert "This cannot be downloaded" in nothing[1]
    assert 'href="/library?q=x"' in nothing[1]
    assert some[0] == 200
    assert "The rest of it is queued" in some[1]
    assert 'href="/downloads/7"' in some[1]
    assert download(ann)[0] == 400


def hearts(answer: Sequence[str] | str) -> list[str]:
    return re.findall(r'aria-pressed="(\w+)"', str(answer))


def test_a_heart_is_pressed_in_place_or_leads_back(ann: Browser) -> None:
    form = {"csrf": ann.csrf, "value": "on", "title": "Track 7", "next": "/library?q=seven"}

    plain = ann.client.post(f"/library/{TRACK}/heart", data=form)
    in_place = ann.client.post(
        f"/library/{TRACK}/heart", data=form | {"value": "off"}, headers={"HX-Request": "true"}
    )

    assert plain.headers["Location"] == "/library?q=seven"
    assert hearts(in_place.text) == ["false"]
    assert "<html" not in in_place.text
    assert 'name="value" value="on"' in in_place.text
    unknown = ann.client.post(f"/library/{'0' * 32}/heart", data=form)
    assert unknown.status_code == 404
