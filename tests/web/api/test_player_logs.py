from __future__ import annotations

import pytest

from sidecar.errors import DeviceError, ServerAway, SidecarError
from sidecar.services.player_logs.views import LogInUse
from sidecar.web.app import Web
from tests.fakes.desk import BEN, FakeDesk
from tests.fakes.logs import FakeLogs
from tests.web.conftest import come_in
from tests.web.house import Browser

LOG = "/api/v1/devices/stick/log"


def test_what_would_be_taken_over_has_exactly_the_fields_that_were_promised(ann: Browser) -> None:
    assert ann.client.get(LOG).json == {
        "device": {"id": "stick", "name": "Car stick"},
        "time_zone": "Europe/Berlin",
        "files": [{"path": ".scrobbler.log", "kind": "scrobbler", "size": 1234}],
        "counts": {
            "plays": 1,
            "known": 0,
            "skipped": 0,
            "unknown": 0,
            "ambiguous": 0,
            "undated": 0,
            "gone": 0,
            "others": 0,
            "bad": 1,
        },
        "plays": [
            {
                "item_id": "00000000000000000000000000000007",
                "title": "Track 7",
                "artist": "The Sine Waves",
                "started_at": "2026-11-01T19:37:00.000Z",
                "seconds_heard": 171.3,
            }
        ],
        "remarks": [{"path": ".scrobbler.log", "line": 4, "text": "?", "why": "it is cut off"}],
        "has_more": False,
    }


def test_it_is_taken_over_only_when_somebody_says_so(ann: Browser, logs_desk: FakeLogs) -> None:
    ann.client.get(LOG)
    assert logs_desk.taken_by == []

    answer = ann.client.post(LOG, headers={"X-Sidecar-CSRF": ann.csrf}, json={})

    assert answer.json == {
        "taken": 1,
        "left": 0,
        "refused": [
            {"item_id": f"{8:032x}", "title": "Track 8", "why": "Jellyfin does not let it"}
        ],
    }
    assert logs_desk.taken_by == ["ann"]


def test_devices_of_others_and_unknown_ones_answer_alike(web: Web, desk: FakeDesk) -> None:
    ben = come_in(web, desk, BEN)

    foreign = ben.client.get(LOG)
    unknown = ben.client.get("/api/v1/devices/nothing/log")

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (LogInUse("The plays on Car stick are being taken over"), 409),
        (DeviceError("missing", "Car stick is not there: plug it in"), 409),
        (ServerAway("Jellyfin does not answer"), 503),
    ],
)
def test_what_stands_in_the_way_is_said(
    ann: Browser, logs_desk: FakeLogs, trouble: SidecarError, status: int
) -> None:
    logs_desk.trouble = trouble

    answer = ann.client.post(LOG, headers={"X-Sidecar-CSRF": ann.csrf}, json={})

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert str(trouble) in answer.json["detail"]  # type: ignore[index]  # it is a problem
