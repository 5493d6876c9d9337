"""What waits for an answer is part of every page, of those whom it concerns alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sidecar.domain.downloads.states import Status
from sidecar.domain.files.removals import NotAFile, PendingChange
from sidecar.services.devices.views import DeviceView
from sidecar.services.notices import OpenQuestion, Subject
from sidecar.services.removals.questions import Question
from tests.fakes.desk import FakeDesk, a_download
from tests.fakes.plans import FakePlans, a_plan
from tests.fakes.removals import FakeRemovalsDesk
from tests.web.house import Browser

GONE = PendingChange(NotAFile.ABSENT, since=0)
TEXT = Question(dict.fromkeys(range(51), GONE), total=53).text("Car stick")
ASKED = OpenQuestion(
    subject=Subject.REMOVALS, device_id="stick", device_name="Car stick", text=TEXT, missing=51
)
STICK = DeviceView("stick", "Car stick", "", None, 100, 40, 60, 120, files=53, missing=51)


@pytest.mark.parametrize(
    "path",
    ["/downloads", "/downloads?tab=missing", "/devices", "/devices/stick", "/offline", "/nowhere"],
)
def test_it_stands_on_every_page_with_its_answers(
    ann: Browser, desk: FakeDesk, planned: FakePlans, path: str
) -> None:
    planned.plans = [a_plan("stick", name="Car stick")]
    assert "Was it you?" not in ann.client.get(path).text
    desk.asked = (ASKED,)

    page = ann.client.get(path).text

    assert page.count("51 are missing") == 1
    assert page.count('role="alert"') == 1
    assert 'action="/devices/stick/removals"' in page
    assert page.count('name="gone"') == 2


def test_it_is_said_in_german(ann: Browser, desk: FakeDesk) -> None:
    desk.asked = (ASKED,)

    page = ann.client.get("/devices", headers={"Accept-Language": "de"}).text

    assert "Von 53 Dateien auf Car stick fehlen 51. Warst du das?" in page
    assert "51 are missing" not in page
    assert "Show what is missing" not in page


def test_an_answer_leads_back_to_the_page_where_it_was_given(
    ann: Browser, desk: FakeDesk, removals_desk: FakeRemovalsDesk
) -> None:
    desk.asked = (ASKED,)
    assert (
        'name="next" value="/downloads?tab=failed"' in ann.client.get("/downloads?tab=failed").text
    )

    answer = ann.client.post(
        "/devices/stick/removals",
        data={"csrf": ann.csrf, "gone": "no", "next": "/downloads?tab=failed"},
    )

    assert (answer.status_code, answer.location) == (303, "/downloads?tab=failed")
    assert removals_desk.answers == [False]


def test_whoever_may_not_answer_is_told_and_has_no_button(ann: Browser, desk: FakeDesk) -> None:
    desk.asked = (replace(ASKED, may_answer=False),)

    page = ann.client.get("/downloads").text

    assert "51 are missing" in page
    assert 'name="gone"' not in page
    assert "Whoever manages this device can answer." in page


def test_the_part_is_fetched_alone_and_only_by_those_who_are_signed_in(
    ann: Browser, desk: FakeDesk
) -> None:
    desk.asked = (ASKED,)

    part = ann.client.get("/questions?next=/offline%3Fq%3Da").text

    assert "<html" not in part
    assert 'value="/offline?q=a"' in part
    ann.client.delete_cookie("sidecar_session")
    assert "51 are missing" not in ann.client.get("/questions").text


def test_a_plan_that_waits_for_a_yes_leads_to_it(ann: Browser, desk: FakeDesk) -> None:
    desk.asked = (replace(ASKED, subject=Subject.PLAN, text="20 files would go"),)

    page = ann.client.get("/downloads").text

    assert "20 files would go" in page
    assert 'name="gone"' not in page


def test_the_numbers_say_how_many_are_missing(
    ann: Browser, desk: FakeDesk, planned: FakePlans
) -> None:
    whole = a_plan("stick", name="Car stick")
    planned.plans = [whole]
    assert "Everything is as it should be" in ann.client.get("/devices").text
    planned.plans = [replace(whole, files=53, missing=51)]
    desk.shelf = (STICK,)

    pages = {path: ann.client.get(path).text for path in ("/devices", "/devices/stick")}
    pages |= {path: ann.client.get(path).text for path in ("/downloads", "/offline")}

    for path, page in pages.items():
        assert "51 of 53 files are missing" in page, path
    assert "Everything is as it should be" not in pages["/devices"]
    told = ann.client.get("/api/v1/devices").json
    assert told is not None
    assert (told["items"][0]["files"], told["items"][0]["missing"]) == (53, 51)


def test_a_missing_file_is_listed_as_missing_and_nowhere_as_completed(
    ann: Browser, desk: FakeDesk
) -> None:
    desk.add(a_download(7))
    desk.change(7, status=Status.COMPLETED, missing_since=datetime(2026, 1, 2, tzinfo=UTC))

    def ids(status: str) -> list[int]:
        told = ann.client.get(f"/api/v1/downloads?status={status}").json
        assert told is not None
        return [one["id"] for one in told["items"]]

    assert 7 not in ids("completed")
    assert ids("missing") == [7]
    told = ann.client.get("/api/v1/downloads/7").json
    assert told is not None
    assert (told["status"], told["missing_since"]) == ("missing", "2026-01-02T00:00:00.000Z")
    page = ann.client.get("/downloads?tab=missing").text
    assert 'id="download-7"' in page
    assert ">Missing</span>" in page
    assert 'id="download-7"' not in ann.client.get("/downloads?tab=completed").text
    assert "tab=missing" in ann.client.get("/downloads/7").location


def test_nothing_is_done_to_all_that_is_missing(ann: Browser) -> None:
    form = {"csrf": ann.csrf, "tab": "missing", "action": "let_go"}

    assert ann.client.post("/downloads/act", data=form).status_code == 400
