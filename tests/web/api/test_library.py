from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from sidecar.jellyfin.library.browse import BrowseQuery, BrowseSort
from sidecar.web.app import Web
from tests.fakes.desk import ANN, BEN, PIXEL, FakeDesk
from tests.fakes.library import ALBUM, TRACK, FakeLibrary, FakeMedia, an_entry, relayed
from tests.web.conftest import come_in
from tests.web.house import Browser

LIST = "/api/v1/items"
ONE = f"{LIST}/{TRACK}"
UNKNOWN = f"{LIST}/{'9' * 32}"


@pytest.fixture(autouse=True)
def _a_track(library: FakeLibrary) -> None:
    library.entries[TRACK] = an_entry()


def change(who: Browser, verb: str, path: str) -> TestResponse:
    return who.client.open(path, method=verb, headers={"X-Sidecar-CSRF": who.csrf})


def test_an_item_has_exactly_the_fields_that_were_promised(ann: Browser) -> None:
    button = {
        "device_id": "stick",
        "device_name": "Car stick",
        "state": "waiting",
        "download_id": None,
        "place": 3,
        "progress": 0.0,
        "done": 0,
        "total": 1,
    }
    item = {
        "item_id": TRACK,
        "kind": "track",
        "item_type": "Audio",
        "title": "Track 7",
        "artist": "The Quiet Hour",
        "album": "Evenings",
        "album_id": ALBUM,
        "series": None,
        "series_id": None,
        "number": 7,
        "disc": 1,
        "year": 2019,
        "seconds": 27.5,
        "size": 1234,
        "favourite": True,
        "played": False,
        "children": None,
        "can_download": True,
        "cover": f"{ONE}/cover",
        "devices": [button],
    }

    assert ann.client.get(LIST).json == {"items": [item], "total": 1, "page": 1, "page_size": 10}
    assert ann.client.get(ONE).json == item


def test_the_library_is_asked_for_by_place_kind_words_and_order(
    ann: Browser, library: FakeLibrary
) -> None:
    asked = f"parent={ALBUM}&kind=album&kind=Movie&q=x&sort=year&page=2&page_size=5"

    assert ann.client.get(f"{LIST}?{asked}").status_code == 200
    assert ann.client.get(LIST).status_code == 200

    first, second = library.asked
    assert (first.parent, first.text, first.sort) == (ALBUM, "x", BrowseSort.YEAR)
    assert (sorted(first.kinds), first.page, first.page_size) == (["album", "film"], 2, 5)
    assert second == BrowseQuery()


@pytest.mark.parametrize("asked", ["page=0", "page_size=101", "kind=song", "sort=size"])
def test_what_makes_no_sense_is_refused(ann: Browser, asked: str) -> None:
    assert ann.client.get(f"{LIST}?{asked}").status_code == 422


@pytest.mark.parametrize("path", ["", "/cover", "/source"])
def test_unknown_and_odd_ids_are_not_found_alike(ann: Browser, path: str) -> None:
    unknown = ann.client.get(f"{UNKNOWN}{path}")

    assert unknown.status_code == 404
    for odd in ("x", "Z" * 32, "9" * 31, "%00", f"{'9' * 33}"):
        assert ann.client.get(f"{LIST}/{odd}{path}").status_code == 404
    assert ann.client.get(f"{LIST}?parent=x").status_code == 404


def test_while_jellyfin_is_away_that_is_said(ann: Browser, library: FakeLibrary) -> None:
    library.is_away = True

    for answer in (
        ann.client.get(LIST),
        ann.client.get(ONE),
        ann.client.get(f"{ONE}/cover"),
        change(ann, "PUT", f"{ONE}/heart"),
    ):
        assert answer.status_code == 503
        assert answer.json is not None
        assert "does not answer" in answer.json["detail"]


def test_a_cover_is_kept_by_the_browser_but_asked_about(ann: Browser, library: FakeLibrary) -> None:
    first = ann.client.get(f"{ONE}/cover?size=200")
    again = ann.client.get(
        f"{ONE}/cover?size=200", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert (first.status_code, first.data) == (200, PIXEL)
    assert first.headers["Content-Type"] == "image/png"
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (again.status_code, again.data) == (304, b"")
    assert ann.client.get(f"{ONE}/cover?size=480").headers["ETag"] != first.headers["ETag"]
    library.cover_type = "image/svg+xml"
    assert ann.client.get(f"{ONE}/cover").status_code == 404


def test_a_heart_is_pressed_and_taken_away(ann: Browser) -> None:
    pressed, taken = (change(ann, verb, f"{ONE}/heart") for verb in ("PUT", "DELETE"))

    assert pressed.json == {"item_id": TRACK, "favourite": True}
    assert taken.json == {"item_id": TRACK, "favourite": False}
    assert change(ann, "PUT", f"{UNKNOWN}/heart").status_code == 404


def test_it_is_said_where_something_is_played_from(
    web: Web, desk: FakeDesk, ann: Browser, playing: FakeMedia
) -> None:
    playing.add(ANN, 7)
    playing.told[TRACK] = relayed([])
    ben = come_in(web, desk, BEN).client

    assert ann.client.get(f"{ONE}/source").json == {
        "source": "local",
        "path": str(playing.folder / "7"),
        "url": "/media/7",
    }
    assert ben.get(f"{ONE}/source").json == {
        "source": "remote",
        "stream_url": f"/media/item/{TRACK}",
    }
    refused = ann.client.get(f"{LIST}/{ALBUM}/source")
    assert refused.status_code == 422
    assert refused.json is not None
    assert refused.json["detail"] == "Evenings is nothing that plays by itself"
