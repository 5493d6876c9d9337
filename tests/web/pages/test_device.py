from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.undo import Reversal
from sidecar.web.app import Web
from sidecar.web.i18n import labels
from tests.fakes.desk import BEN, FakeDesk
from tests.fakes.plans import FakePlans, a_plan
from tests.fakes.removals import FakeRemovalsDesk
from tests.fakes.steering import TRACK, FakeSteering
from tests.services.conftest import STICK as STICK_ID
from tests.web.conftest import come_in
from tests.web.house import Browser, WebHouse

PAGE = "/devices/stick"


def press(one: Browser, path: str, **form: str) -> TestResponse:
    return one.client.post(f"{PAGE}/{path}", data={"csrf": one.csrf, **form})


def test_the_page_tells_of_rules_settings_and_what_was_said(
    ann: Browser, planned: FakePlans
) -> None:
    planned.plans = [a_plan("stick", name="Car stick")]

    page = ann.client.get(PAGE).text

    for words in (
        "<h1>Car stick</h1>",
        "Albums you like",
        "It cannot now",
        "The Quiet Hour/Evenings/1.flac",
        "you asked for First Light",
        "11 files",
        'role="img" aria-label="Space on Car stick"',
    ):
        assert words in page


def test_what_is_changed_is_passed_on_and_nothing_else(
    ann: Browser, steering_desk: FakeSteering
) -> None:
    answer = press(ann, "settings", budget="8 GB", colour="red")

    assert answer.status_code == 303
    assert answer.location == PAGE
    assert steering_desk.asked == [("change", {"budget": "8 GB"}, {})]


def test_an_emptied_field_takes_a_change_back(ann: Browser, steering_desk: FakeSteering) -> None:
    press(ann, "rules/album_affinity", window="")

    assert steering_desk.asked == [("change", {}, {"album_affinity": {"window": None}})]


def test_what_cannot_be_set_is_told_on_the_page(ann: Browser) -> None:
    answer = press(ann, "settings", budget="many")

    assert answer.status_code == 422
    assert "could not be read as a size" in answer.text
    assert "<h1>Car stick</h1>" in answer.text


@pytest.mark.parametrize(
    ("kept", "called"), [("pin", "unpin"), ("playlist", "drop"), ("removal", "want_again")]
)
def test_what_was_said_once_is_taken_back(
    ann: Browser, steering_desk: FakeSteering, kept: str, called: str
) -> None:
    assert press(ann, "take-back", kept=kept, item=TRACK, sure="yes").status_code == 303

    assert steering_desk.asked == [(called, TRACK)]


def test_a_wish_of_many_files_is_asked_about_first_and_undone_afterwards(
    ann: Browser, steering_desk: FakeSteering, taken_back: list[Reversal]
) -> None:
    question = press(ann, "take-back", kept="pin", item=TRACK)
    assert "Let 11 files go?" in question.text
    assert steering_desk.asked == []

    done = press(ann, "take-back", kept="pin", item=TRACK, sure="yes")
    page = ann.client.get(done.location).text
    assert "11 files are no longer kept for you." in page
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    form = {"csrf": ann.csrf, "token": token[1], "next": PAGE}
    undone = ann.client.post("/undo", data=form)

    assert undone.status_code == 303
    assert undone.location == f"{PAGE}?done={token[1]}"
    assert "It is undone." in ann.client.get(undone.location).text
    assert taken_back == [Reversal()]
    assert ann.client.post("/undo", data=form).status_code == 409


def test_the_question_about_missing_files_is_answered(
    ann: Browser, removals_desk: FakeRemovalsDesk
) -> None:
    assert press(ann, "removals", gone="no").status_code == 303

    assert removals_desk.answers == [False]


def test_a_device_is_ejected_and_attached_again_by_who_manages_it(
    house: WebHouse, ann: Browser, eve: Browser
) -> None:
    page, registry = f"/devices/{STICK_ID}", house.services.devices.registry
    assert ann.client.post(f"{page}/unplug", data={"csrf": ann.csrf}).status_code == 403
    assert not registry.is_ejected(STICK_ID)

    assert eve.client.post(f"{page}/unplug", data={"csrf": eve.csrf}).status_code == 303
    assert registry.is_ejected(STICK_ID)
    assert registry.all() == []
    assert "Safe to unplug" in eve.client.get(page).text

    eve.client.post(f"{page}/unplug", data={"csrf": eve.csrf, "use": "yes"})
    assert not registry.is_ejected(STICK_ID)


def test_a_device_of_others_is_as_if_it_did_not_exist(web: Web, desk: FakeDesk) -> None:
    ben = come_in(web, desk, BEN)

    assert ben.client.get(PAGE).status_code == 404
    assert ben.client.get("/devices/none").status_code == 404
    assert press(ben, "settings", budget="8 GB").status_code == 404
    assert press(ben, "take-back", kept="pin", item=TRACK).status_code == 404


@pytest.mark.parametrize(
    ("octets", "written"),
    [(None, ""), (0, "0"), (10 * 10**9, "10 GB"), (10_500_000_000, "10500 MB"), (1025, "1025 B")],
)
def test_a_size_is_written_so_that_nothing_of_it_is_lost(octets: int | None, written: str) -> None:
    assert labels.size(octets) == written
