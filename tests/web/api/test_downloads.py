from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.downloads.states import Status
from sidecar.services.devices.views import DeviceView
from sidecar.services.library.covers import Cover
from sidecar.services.notices import Notice
from tests.fakes.desk import PIXEL, QUEUED_AT, FakeDesk, a_download
from tests.web.house import Browser

LIST = "/api/v1/downloads"


def test_a_download_has_exactly_the_fields_that_were_promised(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(7, started_at=QUEUED_AT + timedelta(seconds=1, milliseconds=500)))

    answer = ann.client.get(f"{LIST}/7").json

    assert answer == {
        "id": 7,
        "item_id": "00000000000000000000000000000007",
        "device_id": "stick",
        "status": "pending",
        "title": "Track 7",
        "artist": "The Quiet Hour",
        "album": "Evenings",
        "item_type": "Audio",
        "progress": 0.0,
        "bytes_downloaded": 0,
        "expected_size": 7_400_000,
        "speed": 0.0,
        "seconds_left": None,
        "file_path": "The Quiet Hour/Evenings/07 - Track 7.flac",
        "content_hash": None,
        "error_code": None,
        "error_message": None,
        "retry_next_at": None,
        "retry_count": 0,
        "priority": 0,
        "queued_at": "2026-11-01T11:30:00.000Z",
        "started_at": "2026-11-01T11:30:01.500Z",
        "completed_at": None,
        "missing_since": None,
        "reasons": [
            {"rule": "favourites", "account": "ann", "text": "A favourite since this evening"}
        ],
        "owners": ["ann"],
        "format": "original",
        "format_note": None,
        "source_size": None,
        "phase": None,
    }


def ids(ann: Browser, arguments: str) -> list[int]:
    answer = ann.client.get(f"{LIST}?{arguments}")
    assert answer.json is not None, answer.text
    return [one["id"] for one in answer.json["items"]]


def test_lists_come_in_pages(ann: Browser, desk: FakeDesk) -> None:
    desk.add(*(a_download(number) for number in range(1, 26)))

    first = ann.client.get(LIST).json
    last = ann.client.get(f"{LIST}?page=3").json

    assert first is not None
    assert last is not None
    assert (first["total"], first["page"], first["page_size"]) == (25, 1, 10)
    assert [one["id"] for one in first["items"]] == list(range(25, 15, -1))
    assert [one["id"] for one in last["items"]] == [5, 4, 3, 2, 1]
    assert ids(ann, "page=2&page_size=2") == [23, 22]
    assert ids(ann, "page=99") == []


def test_states_may_be_repeated_or_separated_by_commas(ann: Browser, desk: FakeDesk) -> None:
    desk.add(*(a_download(n, status=status) for n, status in enumerate(Status, 1)))

    assert ids(ann, "status=pending") == [1]
    assert ids(ann, "status=pending,completed") == [4, 1]
    assert ids(ann, "status=pending&status=failed,paused") == [5, 3, 1]


def test_lists_are_narrowed_by_text_and_device(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(1, title="Perth"), a_download(2, device_id="sd"))

    assert ids(ann, "q=per") == [1]
    assert ids(ann, "device=sd") == [2]
    assert ids(ann, "q=%00%ff") == []


@pytest.mark.parametrize(
    "arguments",
    [
        "status=nonsense",
        "page=0",
        "page=-1",
        "page=1.5",
        "page=x",
        "page=",
        "page=10000000000000000000000",
        "page_size=0",
        "page_size=101",
        "page_size=1000000000",
        "q=" + "x" * 201,
        "device=" + "x" * 10_000,
        "owner=" + "x" * 201,
        "page=%D9%A7",
    ],
)
def test_arguments_out_of_range_are_refused(ann: Browser, arguments: str) -> None:
    answer = ann.client.get(f"{LIST}?{arguments}")

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


def test_devices_and_notices_are_lists_like_all_others(ann: Browser, desk: FakeDesk) -> None:
    desk.shelf = (DeviceView("stick", "Car stick", "", "It is not there", None, 5, None, None),)
    desk.told = (Notice("server", "error", "The server is away"),)

    devices = ann.client.get("/api/v1/devices").json
    notices = ann.client.get("/api/v1/notices").json

    assert devices == {
        "items": [
            {
                "id": "stick",
                "name": "Car stick",
                "trouble": "It is not there",
                "budget": None,
                "used": 5,
                "free": None,
                "total": None,
                "paused": False,
                "unplugged": False,
                "files": 0,
                "missing": 0,
                "managers": [],
                "may_manage": False,
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 1,
    }
    assert notices is not None
    assert notices["items"] == [{"kind": "server", "level": "error", "text": "The server is away"}]


def test_a_cover_is_a_picture_and_can_be_nothing_else(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(1), a_download(2), a_download(3))
    desk.pictures[1] = Cover(PIXEL, "image/png", "tag")
    desk.pictures[2] = Cover(b"<svg onload='alert(1)'/>", "image/svg+xml", "tag")

    picture = ann.client.get(f"{LIST}/1/cover?width=x")
    again = ann.client.get(f"{LIST}/1/cover", headers={"If-None-Match": picture.headers["ETag"]})

    assert (picture.status_code, picture.mimetype, picture.data) == (200, "image/png", PIXEL)
    assert picture.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert picture.headers["Cache-Control"] == "private, no-cache"
    assert again.status_code == 304
    assert ann.client.get(f"{LIST}/2/cover").status_code == 404
    assert ann.client.get(f"{LIST}/3/cover").status_code == 404


def test_what_is_known_already_is_not_sent_again(ann: Browser, desk: FakeDesk) -> None:
    desk.add(a_download(7))
    first = ann.client.get("/api/v1/downloads")
    known = {"If-None-Match": first.headers["ETag"]}

    again = ann.client.get("/api/v1/downloads", headers=known)
    desk.change(7, bytes_downloaded=5)
    changed = ann.client.get("/api/v1/downloads", headers=known)

    assert (again.status_code, again.data) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
