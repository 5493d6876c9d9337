from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from sidecar.errors import DeviceError, ServerAway, SidecarError
from sidecar.services.adoption.adopt import AdoptionInUse
from sidecar.web.app import Web
from tests.fakes.adoption import FakeAdoption
from tests.fakes.desk import BEN, FakeDesk
from tests.web.conftest import come_in
from tests.web.house import Browser

ADOPTION = "/api/v1/devices/stick/adoption"


def adopt(browser: Browser, body: dict[str, Any], path: str = ADOPTION) -> TestResponse:
    return browser.client.post(path, headers={"X-Sidecar-CSRF": browser.csrf}, json=body)


def test_an_offer_has_exactly_the_fields_that_were_promised(ann: Browser) -> None:
    assert ann.client.get(ADOPTION).json == {
        "device": {"id": "stick", "name": "Car stick"},
        "managers": [],
        "may_manage": True,
        "found": 3,
        "matched": [
            {
                "id": "0123456789abcdef",
                "path": "Music/01 Track 7.flac",
                "size": 1234,
                "item_id": "00000000000000000000000000000007",
                "title": "Track 7",
                "artist": "The Sine Waves",
                "album": "First Light",
                "why": "its size and its tags are those of the original",
            }
        ],
        "matched_total": 1,
        "doubtful": [],
        "doubtful_total": 0,
        "strangers": 2,
        "examples": ["Music/a.mp3"],
        "unread": 0,
    }


def test_a_person_adopts_some_or_all_that_are_sure(
    ann: Browser, adoption_desk: FakeAdoption
) -> None:
    some = adopt(ann, {"ids": ["0123456789abcdef"]})
    adopt(ann, {"all": True})

    assert some.json == {
        "adopted": 1,
        "left": 0,
        "refused": [
            {"id": "f" * 16, "path": "Music/a.mp3", "why": "its bytes are not the original's"}
        ],
    }
    assert adoption_desk.asked == [("ann", ("0123456789abcdef",)), ("ann", None)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"all": False},
        {"all": True, "ids": ["0123456789abcdef"]},
        {"ids": ["../x"]},
        {"ids": ["0" * 16] * 1001},
        {"path": "x"},
    ],
)
def test_what_makes_no_sense_is_refused(
    ann: Browser, adoption_desk: FakeAdoption, body: dict[str, Any]
) -> None:
    assert adopt(ann, body).status_code == 422
    assert adoption_desk.asked == []


def test_devices_of_others_and_unknown_ones_answer_alike(web: Web, desk: FakeDesk) -> None:
    ben = come_in(web, desk, BEN)

    answers = [
        ben.client.get(ADOPTION),
        ben.client.get("/api/v1/devices/nothing/adoption"),
        adopt(ben, {"all": True}),
        adopt(ben, {"all": True}, "/api/v1/devices/nothing/adoption"),
    ]

    assert {(one.status_code, one.data) for one in answers} == {(404, answers[0].data)}


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (AdoptionInUse("Car stick is being looked through"), 409),
        (DeviceError("missing", "Car stick is not there: plug it in"), 409),
        (ServerAway("Jellyfin does not answer"), 503),
    ],
)
def test_what_stands_in_the_way_is_said(
    ann: Browser, adoption_desk: FakeAdoption, trouble: SidecarError, status: int
) -> None:
    adoption_desk.trouble = trouble

    answer = ann.client.get(ADOPTION)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
