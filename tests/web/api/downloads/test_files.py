from __future__ import annotations

import pytest

from sidecar.domain.downloads.download import Status
from tests.services.conftest import STICK, track
from tests.web.house import BEN, Browser, WebHouse

LIST = "/api/v1/offline"
ITEM = track(7).id


def test_a_file_has_exactly_the_fields_that_were_promised(house: WebHouse, ann: Browser) -> None:
    download = house.add(7, status=Status.COMPLETED)

    file = {
        "download_id": download.id,
        "item_id": ITEM,
        "device_id": STICK,
        "device_name": "Car stick",
        "title": "Tone 7",
        "artist": "The Sine Waves",
        "album": "First Light",
        "kind": "track",
        "item_type": "Audio",
        "file_path": "The Sine Waves/First Light/07 - Tone 7.flac",
        "size": 7000,
        "content_hash": download.content_hash,
        "completed_at": "2026-11-01T12:00:00.000Z",
        "reasons": [{"rule": "favourites", "account": "ann", "text": "your favourite"}],
        "owners": ["ann"],
        "available": True,
        "text": None,
        "path": str(house.path(download)),
        "url": f"/media/{download.id}",
    }
    whole = {"items": [file], "total": 1, "page": 1, "page_size": 10, "missing": 0}
    assert ann.told(LIST) == whole
    assert ann.told(f"{LIST}/{ITEM}") == {
        "item_id": ITEM,
        "available": True,
        "text": None,
        "path": str(house.path(download)),
        "url": f"/media/{download.id}",
        "files": [file],
    }


def test_what_is_not_there_says_why_and_has_no_address(house: WebHouse, ann: Browser) -> None:
    house.add(7, status=Status.COMPLETED)
    house.unplug()

    told = ann.told(f"{LIST}/{ITEM}")

    assert {name: told[name] for name in ("available", "text", "path", "url")} == {
        "available": False,
        "text": "Car stick is not there: plug it in and try again",
        "path": None,
        "url": None,
    }


def test_lists_are_asked_for_by_words_device_and_kind(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED)
    house.add(2, status=Status.COMPLETED, type="Movie")
    house.add(3, status=Status.COMPLETED, title="Perth")
    house.add(4)

    def found(arguments: str) -> list[str]:
        return [one["title"] for one in ann.told(f"{LIST}?{arguments}")["items"]]

    assert found("q=%20tone") == ["Tone 2", "Tone 1"]
    assert found(f"device={STICK}&kind=Movie") == ["Tone 2"]
    assert found("device=Car%20stick&kind=track,Movie") == ["Perth", "Tone 2", "Tone 1"]
    assert found("page=2&page_size=2") == ["Tone 1"]
    assert found("device=another") == []


@pytest.mark.usefixtures("house")
def test_what_makes_no_sense_is_refused(ann: Browser) -> None:
    for asked in ("page=0", "page_size=101", "kind=view", "kind=song", "q=" + "a" * 201):
        answer = ann.get(f"{LIST}?{asked}")

        assert answer.status_code == 422, asked
        assert answer.content_type == "application/problem+json"


def test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist(house: WebHouse) -> None:
    house.add(7, status=Status.COMPLETED)
    ben = house.come_in(BEN)

    foreign, unknown = ben.get(f"{LIST}/{ITEM}"), ben.get(f"{LIST}/{'9' * 32}")

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert ben.get(f"{LIST}/not-an-id").status_code == 404
    assert ben.told(LIST)["items"] == []
