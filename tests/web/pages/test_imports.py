from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.downloads.states import Status
from sidecar.errors import DeviceError
from sidecar.services.adoption.adopt import AdoptionInUse
from sidecar.services.downloads.views import SyncedTo
from sidecar.web.app import Web
from tests.fakes.adoption import MATCH, FakeAdoption
from tests.fakes.desk import BEN, FakeDesk, a_download
from tests.fakes.logs import FakeLogs
from tests.fakes.peers import SEEN, FakePeers
from tests.web.conftest import come_in
from tests.web.house import Browser

PAGE = "/devices/stick"


def press(one: Browser, path: str, **form: object) -> TestResponse:
    return one.client.post(f"{PAGE}/{path}", data={"csrf": one.csrf, **form})


def told(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_files_that_were_there_are_offered_with_the_reason(ann: Browser) -> None:
    page = ann.client.get(f"{PAGE}/found").text

    assert "1 file is known for sure" in page
    assert "its size and its tags are those of the original" in page
    assert f'value="{MATCH.id}" checked' in page
    assert "2 files are strangers" in page
    assert "Music/a.mp3" in page


def test_what_is_ticked_is_adopted_and_what_was_not_is_said(
    ann: Browser, adoption_desk: FakeAdoption
) -> None:
    done = press(ann, "found", match=[MATCH.id, "odd"])
    asked = press(ann, "found", all="yes", total="1200")
    every = press(ann, "found", all="yes", sure="yes")

    assert "Adopt 1200 files?" in asked.text
    assert adoption_desk.asked == [("ann", (MATCH.id,)), ("ann", None)]
    assert done.status_code == every.status_code == 200
    assert "1 file was adopted" in done.text
    assert "Music/a.mp3" in done.text


def test_what_was_heard_is_shown_before_it_is_taken_over(ann: Browser, logs_desk: FakeLogs) -> None:
    page = told(ann.client.get(f"{PAGE}/heard").text)
    assert "1 play would be taken over" in page
    assert "heard for 2:51" in page
    assert "Europe/Berlin" in page
    assert "not readable 1" in page
    assert logs_desk.taken_by == []

    done = press(ann, "heard")

    assert logs_desk.taken_by == ["ann"]
    assert "1 play was taken over" in done.text
    assert "Track 8: Jellyfin does not let it" in done.text


@pytest.mark.parametrize("path", ["found", "heard"])
def test_a_device_of_others_is_not_there(
    web: Web, desk: FakeDesk, adoption_desk: FakeAdoption, logs_desk: FakeLogs, path: str
) -> None:
    ben = come_in(web, desk, BEN)

    assert ben.client.get(f"{PAGE}/{path}").status_code == 404
    assert press(ben, path).status_code == 404
    assert adoption_desk.asked == []
    assert logs_desk.taken_by == []


def test_when_it_cannot_be_done_now_the_page_says_why(
    ann: Browser, adoption_desk: FakeAdoption, logs_desk: FakeLogs
) -> None:
    adoption_desk.trouble = AdoptionInUse("Car stick is being looked through at this moment")
    logs_desk.trouble = DeviceError("missing", "Car stick is not there: plug it in")

    busy, away = ann.client.get(f"{PAGE}/found"), press(ann, "heard")

    assert (busy.status_code, away.status_code) == (409, 409)
    assert "Car stick is being looked through at this moment." in busy.text
    assert "Car stick is not there: plug it in." in away.text


def test_the_device_page_tells_where_syncthing_carries_it(
    ann: Browser, peers_desk: FakePeers
) -> None:
    page = told(ann.client.get(PAGE).text)
    assert "Ann&#39;s phone connected" in page
    assert "99 % · 1 file is missing" in page
    assert "what may go waits until Ann&#39;s phone has 1 newer file" in page
    assert "Write the line" in page

    done = press(ann, "stignore")

    assert done.headers["Location"] == PAGE
    assert peers_desk.is_there
    assert "Write the line" not in ann.client.get(PAGE).text


def test_the_line_is_refused_with_the_reason(ann: Browser, peers_desk: FakePeers) -> None:
    peers_desk.is_away = True

    refused = press(ann, "stignore")

    assert refused.status_code == 422
    assert "Car stick is not there" in refused.text


def test_a_file_tells_on_which_phone_it_has_arrived(ann: Browser, desk: FakeDesk) -> None:
    carried = (SyncedTo("Ann's phone", SEEN),)
    desk.add(a_download(1, status=Status.COMPLETED, carried=carried))

    page = told(ann.client.get("/downloads?tab=completed").text)

    assert "on Ann&#39;s phone" in page
