from __future__ import annotations

from sidecar.domain.downloads.shares import NO_FILES
from sidecar.services.space.plans import Reformat
from sidecar.web.app import Web
from tests.fakes.desk import ANN, BEN, EVE, FakeDesk
from tests.fakes.plans import FakePlans, a_line, a_plan
from tests.web.conftest import come_in
from tests.web.house import Browser

ADDRESS = "/api/v1/devices/stick/plan"


def test_the_page_shows_what_comes_goes_and_waits_and_why(ann: Browser, planned: FakePlans) -> None:
    planned.plans = [
        a_plan(
            adds=(a_line(1, reason="It fits"),),
            removals=(a_line(2),),
            refusals=(a_line(3, reason="Car stick is full", code="full"),),
        )
    ]

    page = ann.client.get("/devices").text

    for words in ("Car stick", "Goes: 1", "Comes: 1", "Has no room: 1", "Track 2", "It fits"):
        assert words in page
    assert "Nobody wants it any more" in page
    assert "Car stick is full" in page
    assert 'aria-label="Space on Car stick"' in page
    assert "Remove these" not in page
    assert " style=" not in page


def test_every_page_links_to_the_devices(ann: Browser) -> None:
    page = ann.client.get("/downloads").text

    assert '<a href="/devices">Devices</a>' in page
    assert '<a href="/downloads" aria-current="page">Downloads</a>' in page


def test_somebody_else_s_file_has_no_name(ann: Browser, planned: FakePlans) -> None:
    foreign = a_line(2, download_id=None, item_id=None, title=None)
    planned.plans = [a_plan(removals=(foreign,))]

    page = ann.client.get("/devices").text
    told = ann.client.get(ADDRESS).json

    assert "Somebody else's file" in page
    assert told is not None
    assert told["removals"] == [
        {
            "download_id": None,
            "item_id": None,
            "title": None,
            "bytes": 7_400_000,
            "reason": "Nobody wants it any more",
        }
    ]


def test_many_removals_are_confirmed_with_a_form(ann: Browser, planned: FakePlans) -> None:
    planned.plans = [a_plan(removals=tuple(map(a_line, range(60))), needs_confirmation=True)]
    page = ann.client.get("/devices").text
    assert "Remove these 60 files" in page
    assert "and 10 more" in page

    def says_yes(plan_id: str) -> str:
        answer = ann.client.post(
            "/devices/stick/confirm", data={"csrf": ann.csrf, "plan_id": plan_id}
        )
        assert answer.status_code == 303
        return ann.client.get(answer.headers["Location"]).text

    assert "Nothing was removed" in says_yes("another")
    assert planned.confirmed == []
    assert "These files go now" in says_yes("0123456789abcdef")
    assert planned.confirmed == [("ann", "stick", "0123456789abcdef")]


def test_more_than_it_may_hold_is_said(ann: Browser, planned: FakePlans) -> None:
    planned.plans = [a_plan(over=3_000_000_000)]

    assert "3.0 GB more than it may hold" in ann.client.get("/devices").text
    told = ann.client.get(ADDRESS).json
    assert told is not None
    assert told["over"] == 3_000_000_000


def test_a_device_in_trouble_has_no_plan(ann: Browser, planned: FakePlans) -> None:
    planned.plans = [a_plan(trouble="Car stick is not there", space=None, plan_id=None)]

    assert "Car stick is not there" in ann.client.get("/devices").text
    told = ann.client.get(ADDRESS).json
    assert told is not None
    assert (told["trouble"], told["plan_id"], told["space"]) == (
        "Car stick is not there",
        None,
        None,
    )


def test_programs_read_and_confirm_it(ann: Browser, planned: FakePlans) -> None:
    refused = a_line(3, code="too-big", is_final=True)
    planned.plans = [a_plan(refusals=(refused,), removals=(a_line(2),))]
    headers = {"X-Sidecar-CSRF": ann.csrf}

    told = ann.client.get(ADDRESS).json
    assert told is not None
    assert (told["plan_id"], told["bytes_removed"]) == ("0123456789abcdef", 7_400_000)
    assert told["refusals"][0]["code"] == "too-big"
    assert told["space"]["lasting"] == 8 * 1024**3

    old = ann.client.post(f"{ADDRESS}/confirm", json={"plan_id": "old"}, headers=headers)
    assert (old.status_code, old.mimetype) == (409, "application/problem+json")
    yes = ann.client.post(f"{ADDRESS}/confirm", json={"plan_id": told["plan_id"]}, headers=headers)
    assert yes.status_code == 202
    assert planned.confirmed == [("ann", "stick", "0123456789abcdef")]
    empty = ann.client.post(f"{ADDRESS}/confirm", json={}, headers=headers)
    assert empty.status_code == 422


def test_a_device_of_other_people_is_as_if_it_did_not_exist(
    web: Web, desk: FakeDesk, planned: FakePlans
) -> None:
    planned.plans = [a_plan()]
    ben, eve = come_in(web, desk, BEN), come_in(web, desk, EVE)
    headers, yes = {"X-Sidecar-CSRF": ben.csrf}, {"plan_id": "0123456789abcdef"}

    assert "Car stick" not in ben.client.get("/devices").text
    assert "Car stick" in eve.client.get("/devices").text
    foreign, unknown = ben.client.get(ADDRESS), ben.client.get("/api/v1/devices/none/plan")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    for device in ("stick", "none"):
        asked = f"/api/v1/devices/{device}/plan/confirm"
        assert ben.client.post(asked, json=yes, headers=headers).status_code == 404
    ben.client.post("/devices/stick/confirm", data={"csrf": ben.csrf, **yes})
    assert planned.confirmed == []


def another_format() -> Reformat:
    return Reformat(
        whose=NO_FILES,
        format="opus-128k",
        files=3,
        bytes_to_fetch=90_000_000,
        bytes_now=90_000_000,
        bytes_after=12_000_000,
        is_confirmed=False,
        text="3 files are there in another format than Opus 128k",
    )


def test_a_plan_says_what_another_format_costs(ann: Browser, planned: FakePlans) -> None:
    planned.plans = [a_plan(reformat=another_format())]

    told = ann.client.get(ADDRESS).json

    assert told is not None
    assert told["reformat"] == {
        "format": "opus-128k",
        "files": 3,
        "whose": {"total": 0, "yours": 0, "shared": 0, "others": [], "hidden": 0},
        "bytes_to_fetch": 90_000_000,
        "bytes_now": 90_000_000,
        "bytes_after": 12_000_000,
        "is_confirmed": False,
        "text": "3 files are there in another format than Opus 128k",
    }


def test_a_yes_to_another_format_names_it(ann: Browser, planned: FakePlans) -> None:
    planned.plans = [a_plan(reformat=another_format())]

    def say(name: object) -> int:
        token = {"X-Sidecar-CSRF": ann.csrf}
        body = {"format": name}
        return ann.client.post(f"{ADDRESS}/reformat", json=body, headers=token).status_code

    assert [say("mp3-192k"), say(""), say(7)] == [409, 422, 422]
    assert planned.confirmed == []
    assert say("opus-128k") == 202
    assert planned.confirmed == [(ANN.user_id, "stick", "opus-128k")]


def test_a_yes_for_a_device_of_somebody_else_finds_nothing(
    web: Web, desk: FakeDesk, planned: FakePlans
) -> None:
    planned.plans = [a_plan(reformat=another_format())]
    ben = come_in(web, desk, BEN)

    answer = ben.client.post(
        f"{ADDRESS}/reformat",
        json={"format": "opus-128k"},
        headers={"X-Sidecar-CSRF": ben.csrf},
    )

    assert answer.status_code == 404
    assert planned.confirmed == []


def test_on_the_page_it_says_what_another_format_costs_and_takes_a_yes(
    ann: Browser, planned: FakePlans
) -> None:
    planned.plans = [a_plan(reformat=another_format())]

    page = ann.client.get("/devices").text
    assert another_format().text in page
    token = {"csrf": ann.csrf}
    said = ann.client.post("/devices/stick/reformat", data={**token, "format": "opus-128k"})
    other = ann.client.post("/devices/stick/reformat", data={**token, "format": "mp3-64k"})
    nowhere = ann.client.post("/devices/none/reformat", data={**token, "format": "opus-128k"})

    assert (said.status_code, said.location) == (303, "/devices")
    assert other.location == "/devices?outcome=changed"
    assert nowhere.status_code == 404
