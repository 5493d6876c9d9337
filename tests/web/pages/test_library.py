from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.services.library.download_state import ButtonState
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import STICK, track
from tests.services.rules.steered import library, row
from tests.web.house import (
    ANN,
    BEN,
    PLAYER,
    UNKNOWN,
    Browser,
    WebHouse,
    web_house,
    with_player,
    without_jellyfin,
)
from tests.web.series import EPISODES, SEASONS, SERIES, add_series

TRACK, ALBUM, NOWHERE = track(7).id, track(80).id, "0" * 32
NASTY = "<script>alert(1)</script>\"'"
FIRST_LIGHT = row(80, Type="MusicAlbum", Name="First Light", ChildCount=12, CanDownload=None)
SONGS = [row(number, ParentId=ALBUM, AlbumId=ALBUM) for number in range(1, 13)]


def has(house: WebHouse, *rows: Mapping[str, object]) -> None:
    """Let Jellyfin have these items, and one library."""

    def answer(request: Request) -> Reply:
        types = request.query.get("includeItemTypes", "").split(",")
        within = "parentId" in request.query or "ids" in request.query
        fitting = [one for one in rows if within or one["Type"] in types]
        shown = fitting if within else [{**one, "ParentId": None} for one in fitting]
        return library(*shown)(request)

    house.library(*rows)
    house.jellyfin.routes["GET /Items"] = answer
    nothing = json_reply({"Items": [], "TotalRecordCount": 0, "StartIndex": 0})
    house.jellyfin.routes["GET /Artists/AlbumArtists"] = nothing
    music = row(70, Type="CollectionFolder", Name="Music", CollectionType="music")
    views = json_reply({"Items": [music], "TotalRecordCount": 1, "StartIndex": 0})
    house.jellyfin.routes["GET /UserViews"] = views


@pytest.fixture(autouse=True)
def _stocked(house: WebHouse) -> None:
    """An album of twelve tracks."""
    has(house, FIRST_LIGHT, *SONGS)


def told(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def lists(house: WebHouse) -> list[Mapping[str, str]]:
    """Return how Jellyfin was asked for lists."""
    return [one.query for one in house.jellyfin.asked("/Items") if "limit" in one.query]


def test_the_start_shows_the_libraries_and_what_is_new(house: WebHouse, ann: Browser) -> None:
    page = ann.get("/library").text

    assert "Your libraries" in page
    assert "New in Jellyfin" in page
    assert f'href="/library/{ALBUM}"' in page
    picture, newest, played = lists(house)
    assert newest["sortBy"].startswith("DateCreated")
    assert (played["sortBy"][:10], played["filters"]) == ("DatePlayed", "IsPlayed")
    # For a library without a picture; it is asked for once.
    assert picture["parentId"] == track(70).id
    ann.get("/library")
    assert len(lists(house)) == 5


def test_a_shelf_keeps_search_order_page_and_device(house: WebHouse, ann: Browser) -> None:
    page = ann.get(f"/library?shelf=films&q=blue&sort=year&page=1&device={STICK}").text

    [asked] = lists(house)
    assert asked["includeItemTypes"] == "Movie,MusicVideo,Video"
    assert asked["searchTerm"] == "blue"
    assert asked["sortBy"].startswith("ProductionYear")
    assert f'href="/library?shelf=series&amp;q=blue&amp;device={STICK}"' in page


def test_a_list_is_narrowed_by_letter_genre_years_and_what_is_not_there(
    house: WebHouse, ann: Browser
) -> None:
    genres = {"Items": [row(60, Name="Drone"), row(61, Name="Dub")], "TotalRecordCount": 2}
    house.jellyfin.routes["GET /MusicGenres"] = json_reply({**genres, "StartIndex": 0})
    path = "/library?shelf=albums&initial=B&genre=Drone&decade=1990&sort=random"

    page = ann.get(path).text

    [asked] = lists(house)
    assert (asked["nameStartsWith"], asked["genres"], asked["sortBy"]) == ("B", "Drone", "Random")
    assert asked["years"] == ",".join(map(str, range(1990, 2000)))
    assert "<option selected>Drone</option>" in page
    assert "<option>Dub</option>" in page
    # A letter keeps the rest, and a second time takes it back; another shelf begins anew.
    rest = "genre=Drone&amp;decade=1990&amp;sort=random"
    assert f'href="/library?shelf=albums&amp;initial=C&amp;{rest}"' in page
    assert f'href="/library?shelf=albums&amp;{rest}" aria-current="true">B<' in page
    assert 'href="/library?shelf=films"' in page
    house.jellyfin.requests.clear()
    ann.get("/library?shelf=albums&initial=%23&genre=Drone")
    assert lists(house)[0]["nameLessThan"] == "a"
    assert house.jellyfin.asked("/MusicGenres") == []

    with house.store.db.write():
        for number in range(1, 13):
            house.add(number, status=Status.COMPLETED, album_id=ALBUM)
    assert "First Light" in ann.get("/library?shelf=albums").text
    missing = ann.get("/library?shelf=albums&missing=yes").text
    assert "First Light" not in missing
    assert "Nothing on this page fits" in missing
    assert "Not on Car stick" in missing


def test_it_says_why_something_is_not_there(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED)
    house.add(2, status=Status.FAILED)
    ann.get(f"/library/{ALBUM}")

    page = told(ann.get(f"/library/{ALBUM}/why?device={STICK}").text)

    assert "Why is First Light not on Car stick?" in page
    assert "10 files" in page
    assert "Jellyfin refuses the file" in page
    assert "Why not here?" in ann.get(f"/library/{ALBUM}").text
    house.store.downloads.queue.cancel(house.row(2))
    for number in range(2, 13):
        house.add(number, status=Status.COMPLETED)
    assert "All of it is there" in told(ann.get(f"/library/{ALBUM}/why").text)
    assert "Why not here?" not in ann.get(f"/library/{ALBUM}").text


def test_something_is_kept_in_sync_where_it_is_and_that_is_undone(
    house: WebHouse, ann: Browser
) -> None:
    form = {"device": STICK, "value": "on", "next": f"/library/{ALBUM}"}
    assert "Keep in sync on Car stick" in ann.get(f"/library/{ALBUM}").text

    page = ann.get(ann.press(f"/library/{ALBUM}/sync", **form).location).text

    assert "It is kept in sync from now on." in page
    assert "Kept in sync on Car stick" in page
    assert "Stop keeping it in sync" in page
    [chosen] = house.store.chosen.of(ANN.user_id, STICK)
    assert (chosen.playlist_id, chosen.kind) == (ALBUM, "MusicAlbum")
    undo(ann, page)
    assert house.store.chosen.of(ANN.user_id, STICK) == ()
    ann.press(f"/library/{ALBUM}/sync", **form)
    page = ann.get(ann.press(f"/library/{ALBUM}/sync", **{**form, "value": "off"}).location).text
    assert "It is no longer kept in sync." in page
    undo(ann, page)
    assert house.store.chosen.of(ANN.user_id, STICK) == (chosen,)
    # A track has nothing that could be added to it.
    assert "Keep in sync" not in ann.get(f"/library/{TRACK}").text
    assert ann.press(f"/library/{TRACK}/sync", **form).status_code == 409


def test_what_makes_no_sense_is_as_if_it_were_not_there(ann: Browser) -> None:
    for odd in ("shelf=none", "sort=up", "page=-1", "page=9999999999", "device=x"):
        assert ann.get(f"/library?{odd}").status_code == 200, odd
        assert ann.get(f"/library/{ALBUM}?{odd}").status_code == 200, odd


def test_a_search_looks_on_each_shelf(house: WebHouse, ann: Browser) -> None:
    page = ann.get("/library?q=light").text

    assert {one["limit"] for one in lists(house)} == {"6"}
    assert len(lists(house)) == 5
    assert len(house.jellyfin.asked("/Artists/AlbumArtists")) == 1
    assert "<h2" in page


def test_nothing_found_explains_itself(house: WebHouse, ann: Browser) -> None:
    has(house)

    page = ann.get("/library?q=zzz").text
    assert "Nothing matches “zzz”" in told(page)
    assert re.search(r'<a class="button" href="/library">\s*Show everything', page)
    assert "Nothing here yet" in ann.get("/library?shelf=albums").text


def test_an_album_has_a_page_with_its_tracks_to_choose_from(ann: Browser) -> None:
    page = ann.get(f"/library/{ALBUM}").text

    assert "<h1>First Light</h1>" in page
    assert f'name="item" value="{TRACK}" form="chosen"' in page
    assert "Download selected" in page
    assert "Select Tone 7" in page


def test_what_an_account_may_not_see_is_not_there(house: WebHouse, ann: Browser) -> None:
    house.jellyfin.routes[f"GET /Items/{NOWHERE}"] = UNKNOWN

    for path in (f"/library/{NOWHERE}", f"/library/{'z' * 32}"):
        assert ann.get(path).status_code == 404


def test_while_jellyfin_is_away_the_page_says_so(tmp_path: Path, clock: FakeClock) -> None:
    with web_house(tmp_path, clock, change=without_jellyfin) as alone:
        answer = alone.come_in(ANN).get("/library")

    assert answer.status_code == 503
    assert "Jellyfin is unreachable" in answer.text


def test_titles_cannot_do_harm(house: WebHouse, ann: Browser) -> None:
    names = {"Name": NASTY, "Artists": [NASTY], "Album": NASTY, "ParentId": ALBUM}
    has(house, FIRST_LIGHT, row(7, **names))

    for path in ("/library", f"/library/{TRACK}", f"/library/{ALBUM}", "/library?shelf=tracks"):
        assert NASTY not in ann.get(path).text


@pytest.mark.parametrize("users", [("ben",)])
def test_without_a_device_one_may_look_around(ann: Browser) -> None:
    page = ann.get(f"/library/{ALBUM}").text

    assert "nowhere to download to" in page
    assert "/library/download" not in page


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [
        (ButtonState.AVAILABLE, None, "Download"),
        (ButtonState.PARTLY, None, "Download the rest 3 of 12"),
        (ButtonState.WAITING, Status.PENDING, "Queued, number 4 3 of 12"),
        (ButtonState.DOWNLOADING, Status.DOWNLOADING, "Downloading 3 of 12"),
        (ButtonState.PAUSED, Status.PAUSED, "Paused 3 of 12"),
        (ButtonState.FAILED, Status.FAILED, "Failed 3 of 12"),
        (ButtonState.COMPLETED, Status.COMPLETED, "On the device"),
    ],
)
def test_a_button_says_how_it_stands(
    house: WebHouse, ann: Browser, state: ButtonState, status: Status | None, said: str
) -> None:
    for number in range(1, 4 if state is not ButtonState.AVAILABLE else 0):
        house.add(number, status=Status.COMPLETED)
    for number in (20, 21, 22):
        house.add(number)
    last = 13 if state is ButtonState.COMPLETED else 5 if status else 4
    rows = [house.add(number, status=status) for number in range(4, last) if status]

    page = ann.get(f"/library/{ALBUM}").text

    (large,) = re.findall(r'<span class="get large .*?</(?:form|a)>', page, re.DOTALL)
    assert told(large).split(" First Light")[0].strip() == said
    leads = "/downloads/" in large
    assert leads == (state not in {ButtonState.AVAILABLE, ButtonState.PARTLY})
    if state not in {ButtonState.AVAILABLE, ButtonState.PARTLY, ButtonState.COMPLETED}:
        assert f"/downloads/{rows[0].id}" in large
    assert ('stroke-dasharray="25.0 100"' in large) == (state is ButtonState.DOWNLOADING)


@pytest.fixture
def two_devices(tmp_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    """A house with a player beside the stick."""
    with web_house(tmp_path, clock, change=with_player(tmp_path / "player")) as built:
        has(built, FIRST_LIGHT, *SONGS)
        yield built


def test_each_device_has_a_button_and_one_is_chosen_for_the_tracks(two_devices: WebHouse) -> None:
    with two_devices.store.db.write():
        for number in range(1, 13):
            two_devices.add(number, status=Status.COMPLETED)

    ann = two_devices.come_in(ANN)
    page = ann.get(f"/library/{ALBUM}?device={PLAYER}").text

    assert "On the device Car stick" in told(page)
    assert "Download Player" in told(page)
    assert "/library/device" in page
    smalls = re.findall(r'class="get small is-(\w+)".*?data-on="([\w-]+)"', page)
    assert set(smalls) == {("available", PLAYER)}
    # One row for each thing, that says where else it is, and goes on saying so.
    chips = 'class="get chip is-completed" data-get="{}" data-size="chip" data-on="{}"'
    here = chips.format(track(1).id, STICK)
    assert page.count('class="get chip is-completed"') == 12
    assert here in page
    assert here in ann.get(f"/library/buttons?chip={track(1).id}").text
    assert f"/library/{ALBUM}/why?device={PLAYER}" in page
    assert f"/library/{ALBUM}/why?device={STICK}" not in page


def test_what_is_pinned_is_unpinned_where_it_is_found(house: WebHouse, ann: Browser) -> None:
    assert "Unpin" not in ann.get(f"/library/{ALBUM}").text
    download(ann, item=ALBUM, device=STICK)
    assert "Unpin 12 First Light" in told(ann.get(f"/library/{ALBUM}").text)
    # It was pinned as an album, not each of its tracks.
    assert "Unpin" not in ann.get(f"/library/{TRACK}").text
    form = {"kept": "pin", "item": ALBUM, "next": f"/library/{ALBUM}"}

    asked = ann.press(f"/devices/{STICK}/take-back", **form)
    assert "Unpin 12 files?" in asked.text
    assert f'href="/library/{ALBUM}"' in asked.text
    led = ann.press(f"/devices/{STICK}/take-back", **form, sure="yes").location

    assert led.startswith(f"/library/{ALBUM}?done=")
    page = ann.get(led).text
    assert "12 files are unpinned." in page
    assert house.store.holds.pins_of(ANN.user_id, STICK) == {}
    undo(ann, page)
    assert len(house.store.holds.pins_of(ANN.user_id, STICK)) == 1


def test_the_device_is_remembered_for_each_person(two_devices: WebHouse) -> None:
    ann, other = two_devices.come_in(ANN), two_devices.come_in(ANN)

    def chosen(browser: Browser, path: str = f"/library/{ALBUM}") -> set[str]:
        return set(re.findall(r'class="get small.*?data-on="([\w-]+)"', browser.get(path).text))

    assert chosen(ann) == {STICK}
    led = ann.press(
        "/library/device", device=PLAYER, next=f"/library/{ALBUM}?device={STICK}&page=1"
    )
    assert led.headers["Location"] == f"/library/{ALBUM}?page=1"
    assert chosen(ann) == chosen(other) == {PLAYER}
    # A download to another one is a choice as well; what is no device of theirs is none.
    download(ann, item=TRACK, device=STICK)
    ann.press("/library/device", device="nobody's")
    assert chosen(ann) == chosen(other) == {STICK}


def test_the_buttons_come_again_without_asking_jellyfin(house: WebHouse, ann: Browser) -> None:
    ann.get(f"/library/{ALBUM}")
    download = house.add(7, status=Status.DOWNLOADING)
    house.jellyfin.requests.clear()

    page = ann.get(f"/library/buttons?small={TRACK}&large={ALBUM}&small=x").text

    assert house.jellyfin.requests == []
    assert re.findall(r'data-get="(\w+)" data-size="(\w+)" data-on="([\w-]+)"', page) == [
        (TRACK, "small", STICK),
        (ALBUM, "large", STICK),
    ]
    assert f'data-download="{download.id}"' in page
    assert "<html" not in page


def download(ann: Browser, **form: object) -> tuple[int, str]:
    answer = ann.press("/library/download", **form)
    return answer.status_code, answer.headers.get("Location", "") or answer.text


def in_place(ann: Browser, path: str, **form: object) -> str:
    """Do what the page's script does, and return what it puts into the page."""
    sent = {"csrf": ann.csrf, **form}
    answer = ann.client.post(path, data=sent, headers={"HX-Request": "true"})
    assert answer.status_code == 200, told(answer.text)[-400:]
    assert "<html" not in answer.text
    return answer.text


def undo(ann: Browser, page: str) -> str:
    (token,) = re.findall(r'name="token" value="([^"]+)"', page)
    return in_place(ann, "/undo", token=token)


def test_download_leads_back_and_says_what_happened(house: WebHouse, ann: Browser) -> None:
    status, where = download(ann, item=ALBUM, device=STICK, next="/library?q=light&done=old")

    assert status == 303
    assert re.fullmatch(r"/library\?q=light&done=[\w-]+", where)
    page = ann.get(where).text
    assert "First Light: 12 files are queued for Car stick." in told(page)
    assert 'data-dismisses href="/library?q=light"' in page
    assert house.row(7).status is Status.PENDING


def test_download_and_cancel_change_what_stands_there_and_are_undone(
    house: WebHouse, ann: Browser
) -> None:
    house.add(1, status=Status.COMPLETED)
    ann.get(f"/library/{ALBUM}")
    album = {"item": ALBUM, "device": STICK, "next": f"/library/{ALBUM}"}

    def buttons() -> str:
        return told(ann.get(f"/library/buttons?large={ALBUM}").text).strip()

    began = in_place(ann, "/library/download", **album)
    assert "First Light: 11 files are queued for Car stick." in told(began)
    assert f'name="next" value="/library/{ALBUM}"' in began
    assert buttons().startswith("Queued, number 1 1 of 12")
    again = in_place(ann, "/library/download", **album)
    assert "First Light is on Car stick, or on its way there." in told(again)
    assert "Undo" not in again

    cancelled = in_place(ann, "/library/cancel", **album)
    assert "11 downloads are cancelled." in told(cancelled)
    assert buttons().startswith("Download the rest 1 of 12")
    undo(ann, cancelled)
    assert buttons().startswith("Queued, number 1 1 of 12")

    # What was removed before stays so when the wish for it is taken back.
    in_place(ann, "/library/cancel", **album)
    began = in_place(ann, "/library/download", **album)
    undone = told(undo(ann, began))
    assert "It is undone. What had come already stays until its space is needed." in undone
    assert buttons().startswith("Download the rest 1 of 12")
    assert len(house.store.tombstones.items(ANN.user_id, STICK)) == 11
    assert house.row(1).status is Status.COMPLETED


def test_a_container_that_was_asked_for_in_a_list_shows_how_it_stands(
    house: WebHouse, ann: Browser
) -> None:
    list_id = track(90).id
    has(house, row(90, Type="Playlist", Name="Road", CanDownload=None), *SONGS)
    entries = json_reply({"Items": SONGS, "TotalRecordCount": 12, "StartIndex": 0})
    house.jellyfin.routes[f"GET /Playlists/{list_id}/Items"] = entries
    ann.get("/library?shelf=playlists")
    assert "data-get" not in ann.get(f"/library/buttons?medium={list_id}").text

    in_place(ann, "/library/download", item=list_id, device=STICK)

    assert "Queued, number 1" in ann.get(f"/library/buttons?medium={list_id}").text


def test_a_download_can_be_found_in_the_list(house: WebHouse, ann: Browser) -> None:
    with house.store.db.write():
        ids = {number: house.add(number).id for number in range(20, 80)}

    place = f"/downloads?tab=active#download-{ids[44]}"
    assert ann.get(f"/downloads/{ids[44]}").headers["Location"] == place
    assert f'id="download-{ids[44]}"' in ann.get(place).text
    far = ann.get(f"/downloads/{ids[79]}").headers["Location"]
    assert far == f"/downloads?tab=active&page=2#download-{ids[79]}"
    assert f'id="download-{ids[79]}"' in ann.get(far).text


@pytest.mark.parametrize(
    ("status", "tab"),
    [(Status.COMPLETED, "completed"), (Status.FAILED, "failed"), (Status.REMOVED, "removed")],
)
def test_what_is_there_already_is_shown_where_it_is(
    house: WebHouse, ann: Browser, status: Status, tab: str
) -> None:
    there = house.add(3, status=status)

    where = ann.get(f"/downloads/{there.id}").headers["Location"]

    assert where == f"/downloads?tab={tab}#download-{there.id}"


def test_a_row_of_somebody_else_is_not_there(house: WebHouse, ann: Browser) -> None:
    foreign = house.add(3, BEN)

    assert ann.get(f"/downloads/{foreign.id}").status_code == 404
    assert ann.get("/downloads/99").status_code == 404


def test_several_are_asked_for_at_once(house: WebHouse, ann: Browser) -> None:
    status, _ = download(ann, item=[TRACK, ALBUM, TRACK, "nonsense"])

    assert status == 303
    assert ann.told("/api/v1/downloads")["total"] == 12
    assert house.row(7).status is Status.PENDING


def test_what_cannot_be_had_is_said(house: WebHouse, ann: Browser) -> None:
    has(house, row(7))
    house.jellyfin.routes[f"GET /Items/{ALBUM}"] = UNKNOWN

    nothing = download(ann, item=ALBUM, next="/library?q=x")
    some = download(ann, item=[TRACK, ALBUM])

    assert nothing[0] == 404
    assert "This cannot be downloaded" in nothing[1]
    assert 'href="/library?q=x"' in nothing[1]
    assert some[0] == 200
    assert "The rest of it is queued" in some[1]
    assert f'href="/downloads/{house.row(7).id}"' in some[1]
    assert download(ann)[0] == 400


def hearts(answer: str) -> list[str]:
    return re.findall(r'aria-pressed="(\w+)"', answer)


def test_a_heart_is_pressed_in_place_or_leads_back_and_is_undone(
    house: WebHouse, ann: Browser
) -> None:
    routes, path = house.jellyfin.routes, f"/UserFavoriteItems/{TRACK}"
    for verb, is_favourite in (("POST", True), ("DELETE", False)):
        routes[f"{verb} {path}"] = json_reply({"ItemId": TRACK, "IsFavorite": is_favourite})
    now = f"GET /UserItems/{TRACK}/UserData"
    routes[now] = json_reply({"ItemId": TRACK, "Played": False, "IsFavorite": False})
    routes[f"GET /UserItems/{NOWHERE}/UserData"] = UNKNOWN
    form = {"value": "on", "title": "Tone 7", "next": "/library?q=seven"}
    ann.get(f"/library/{ALBUM}")

    plain = ann.press(f"/library/{TRACK}/heart", **form)
    assert plain.location.startswith("/library?q=seven&done=")
    assert hearts(ann.get(f"/library/buttons?heart={TRACK}").text) == ["true"]
    routes[now] = json_reply({"ItemId": TRACK, "Played": False, "IsFavorite": True})
    cleared = in_place(ann, f"/library/{TRACK}/heart", **form | {"value": "off"})
    assert "Tone 7 is no longer a favourite." in told(cleared)
    assert hearts(ann.get(f"/library/buttons?heart={TRACK}").text) == ["false"]
    undo(ann, cleared)

    assert hearts(ann.get(f"/library/buttons?heart={TRACK}").text) == ["true"]
    assert [one.method for one in house.jellyfin.asked(path)] == ["POST", "DELETE", "POST"]
    tokens = {one.headers["Authorization"] for one in house.jellyfin.asked(path)}
    assert all("ann" in one for one in tokens), tokens
    assert ann.press(f"/library/{NOWHERE}/heart", **form).status_code == 404


def has_music(house: WebHouse) -> None:
    """Let Jellyfin have a library with two tracks."""
    music = row(70, Type="CollectionFolder", Name="Music", CollectionType="music")
    has(house, music, *(row(number, ParentId=track(70).id) for number in (1, 2)))


def test_a_whole_library_is_asked_about_first(house: WebHouse, ann: Browser) -> None:
    has_music(house)
    form = {"item": track(70).id, "device": STICK}

    shown = ann.get(f"/library/{track(70).id}").text
    asked = ann.press("/library/download", **form)

    assert "Download" in shown
    assert asked.status_code == 422
    assert "Music is a whole library with 2 files, " in told(asked.text)
    assert "All of it?" in asked.text
    assert 'name="whole" value="yes"' in asked.text
    assert "Yes, download all of it" in asked.text
    assert not house.store.downloads.queries.by_item(STICK, track(1).id)

    answer = ann.press("/library/download", **form, whole="yes")

    assert answer.status_code == 303
    assert house.row(1).status is Status.PENDING
    assert house.row(2).status is Status.PENDING


def test_the_api_asks_about_a_whole_library_too(house: WebHouse, ann: Browser) -> None:
    has_music(house)

    refused = ann.send("POST", "/api/v1/downloads", {"item_id": track(70).id})
    taken = ann.send("POST", "/api/v1/downloads", {"item_id": track(70).id, "whole": True})

    assert (refused.status_code, taken.status_code) == (409, 201)
    assert '"code": "whole-library"' in refused.text.replace('":"', '": "')
    assert "2 files" in refused.text
    assert '"total":2' in taken.text


def test_a_series_says_what_comes_next_and_how_much_is_unwatched(
    house: WebHouse, ann: Browser
) -> None:
    add_series(house)
    house.add(EPISODES[0], status=Status.COMPLETED)
    house.jellyfin.requests.clear()

    page = ann.get(f"/library/{SERIES}").text

    begins = page.index('id="next-up"')
    assert "3 unwatched" in told(page[:begins])
    after, seasons = told(page[begins:]).split("Seasons", 1)
    assert "Beacon 2 Season 1, episode 2" in after
    assert "9 min left" in after
    assert "Resume at 1:30 Beacon 2" in after
    assert 'data-from="90"' in page
    said = re.findall(r"Season \d|\d unwatched|\d of \d", seasons)
    assert list(dict.fromkeys(said)) == [
        "Season 1",
        "1 unwatched",
        "1 of 2",
        "Season 2",
        "2 unwatched",
    ]
    # The series, what is in it, its seasons, and what comes next.
    paths = sorted(one.path for one in house.jellyfin.requests)
    assert paths == ["/Items", "/Items", f"/Items/{SERIES}", "/Shows/NextUp"]
    assert house.jellyfin.asked("/Shows/NextUp")[0].query["seriesId"] == SERIES
    del house.jellyfin.routes["GET /Shows/NextUp"]
    assert 'id="next-up"' not in ann.get(f"/library/{SERIES}").text


def test_the_library_begins_with_what_was_begun(house: WebHouse, ann: Browser) -> None:
    assert 'id="continued"' not in ann.get("/library").text

    add_series(house)

    page = ann.get("/library").text
    continued = told(page[page.index('id="continued"') :])
    assert continued.count("Resume at 1:30 Beacon 2") == 1
    assert house.jellyfin.asked("/Shows/NextUp")[-1].query["enableResumable"] == "false"


def test_episodes_say_whether_they_were_watched(house: WebHouse, ann: Browser) -> None:
    add_series(house)

    page = told(ann.get(f"/library/{SEASONS[0]}").text)

    assert re.findall(r"Beacon \d watched|Beacon \d \d min left", page) == [
        "Beacon 1 watched",
        "Beacon 2 9 min left",
    ]


def test_what_was_watched_is_marked_and_taken_back(house: WebHouse, ann: Browser) -> None:
    add_series(house)
    second = track(EPISODES[1]).id
    ann.get(f"/library/{SEASONS[0]}")
    data = {"ItemId": second, "IsFavorite": False, "Played": True}
    routes = house.jellyfin.routes
    routes[f"POST /UserPlayedItems/{second}"] = json_reply(data)
    routes[f"GET /UserItems/{second}/UserData"] = json_reply(data | {"PlayCount": 1})
    position = {"PlaybackPositionTicks": 900_000_000, "Played": False}
    routes[f"POST /UserItems/{second}/UserData"] = json_reply(data | position)

    def mark() -> str:
        return told(ann.get(f"/library/buttons?seen={second}").text).strip()

    assert mark() == "9 min left"
    answer = in_place(ann, f"/library/{second}/played", value="on", title="Beacon 2")
    assert "Beacon 2 is marked as played." in told(answer)
    assert mark() == "watched"
    assert "Mark as not played" in ann.get(f"/library/buttons?mark={second}").text
    undo(ann, answer)

    assert mark() == "9 min left"
    [taken_back] = house.jellyfin.asked(f"/UserItems/{second}/UserData")[1:]
    assert json.loads(taken_back.body) == position | {"PlayCount": 0}


def test_one_menu_has_all_that_can_be_done_with_a_track(house: WebHouse, ann: Browser) -> None:
    facts = {"AlbumId": ALBUM, "AlbumArtists": [{"Id": track(60).id, "Name": "Sine Waves"}]}
    data = {"UserData": {"IsFavorite": True, "Played": False}}
    house.library(row(7, **facts, **data))
    house.jellyfin.requests.clear()

    page = ann.get(f"/library/{TRACK}/menu?next=/library%3Fq%3Dtone").text

    for words in (
        "Play Tone 7",
        "Play next",
        "Add to the queue",
        "Download Tone 7",
        "Remove from the favourites",
        "Why not here?",
        "Download to this browser",
        "Go to the album",
        "Go to the artist",
    ):
        assert words in told(page), words
    assert 'data-closes href="/library?q=tone"' in page
    assert "Mark as played" not in page
    # Asked once, and not again for what was shown a moment ago.
    assert [one.path for one in house.jellyfin.requests] == [f"/Items/{TRACK}"]
    ann.get(f"/library/{TRACK}/menu")
    assert len(house.jellyfin.requests) == 1


def test_what_a_rule_keeps_is_excluded_from_its_menu(house: WebHouse, ann: Browser) -> None:
    add_series(house)
    second = track(EPISODES[1]).id
    download = house.add(EPISODES[1], status=Status.COMPLETED)

    page = ann.get(f"/library/{second}/menu").text

    assert f"/offline/{download.id}/ask?action=leave_out" in page
    assert "Mark as played" in page
    assert "Go to the series" in page
    assert "Why not here?" not in page


@pytest.mark.parametrize("may", [True, False])
def test_nothing_is_offered_to_an_account_that_may_not_download(
    house: WebHouse, ann: Browser, *, may: bool
) -> None:
    playlist = row(81, Type="Playlist", Name="Road trip", CanDownload=None)
    music = row(70, Type="CollectionFolder", Name="Music", CollectionType="music", CanDownload=None)
    has(house, FIRST_LIGHT, playlist, music, *[{**one, "CanDownload": may} for one in SONGS])
    nothing = json_reply({"Items": [], "TotalRecordCount": 0, "StartIndex": 0})
    house.jellyfin.routes[f"GET /Playlists/{playlist['Id']}/Items"] = nothing
    house.store.accounts.may(ANN.user_id, is_admin=False, may_download=may)
    created = ann.press("/library/filters", name="Jazz", kind="music")

    where = (
        "/library",
        "/library?shelf=albums",
        f"/library/{ALBUM}",
        f"/library/{track(81).id}",
        f"/library/{track(70).id}",
        f"/library/{TRACK}",
        f"/library/{ALBUM}/menu",
        f"/library/{TRACK}/menu",
        f"/library/buttons?medium={ALBUM}&large={TRACK}",
        "/library/filters",
    )
    pages = {one: ann.get(one).text for one in where}

    assert created.status_code == 303
    offers = (
        "/library/download",
        "/this-browser/choose",
        ">Keep in sync",
        'class="pick',
        "pick-all",
    )
    offering = {one for one, page in pages.items() if any(offer in page for offer in offers)}
    assert offering == (set(where) if may else set())
    assert ("does not let your account download this" in pages[f"/library/{ALBUM}"]) is not may
    state = ann.told(f"/api/v1/items/{ALBUM}")["devices"][0]["state"]
    assert state == ("available" if may else "not-taken")
