from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.web.app import Web
from tests.fakes.desk import ANN, BEN, FakeDesk
from tests.fakes.library import FakeOffline
from tests.web.conftest import come_in
from tests.web.house import Browser

LIST = "/api/v1/offline"
HERE = Path("/media/car/The Quiet Hour/Evenings/07 - Track 7.flac")
ITEM = f"{7:032x}"


def test_a_file_has_exactly_the_fields_that_were_promised(
    ann: Browser, on_devices: FakeOffline
) -> None:
    on_devices.add(ANN, 7, path=HERE, text=None)

    told = ann.client.get(LIST).json

    file = {
        "download_id": 7,
        "item_id": ITEM,
        "device_id": "stick",
        "device_name": "Car stick",
        "title": "Track 7",
        "artist": "The Quiet Hour",
        "album": "Evenings",
        "kind": "track",
        "item_type": "Audio",
        "file_path": "The Quiet Hour/Evenings/07 - Track 7.flac",
        "size": 1234,
        "content_hash": None,
        "completed_at": None,
        "reasons": [],
        "owners": [],
        "available": True,
        "text": None,
        "path": str(HERE),
        "url": "/media/7",
    }
    assert told == {"items": [file], "total": 1, "page": 1, "page_size": 10, "missing": 0}
    assert ann.client.get(f"{LIST}/{ITEM}").json == {
        "item_id": ITEM,
        "available": True,
        "text": None,
        "path": str(HERE),
        "url": "/media/7",
        "files": [file],
    }


def test_what_is_not_there_says_why_and_has_no_address(
    ann: Browser, on_devices: FakeOffline
) -> None:
    on_devices.add(ANN, 7, path=None, text="Car stick is not there")

    told = ann.client.get(f"{LIST}/{ITEM}").json

    assert told is not None
    assert {name: told[name] for name in ("available", "text", "path", "url")} == {
        "available": False,
        "text": "Car stick is not there",
        "path": None,
        "url": None,
    }


def test_lists_are_asked_for_by_words_device_and_kind(
    ann: Browser, on_devices: FakeOffline
) -> None:
    answer = ann.client.get(f"{LIST}?q=%20quiet&device=stick&kind=track,Movie&page=2&page_size=5")

    assert answer.status_code == 200
    (asked,) = on_devices.asked
    assert (asked.text, asked.device_id, asked.page, asked.page_size) == ("quiet", "stick", 2, 5)
    assert asked.item_types == {"Audio", "Movie"}


@pytest.mark.parametrize(
    "asked", ["page=0", "page_size=101", "kind=view", "kind=song", "q=" + "a" * 201]
)
def test_what_makes_no_sense_is_refused(ann: Browser, asked: str) -> None:
    answer = ann.client.get(f"{LIST}?{asked}")

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist(
    web: Web, desk: FakeDesk, on_devices: FakeOffline
) -> None:
    on_devices.add(ANN, 7, path=HERE, text=None)
    ben = come_in(web, desk, BEN).client

    foreign, unknown = ben.get(f"{LIST}/{ITEM}"), ben.get(f"{LIST}/{'9' * 32}")

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert ben.get(f"{LIST}/not-an-id").status_code == 404
