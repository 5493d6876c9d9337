from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.errors import ServerAway
from sidecar.services.health.jellyfin_status import AWAY
from sidecar.web.api.library.covers import CLEAR
from tests.services.conftest import STICK, track
from tests.web.house import ANN, BEN, PIXEL, Browser, WebHouse

LIST = "/api/v1/downloads"


def test_a_download_has_exactly_the_fields_that_were_promised(
    house: WebHouse, ann: Browser
) -> None:
    download = house.add(7, ANN, BEN)
    house.clock.advance(1.5)
    house.begin(download)

    assert ann.told(f"{LIST}/{download.id}") == {
        "id": download.id,
        "item_id": "00000000000000000000000000000007",
        "device_id": STICK,
        "status": "downloading",
        "title": "Tone 7",
        "artist": "The Sine Waves",
        "album": "First Light",
        "item_type": "Audio",
        "progress": 0.0,
        "bytes_downloaded": 0,
        "expected_size": 7000,
        "speed": 0.0,
        "seconds_left": None,
        "file_path": "The Sine Waves/First Light/07 - Tone 7.flac",
        "content_hash": None,
        "error_code": None,
        "error_message": None,
        "retry_next_at": None,
        "retry_count": 0,
        "priority": 0,
        "queued_at": "2026-11-01T12:00:00.000Z",
        "started_at": "2026-11-01T12:00:01.500Z",
        "completed_at": None,
        "missing_since": None,
        "gone_since": None,
        "hidden_from": [],
        "reasons": [{"rule": "favourites", "account": "ann", "text": "your favourite"}],
        "owners": ["ann"],
        "format": "original",
        "format_note": None,
        "source_size": None,
        "phase": None,
    }


def titles(ann: Browser, arguments: str) -> list[str]:
    return [one["title"] for one in ann.told(f"{LIST}?{arguments}")["items"]]


def test_lists_come_in_pages(house: WebHouse, ann: Browser) -> None:
    for number in range(1, 13):
        house.add(number)

    first, last = ann.told(LIST), ann.told(f"{LIST}?page=2")

    assert (first["total"], first["page"], first["page_size"]) == (12, 1, 10)
    assert [one["title"] for one in first["items"]] == [f"Tone {n}" for n in range(12, 2, -1)]
    assert [one["title"] for one in last["items"]] == ["Tone 2", "Tone 1"]
    assert titles(ann, "page=2&page_size=2") == ["Tone 10", "Tone 9"]
    assert titles(ann, "page=99") == []


def test_states_may_be_repeated_or_separated_by_commas(house: WebHouse, ann: Browser) -> None:
    for number, status in enumerate(Status, 1):
        house.add(number, status=status)

    assert titles(ann, "status=pending") == ["Tone 1"]
    assert titles(ann, "status=pending,completed") == ["Tone 4", "Tone 1"]
    assert titles(ann, "status=pending&status=failed,paused") == ["Tone 5", "Tone 3", "Tone 1"]


def test_lists_are_narrowed_by_text_and_device(house: WebHouse, ann: Browser) -> None:
    house.add(1, title="Perth")
    house.add(2)

    assert titles(ann, "q=per") == ["Perth"]
    assert titles(ann, f"device={STICK}") == ["Tone 2", "Perth"]
    assert titles(ann, "device=sd") == titles(ann, "q=%00%ff") == []


@pytest.mark.usefixtures("house")
def test_arguments_out_of_range_are_refused(ann: Browser) -> None:
    for arguments in (
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
    ):
        answer = ann.get(f"{LIST}?{arguments}")

        assert answer.status_code == 422, arguments
        assert answer.mimetype == "application/problem+json"


def test_devices_and_notices_are_lists_like_all_others(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED)
    house.unplug()
    house.services.accounts.server.tell(ServerAway("The server is away"))

    devices, notices = ann.told("/api/v1/devices"), ann.told("/api/v1/notices")

    away = "Car stick is not there: plug it in and it goes on by itself"
    assert devices == {
        "items": [
            {
                "id": STICK,
                "name": "Car stick",
                "trouble": away,
                "budget": None,
                "used": 1_000_000,
                "free": None,
                "total": None,
                "paused": False,
                "unplugged": False,
                "files": 1,
                "missing": 0,
                "takes": ["audiobooks", "films", "music", "music_videos", "series"],
                "managers": [],
                "machine": None,
                "told_at": None,
                "may_manage": False,
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 1,
    }
    assert notices["items"] == [
        {"kind": "server", "level": "error", "text": AWAY},
        {"kind": "device", "level": "warning", "text": away},
    ]


def test_what_failed_is_tried_again_though_the_clock_is_put_back(house: WebHouse) -> None:
    until = house.clock.now() + timedelta(hours=1)
    failed = house.add(1, status=Status.FAILED, until=until)
    housekeeping = house.services.background.housekeeping
    housekeeping.step()
    assert house.status(failed) is Status.FAILED

    house.clock.set_wall(until - timedelta(days=365))
    housekeeping.step()

    assert house.status(failed) is Status.PENDING


def test_a_cover_is_a_picture_and_can_be_nothing_else(house: WebHouse, ann: Browser) -> None:
    pictured, odd, bare = (
        house.add(1, image_item_id=track(1).id, image_tag="one"),
        house.add(2, image_item_id=track(2).id, image_tag="two"),
        house.add(3),
    )
    house.has_cover(track(1).id)
    house.has_cover(track(2).id, b"<svg onload='alert(1)'/>")

    picture = ann.get(f"{LIST}/{pictured.id}/cover?width=x")
    known = {"If-None-Match": picture.headers["ETag"]}
    again = ann.client.get(f"{LIST}/{pictured.id}/cover", headers=known)

    assert (picture.status_code, picture.mimetype, picture.data) == (200, "image/png", PIXEL)
    assert picture.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert picture.headers["Cache-Control"] == "private, no-cache"
    assert again.status_code == 304
    assert ann.get(f"{LIST}/{odd.id}/cover").status_code == 404
    assert ann.get(f"{LIST}/{bare.id}/cover").status_code == 404
    # To a page, which has its placeholder behind it, that is no error, and no broken picture.
    shown = ann.client.get(f"{LIST}/{bare.id}/cover", headers={"Sec-Fetch-Dest": "image"})
    assert (shown.status_code, shown.mimetype, shown.data) == (200, "image/gif", CLEAR)


def test_what_is_known_already_is_not_sent_again(house: WebHouse, ann: Browser) -> None:
    download = house.add(7)
    first = ann.get(LIST)
    known = {"If-None-Match": first.headers["ETag"]}

    again = ann.client.get(LIST, headers=known)
    house.store.downloads.queue.prioritise(download, 7)
    changed = ann.client.get(LIST, headers=known)

    assert (again.status_code, again.data) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
