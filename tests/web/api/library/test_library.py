from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Status
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import json_reply
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.web.house import (
    ANN,
    BEN,
    PIXEL,
    UNKNOWN,
    Browser,
    WebHouse,
    web_house,
    without_jellyfin,
)

LIST = "/api/v1/items"
TRACK, ALBUM = track(7).id, track(8).id
ONE = f"{LIST}/{TRACK}"
NOWHERE = "9" * 32
TAGGED = row(
    7,
    Artists=["The Sine Waves"],
    AlbumId=ALBUM,
    AlbumPrimaryImageTag="tag",
    ParentIndexNumber=1,
    ProductionYear=2019,
    RunTimeTicks=275_000_000,
    UserData={"IsFavorite": True, "Played": False},
)


@pytest.fixture(autouse=True)
def _a_track(house: WebHouse) -> None:
    house.library(TAGGED, row(8, Type="MusicAlbum", Name="First Light", CanDownload=None))


def test_an_item_has_exactly_the_fields_that_were_promised(house: WebHouse, ann: Browser) -> None:
    download = house.add(7)

    button = {
        "device_id": STICK,
        "device_name": "Car stick",
        "state": "waiting",
        "download_id": download.id,
        "place": 1,
        "progress": 0.0,
        "done": 0,
        "total": 1,
        "text": None,
    }
    item = {
        "item_id": TRACK,
        "kind": "track",
        "item_type": "Audio",
        "title": "Tone 7",
        "artist": "The Sine Waves",
        "album": "First Light",
        "album_id": ALBUM,
        "series": None,
        "series_id": None,
        "number": 7,
        "disc": 1,
        "year": 2019,
        "seconds": 27.5,
        "size": 5,
        "favourite": True,
        "played": False,
        "children": None,
        "can_download": True,
        "cover": f"{ONE}/cover",
        "devices": [button],
    }
    house.library(TAGGED)
    found = ann.told(f"{LIST}?kind=track")
    assert found == {"items": [item], "total": 1, "page": 1, "page_size": 10}
    assert ann.told(ONE) == item


def test_the_library_is_asked_for_by_place_kind_words_and_order(
    house: WebHouse, ann: Browser
) -> None:
    house.jellyfin.routes["GET /UserViews"] = json_reply({"Items": [], "TotalRecordCount": 0})

    ann.told(f"{LIST}?parent={ALBUM}&kind=album&kind=Movie&q=x&sort=year&page=2&page_size=5")
    ann.told(LIST)

    [asked] = house.jellyfin.asked("/Items")
    wanted = {
        "parentId": ALBUM,
        "includeItemTypes": "Movie,MusicAlbum",
        "searchTerm": "x",
        "sortBy": "ProductionYear,SortName",
        "startIndex": "5",
        "limit": "5",
    }
    assert {name: asked.query[name] for name in wanted} == wanted
    assert len(house.jellyfin.asked("/UserViews")) == 1


def test_what_makes_no_sense_is_refused(ann: Browser) -> None:
    for asked in ("page=0", "page_size=101", "kind=song", "sort=size"):
        assert ann.get(f"{LIST}?{asked}").status_code == 422, asked


@pytest.mark.parametrize("path", ["", "/cover", "/source"])
def test_unknown_and_odd_ids_are_not_found_alike(house: WebHouse, ann: Browser, path: str) -> None:
    house.jellyfin.routes[f"GET /Items/{NOWHERE}"] = UNKNOWN

    assert ann.get(f"{LIST}/{NOWHERE}{path}").status_code == 404
    for odd in ("x", "Z" * 32, "9" * 31, "%00", f"{'9' * 33}"):
        assert ann.get(f"{LIST}/{odd}{path}").status_code == 404
    assert ann.get(f"{LIST}?parent=x").status_code == 404


def test_while_jellyfin_is_away_that_is_said(tmp_path: Path, clock: FakeClock) -> None:
    with web_house(tmp_path, clock, change=without_jellyfin) as alone:
        ann = alone.come_in(ANN)

        for answer in (
            ann.get(LIST),
            ann.get(ONE),
            ann.get(f"{ONE}/cover"),
            ann.send("PUT", f"{ONE}/heart"),
        ):
            assert answer.status_code == 503
            assert answer.json is not None
            assert "does not answer" in answer.json["detail"]


def test_a_cover_is_kept_by_the_browser_but_asked_about(house: WebHouse, ann: Browser) -> None:
    house.has_cover(ALBUM)
    first = ann.get(f"{ONE}/cover?size=200")
    known = {"If-None-Match": first.headers["ETag"]}
    again = ann.client.get(f"{ONE}/cover?size=200", headers=known)

    assert (first.status_code, first.data) == (200, PIXEL)
    assert first.headers["Content-Type"] == "image/png"
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (again.status_code, again.data) == (304, b"")
    house.has_cover(ALBUM, b"<svg/>")
    assert ann.get(f"{ONE}/cover?size=96").status_code == 404


def test_a_heart_is_pressed_and_taken_away(house: WebHouse, ann: Browser) -> None:
    for verb, is_favourite in (("POST", True), ("DELETE", False)):
        answer = json_reply({"ItemId": TRACK, "IsFavorite": is_favourite})
        house.jellyfin.routes[f"{verb} /UserFavoriteItems/{TRACK}"] = answer

    pressed, taken = (ann.send(verb, f"{ONE}/heart") for verb in ("PUT", "DELETE"))

    assert pressed.json == {"item_id": TRACK, "favourite": True}
    assert taken.json == {"item_id": TRACK, "favourite": False}
    house.jellyfin.routes[f"POST /UserFavoriteItems/{NOWHERE}"] = UNKNOWN
    assert ann.send("PUT", f"{LIST}/{NOWHERE}/heart").status_code == 404


def test_it_is_said_where_something_is_played_from(house: WebHouse, ann: Browser) -> None:
    download, ben = house.add(7, status=Status.COMPLETED), house.come_in(BEN)

    assert ann.told(f"{ONE}/source") == {
        "source": "local",
        "path": str(house.path(download)),
        "url": f"/media/{download.id}",
    }
    assert ben.told(f"{ONE}/source") == {"source": "remote", "stream_url": f"/media/item/{TRACK}"}
    refused = ann.get(f"{LIST}/{ALBUM}/source")
    assert refused.status_code == 422
    assert refused.json is not None
    assert "First Light is nothing that plays by itself" in refused.json["detail"]
