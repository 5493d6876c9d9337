from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.downloads.download import Status
from sidecar.services.files.adoption.adopt import NOT_OFFERED
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Reply, Request
from tests.services.conftest import STICK, track
from tests.services.rules.steered import library
from tests.web.house import ANN, Browser, WebHouse, web_house, without_jellyfin
from tests.web.returned import PLACE, SONG, STRANGER, bring_song, put

ADOPTION = f"/api/v1/devices/{STICK}/adoption"


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


@pytest.fixture(autouse=True)
def _a_song(house: WebHouse) -> None:
    bring_song(house)


def test_an_offer_has_exactly_the_fields_that_were_promised(ann: Browser) -> None:
    told = ann.told(ADOPTION)

    [match] = told["matched"]
    assert match.pop("id")
    assert match.pop("why")
    assert told == {
        "device": {"id": STICK, "name": "Car stick"},
        "managers": ["ann"],
        "may_manage": True,
        "found": 2,
        "matched": [
            {
                "path": PLACE,
                "size": len(SONG),
                "item_id": track(7).id,
                "title": "Tone 7",
                "artist": "The Sine Waves",
                "album": "First Light",
            }
        ],
        "matched_total": 1,
        "doubtful": [],
        "doubtful_total": 0,
        "strangers": 1,
        "examples": [STRANGER],
        "unread": 0,
    }


def test_a_person_adopts_some(house: WebHouse, ann: Browser) -> None:
    [match] = ann.told(ADOPTION)["matched"]

    some = ann.send("POST", ADOPTION, {"ids": [match["id"], "f" * 16]})

    assert some.json == {
        "adopted": 1,
        "left": 0,
        "refused": [{"id": "f" * 16, "path": "", "why": str(NOT_OFFERED)}],
    }
    found = house.row(7)
    assert (found.status, found.file_path) == (Status.COMPLETED, PLACE)


def test_a_person_adopts_all_that_are_sure(house: WebHouse, ann: Browser) -> None:
    every = ann.send("POST", ADOPTION, {"all": True})

    assert every.json == {"adopted": 1, "left": 0, "refused": []}
    assert house.row(7).status is Status.COMPLETED


def test_what_makes_no_sense_is_refused(house: WebHouse, ann: Browser) -> None:
    for body in (
        {},
        {"all": False},
        {"all": True, "ids": ["0123456789abcdef"]},
        {"ids": ["../x"]},
        {"ids": ["0" * 16] * 1001},
        {"path": "x"},
    ):
        assert ann.send("POST", ADOPTION, body).status_code == 422, body
    assert house.jellyfin.requests == []


def test_devices_of_others_and_unknown_ones_answer_alike(house: WebHouse, ben: Browser) -> None:
    nothing = ADOPTION.replace(STICK, "nothing")

    answers = [
        ben.get(ADOPTION),
        ben.get(nothing),
        ben.send("POST", ADOPTION, {"all": True}),
        ben.send("POST", nothing, {"all": True}),
    ]

    assert {(one.status_code, one.data) for one in answers} == {(404, answers[0].data)}
    assert house.jellyfin.requests == []


def meanwhile(house: WebHouse, ask: Callable[[], TestResponse]) -> list[TestResponse]:
    """Let somebody ask while Jellyfin is telling what it has; return what they are told."""
    told: list[TestResponse] = []
    answer = library()

    def answer_late(request: Request) -> Reply:
        if not told:
            told.append(ask())
        return answer(request)

    house.jellyfin.routes["GET /Items"] = answer_late
    return told


def test_one_looks_through_a_device_at_a_time(house: WebHouse, ann: Browser, eve: Browser) -> None:
    told = meanwhile(house, lambda: eve.get(ADOPTION))

    assert ann.get(ADOPTION).status_code == 200

    [busy] = told
    assert (busy.status_code, busy.content_type) == (409, "application/problem+json")
    assert b"Car stick is being looked through at this moment" in busy.data


def test_a_device_that_is_away_is_told(house: WebHouse, ann: Browser) -> None:
    house.unplug()

    answer = ann.get(ADOPTION)

    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert b"plug it in" in answer.data


def test_without_jellyfin_nothing_can_be_said(tmp_path: Path, clock: FakeClock) -> None:
    with web_house(tmp_path, clock, change=without_jellyfin) as alone:
        put(alone, PLACE, SONG)

        answer = alone.come_in(ANN).get(ADOPTION)

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
