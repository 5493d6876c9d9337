from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from sidecar.web.app import Web
from tests.fakes.desk import ANN, BEN, EVE, FakeDesk
from tests.fakes.removals import FakeRemovalsDesk
from tests.web.conftest import come_in
from tests.web.house import Browser

URL = "/api/v1/devices/stick/removals"


def post(browser: Browser, body: object, url: str = URL) -> TestResponse:
    return browser.client.post(url, json=body, headers={"X-Sidecar-CSRF": browser.csrf})


def test_the_open_question_is_told_with_its_numbers_and_examples(ann: Browser) -> None:
    assert ann.client.get(URL).json == {
        "device": {"id": "stick", "name": "Car stick"},
        "managers": [],
        "may_manage": True,
        "question": {
            "text": "Of 40 files on Car stick, 12 are missing. Was that you?",
            "gone": 12,
            "edited": 0,
            "total": 40,
            "whose": {"total": 0, "yours": 0, "shared": 0, "others": [], "hidden": 0},
            "examples": ["The Quiet Hour/Evenings/1.flac"],
        },
    }


@pytest.mark.parametrize("gone", [True, False])
def test_an_answer_is_passed_on_once(
    ann: Browser, removals_desk: FakeRemovalsDesk, gone: bool
) -> None:
    first, second = post(ann, {"gone": gone}), post(ann, {"gone": gone})

    assert (first.status_code, first.json) == (200, {"files": 12})
    assert second.status_code == 409
    assert removals_desk.answers == [gone]
    shown = ann.client.get(URL).json
    assert shown is not None
    assert shown["question"] is None


@pytest.mark.parametrize(
    "body", [{}, {"gone": 1}, {"gone": "true"}, {"gone": None}, [True], "gone"]
)
def test_an_answer_that_is_none_changes_nothing(
    ann: Browser, removals_desk: FakeRemovalsDesk, body: object
) -> None:
    assert post(ann, body).status_code == 422
    assert removals_desk.answers == []


def test_while_the_device_is_away_it_is_said_and_asked_again_later(
    ann: Browser, removals_desk: FakeRemovalsDesk
) -> None:
    removals_desk.is_away = True

    answer = post(ann, {"gone": True})

    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert b"plug it in" in answer.data


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_device_of_others_is_as_if_it_did_not_exist(
    web: Web, desk: FakeDesk, removals_desk: FakeRemovalsDesk, verb: str
) -> None:
    ben = come_in(web, desk, BEN)
    headers = {"X-Sidecar-CSRF": ben.csrf}

    foreign, unknown = (
        ben.client.open(url, method=verb, json={"gone": True}, headers=headers)
        for url in (URL, URL.replace("stick", "other"))
    )

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert removals_desk.answers == []


def test_an_admin_may_answer_for_everybody(
    web: Web, desk: FakeDesk, removals_desk: FakeRemovalsDesk
) -> None:
    assert post(come_in(web, desk, EVE), {"gone": False}).status_code == 200
    assert removals_desk.answers == [False]


def test_a_program_may_answer(web: Web, desk: FakeDesk, ann: Browser) -> None:
    desk.keys["the-key"] = ANN

    answer = ann.client.post(URL, json={"gone": True}, headers={"Authorization": "Bearer the-key"})

    assert answer.json == {"files": 12}
