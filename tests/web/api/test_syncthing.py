from __future__ import annotations

import pytest

from sidecar.web.app import Web
from tests.fakes.desk import BEN, EVE, FakeDesk
from tests.fakes.peers import FakePeers
from tests.web.conftest import come_in
from tests.web.house import Browser

PEERS = "/api/v1/devices/stick/peers"
LINE = "/api/v1/devices/stick/stignore"
FILE = "/api/v1/downloads/1/peers"


def test_where_a_device_is_carried_is_told(ann: Browser) -> None:
    assert ann.client.get(PEERS).json == {
        "device": {"id": "stick", "name": "Car stick"},
        "is_asked": True,
        "folder": "Music",
        "trouble": None,
        "waits": "what may go waits until Ann's phone has 1 newer file",
        "peers": [
            {
                "id": "PHONE",
                "name": "Ann's phone",
                "connected": True,
                "paused": False,
                "last_seen": "2026-03-01T18:42:00.000Z",
                "completion": 99.9,
                "need_bytes": 3_000_000,
                "need_items": 1,
            }
        ],
    }


def test_a_file_says_on_which_devices_it_is_and_since_when(ann: Browser) -> None:
    told = ann.client.get(FILE).json
    assert told is not None
    assert told["items"] == [
        {"peer": "Ann's phone", "arrived_at": "2026-03-01T18:42:00.000Z"},
        {"peer": "Car", "arrived_at": None},
    ]


def test_the_line_is_written_only_when_somebody_says_so(
    ann: Browser, peers_desk: FakePeers
) -> None:
    headers = {"X-Sidecar-CSRF": ann.csrf}
    shown = {"device_id": "stick", "line": "/.sidecar", "is_there": False}

    assert ann.client.get(LINE).json == shown
    assert not peers_desk.is_there
    assert ann.client.post(LINE, headers=headers).json == shown | {"is_there": True}
    assert ann.client.get(LINE).json == shown | {"is_there": True}


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_device_that_is_away_is_said_to_be(
    ann: Browser, peers_desk: FakePeers, verb: str
) -> None:
    peers_desk.is_away = True

    answer = ann.client.open(LINE, method=verb, headers={"X-Sidecar-CSRF": ann.csrf})

    assert answer.status_code == 409
    assert b"plug it in" in answer.data


@pytest.mark.parametrize(("verb", "url"), [("GET", PEERS), ("GET", LINE), ("POST", LINE)])
def test_a_device_of_others_is_as_if_it_did_not_exist(
    web: Web, desk: FakeDesk, peers_desk: FakePeers, verb: str, url: str
) -> None:
    ben = come_in(web, desk, BEN)
    headers = {"X-Sidecar-CSRF": ben.csrf}

    foreign, unknown = (
        ben.client.open(one, method=verb, headers=headers)
        for one in (url, url.replace("stick/", "other/"))
    )

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert not peers_desk.is_there


def test_a_file_of_others_is_as_if_it_did_not_exist(web: Web, desk: FakeDesk) -> None:
    ben = come_in(web, desk, BEN)

    foreign, unknown = (ben.client.get(one) for one in (FILE, FILE.replace("/1/", "/2/")))

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data


def test_an_admin_sees_them_all(web: Web, desk: FakeDesk) -> None:
    eve = come_in(web, desk, EVE)
    assert [eve.client.get(one).status_code for one in (PEERS, LINE, FILE)] == [200, 200, 200]
