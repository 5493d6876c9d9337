from __future__ import annotations

import pytest

from sidecar.domain.downloads.download import Status
from tests.services.conftest import STICK
from tests.web.house import ANN, BEN, Browser, WebHouse

URL = f"/api/v1/devices/{STICK}/removals"


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


def test_the_open_question_is_told_with_its_numbers_and_examples(
    house: WebHouse, ann: Browser
) -> None:
    files = house.ask_about_removals()

    told = ann.told(URL)

    text = told["question"].pop("text")
    assert text.startswith("Of 7 files on Car stick, 6 are missing. Did you delete them?")
    assert told == {
        "device": {"id": STICK, "name": "Car stick"},
        "managers": ["ann"],
        "may_manage": True,
        "question": {
            "gone": 6,
            "edited": 0,
            "total": 7,
            "whose": {"total": 6, "yours": 6, "shared": 0, "others": [], "hidden": 0},
            "examples": [one.file_path for one in files[:5]],
        },
    }


@pytest.mark.parametrize(("gone", "status"), [(True, Status.REMOVED), (False, Status.PENDING)])
def test_an_answer_is_acted_on_once(
    house: WebHouse, ann: Browser, gone: bool, status: Status
) -> None:
    files = house.ask_about_removals()

    first, second = (ann.send("POST", URL, {"gone": gone}) for _ in range(2))

    assert (first.status_code, first.json) == (200, {"files": 6})
    assert second.status_code == 409
    assert {house.status(one) for one in files} == {status}
    assert ann.told(URL)["question"] is None


def test_an_answer_that_is_none_changes_nothing(house: WebHouse, ann: Browser) -> None:
    house.ask_about_removals()

    for body in ({}, {"gone": 1}, {"gone": "true"}, {"gone": None}, [True], "gone"):
        assert ann.send("POST", URL, body).status_code == 422, body
    assert ann.told(URL)["question"] is not None


def test_while_the_device_is_away_it_is_said_and_asked_again_later(
    house: WebHouse, ann: Browser
) -> None:
    house.ask_about_removals()
    house.unplug()

    answer = ann.send("POST", URL, {"gone": True})

    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert b"plug it in" in answer.data


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_device_of_others_is_as_if_it_did_not_exist(house: WebHouse, verb: str) -> None:
    files, ben = house.ask_about_removals(), house.come_in(BEN)

    foreign, unknown = (
        ben.send(verb, url, {"gone": True}) for url in (URL, URL.replace(STICK, "other"))
    )

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert {house.status(one) for one in files} == {Status.COMPLETED}


def test_an_admin_may_answer_for_everybody(house: WebHouse, eve: Browser) -> None:
    files = house.ask_about_removals()

    assert eve.send("POST", URL, {"gone": False}).status_code == 200
    assert {house.status(one) for one in files} == {Status.PENDING}


def test_a_program_may_answer(house: WebHouse, ann: Browser) -> None:
    house.ask_about_removals()
    _, key = house.store.api_keys.create(ANN.user_id, "A program")
    shown = {"Authorization": f"Bearer {key}"}

    answer = ann.client.post(URL, json={"gone": True}, headers=shown)

    assert answer.json == {"files": 6}
