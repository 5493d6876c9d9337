from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.downloads.download import Status
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import STICK, track
from tests.services.travelling import HEADER
from tests.web import returned
from tests.web.house import ANN, Browser, WebHouse, web_house, without_jellyfin

LOG = f"/api/v1/devices/{STICK}/log"


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


@pytest.fixture(autouse=True)
def _a_log(house: WebHouse) -> None:
    returned.bring_log(house)


def take(who: Browser) -> TestResponse:
    return who.send("POST", LOG, {})


def test_what_would_be_taken_over_has_exactly_the_fields_that_were_promised(
    house: WebHouse, ann: Browser
) -> None:
    [remark] = (told := ann.told(LOG)).pop("remarks")

    assert (remark["path"], remark["line"], remark["text"]) == (returned.LOG, 6, "?")
    assert remark["why"]
    assert told == {
        "device": {"id": STICK, "name": "Car stick"},
        "time_zone": "Europe/Berlin",
        "files": [
            {
                "path": returned.LOG,
                "kind": "scrobbler",
                "size": (house.folder / returned.LOG).stat().st_size,
            }
        ],
        "counts": {
            "plays": 2,
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
                "item_id": track(number).id,
                "title": f"Tone {number}",
                "artist": "The Sine Waves",
                "started_at": f"2026-10-01T10:0{minute}:00.000Z",
                "seconds_heard": 13.5,
            }
            for number, minute in ((8, 1), (7, 0))
        ],
        "has_more": False,
    }


def test_it_is_taken_over_only_when_somebody_says_so(house: WebHouse, ann: Browser) -> None:
    house.jellyfin.routes[f"GET /UserItems/{track(8).id}/UserData"] = json_reply({}, 404)
    ann.told(LOG)
    assert house.store.plays.page(ANN.user_id, 1, 10)[1] == 0

    told = take(ann).json

    assert told is not None
    [refused] = told.pop("refused")
    assert told == {"taken": 1, "left": 0}
    assert (refused["item_id"], refused["title"]) == (track(8).id, "Tone 8")
    assert refused["why"]
    [play] = house.store.plays.page(ANN.user_id, 1, 10)[0]
    assert (play.play.title, play.play.client) == ("Tone 7", "Rockbox")


def test_devices_of_others_and_unknown_ones_answer_alike(ben: Browser) -> None:
    foreign, unknown = ben.get(LOG), ben.get(LOG.replace(STICK, "nothing"))

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert foreign.status_code == 404


def test_it_is_taken_over_once_at_a_time(house: WebHouse, ann: Browser) -> None:
    told: list[TestResponse] = []
    path = f"GET /UserItems/{track(7).id}/UserData"
    usual = house.jellyfin.routes[path]
    assert callable(usual)

    def answer_late(request: Request) -> Reply:
        if not told:
            told.append(take(ann))
        return usual(request)

    house.jellyfin.routes[path] = answer_late
    assert take(ann).status_code == 200

    [busy] = told
    assert (busy.status_code, busy.content_type) == (409, "application/problem+json")
    assert b"The plays from Car stick are being added at this moment" in busy.data


def test_a_device_that_is_away_is_told(house: WebHouse, ann: Browser) -> None:
    house.unplug()

    answer = take(ann)

    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert b"plug it in" in answer.data


def test_without_jellyfin_nothing_is_taken_over(tmp_path: Path, clock: FakeClock) -> None:
    with web_house(tmp_path, clock, change=without_jellyfin) as alone:
        alone.add(7, status=Status.COMPLETED, seconds=27.0)
        (alone.folder / returned.LOG).write_text(HEADER + returned.heard("Tone 7"))

        answer = take(alone.come_in(ANN))

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
