from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Download
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Answering
from tests.services.conftest import STICK
from tests.web.house import Browser, WebHouse
from tests.web.syncthing import CAR, PHONE, carried_house, carry

PEERS = f"/api/v1/devices/{STICK}/peers"
LINE = f"/api/v1/devices/{STICK}/stignore"


@pytest.fixture
def built(quick_path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Answering]]:
    with carried_house(quick_path, clock) as built:
        yield built


@pytest.fixture
def house(built: tuple[WebHouse, Answering]) -> WebHouse:
    return built[0]


@pytest.fixture(autouse=True)
def file(built: tuple[WebHouse, Answering]) -> Download:
    """Return a file that has arrived on the phone."""
    return carry(*built)[0]


def of_file(file: Download) -> str:
    return f"/api/v1/downloads/{file.id}/peers"


def test_where_a_device_is_carried_is_told(ann: Browser) -> None:
    phone = {
        "id": PHONE,
        "name": "Ann's phone",
        "connected": True,
        "paused": False,
        "last_seen": "2026-11-01T12:01:00.000Z",
        "completion": 99.9,
        "need_bytes": 2000,
        "need_items": 1,
    }
    car = phone | {"id": CAR, "name": "Car", "connected": False, "last_seen": None}
    car["need_items"] = 2

    assert ann.told(PEERS) == {
        "device": {"id": STICK, "name": "Car stick"},
        "is_asked": True,
        "folder": "Music",
        "trouble": None,
        "waits": "what can be removed waits until Ann's phone has 1 newer file",
        "peers": [phone, car],
    }


def test_a_file_says_on_which_devices_it_is_and_since_when(ann: Browser, file: Download) -> None:
    assert ann.told(of_file(file))["items"] == [
        {"peer": "Ann's phone", "arrived_at": "2026-11-01T12:01:00.000Z"},
        {"peer": "Car", "arrived_at": None},
    ]


def test_the_line_is_written_only_when_somebody_says_so(house: WebHouse, ann: Browser) -> None:
    ignore = house.folder / ".stignore"
    shown = {"device_id": STICK, "line": "/.sidecar", "is_there": False}

    assert ann.told(LINE) == shown
    assert not ignore.exists()
    assert ann.send("POST", LINE).json == shown | {"is_there": True}
    assert "/.sidecar" in ignore.read_text()
    assert ann.told(LINE) == shown | {"is_there": True}


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_device_that_is_away_is_said_to_be(house: WebHouse, ann: Browser, verb: str) -> None:
    house.unplug()

    answer = ann.send(verb, LINE)

    assert answer.status_code == 409
    assert b"plug it in" in answer.data


@pytest.mark.parametrize(("verb", "url"), [("GET", PEERS), ("GET", LINE), ("POST", LINE)])
def test_a_device_of_others_is_as_if_it_did_not_exist(
    house: WebHouse, ben: Browser, verb: str, url: str
) -> None:
    foreign, unknown = (ben.send(verb, one) for one in (url, url.replace(STICK, "other")))

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert not (house.folder / ".stignore").exists()


def test_a_file_of_others_is_as_if_it_did_not_exist(ben: Browser, file: Download) -> None:
    foreign, unknown = ben.get(of_file(file)), ben.get("/api/v1/downloads/99/peers")

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data


def test_an_admin_sees_them_all(eve: Browser, file: Download) -> None:
    assert [eve.get(one).status_code for one in (PEERS, LINE, of_file(file))] == [200, 200, 200]
