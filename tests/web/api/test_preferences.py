from __future__ import annotations

import json

import pytest
from werkzeug.test import TestResponse

from sidecar.web.app import Web
from tests.fakes.desk import BEN, FakeDesk
from tests.fakes.steering import BROKEN, NO_PLAYLIST, STICK, TRACK, FakeSteering
from tests.web.conftest import come_in
from tests.web.house import Browser

DEVICE = f"/api/v1/devices/{STICK}"
UNKNOWN = "9" * 32
READS = ("settings", "pins", "playlists", "removed", f"items/{TRACK}/why")
CHANGES = (
    ("PUT", f"pins/{TRACK}"),
    ("DELETE", f"pins/{TRACK}"),
    ("PUT", f"exclusions/latest/{TRACK}"),
    ("DELETE", f"exclusions/latest/{TRACK}"),
    ("PUT", f"playlists/{TRACK}"),
    ("DELETE", f"playlists/{TRACK}"),
    ("DELETE", f"removed/{TRACK}"),
)


def send(browser: Browser, verb: str, path: str, body: object = None) -> TestResponse:
    headers = {"X-Sidecar-CSRF": browser.csrf}
    if body is None:
        return browser.client.open(path, method=verb, headers=headers)
    text = body if isinstance(body, str) else json.dumps(body)
    return browser.client.open(
        path, method=verb, headers=headers, data=text, content_type="application/json"
    )


def test_settings_are_shown_with_their_defaults_and_bounds(ann: Browser) -> None:
    assert ann.client.get(f"{DEVICE}/settings").json == {
        "id": STICK,
        "name": "Car stick",
        "managers": [],
        "may_manage": True,
        "settings": {
            "budget": {"value": 10, "default": None, "kind": "size", "least": 0, "most": 100},
            "colour": {
                "value": "red",
                "default": "blue",
                "kind": "choice",
                "options": ["red", "blue"],
            },
        },
        "rules": {
            "album_affinity": {
                "settings": {
                    "window": {
                        "value": "60 days",
                        "default": "30 days",
                        "kind": "time",
                        "least": "0 seconds",
                    }
                },
                "remarks": ["It cannot now"],
                "because": ["you played 3 of 11"],
            }
        },
    }


def test_a_change_is_passed_on_as_it_was_written(ann: Browser, steering_desk: FakeSteering) -> None:
    changes = {
        "settings": {"budget": "8 GB", "paused": True},
        "rules": {"latest": {"albums": None}},
    }

    answer = send(ann, "PATCH", f"{DEVICE}/settings", changes)

    assert answer.status_code == 200
    assert answer.json == ann.client.get(f"{DEVICE}/settings").json
    assert steering_desk.asked == [("change", changes["settings"], changes["rules"])]


def test_a_change_that_is_not_allowed_says_which_and_why(ann: Browser) -> None:
    answer = send(ann, "PATCH", f"{DEVICE}/settings", {"settings": {"budget": "many"}})

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["detail"] == "devices: budget = 'many': could not be read as a size"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 422),
        ({"budget": 1}, 422),
        ({"settings": []}, 422),
        ({"settings": {"budget": 1.5}}, 422),
        ({"settings": {"budget": [1]}}, 422),
        ({"settings": {"budget": {"a": 1}}}, 422),
        ({"settings": {"budget": 2**63}}, 422),
        ({"settings": {"budget": -(2**63)}}, 422),
        ('{"settings": {"budget": NaN}}', 422),
        ({"settings": {"budget": "x" * 101}}, 422),
        ({"settings": {"x" * 41: 1}}, 422),
        ({"settings": {"": 1}}, 422),
        ({"settings": {f"key{number}": 1 for number in range(41)}}, 422),
        ({"rules": {f"rule{number}": {} for number in range(41)}}, 422),
        ({"rules": {"latest": 1}}, 422),
        ({"rules": {"latest": {"albums": [1]}}}, 422),
    ],
)
def test_a_body_that_is_not_a_change_is_refused(
    ann: Browser, steering_desk: FakeSteering, body: object, status: int
) -> None:
    answer = send(ann, "PATCH", f"{DEVICE}/settings", body)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert steering_desk.asked == []


def test_a_pin_says_how_many_files_were_queued(ann: Browser) -> None:
    answer = send(ann, "PUT", f"{DEVICE}/pins/{TRACK}")

    assert (answer.status_code, answer.json) == (200, {"queued": 11})


def test_a_listing_that_failed_is_the_server_s_fault(ann: Browser) -> None:
    assert send(ann, "PUT", f"{DEVICE}/pins/{BROKEN}").status_code == 502


def test_what_is_no_playlist_is_not_chosen(ann: Browser) -> None:
    answer = send(ann, "PUT", f"{DEVICE}/playlists/{NO_PLAYLIST}")

    assert answer.status_code == 422
    assert answer.json is not None
    assert "no playlist" in answer.json["detail"]


@pytest.mark.parametrize(("verb", "path"), CHANGES)
def test_every_change_reaches_the_desk(
    ann: Browser, steering_desk: FakeSteering, verb: str, path: str
) -> None:
    answer = send(ann, verb, f"{DEVICE}/{path}")

    assert answer.status_code in {200, 204}
    (asked,) = steering_desk.asked
    assert asked[-1] == TRACK


@pytest.mark.parametrize(
    "bad", ["x" * 32, "1" * 31, "1" * 33, "A" * 32, f"{TRACK[:-1]}%0a", "..", "%D9%A1" * 32]
)
@pytest.mark.parametrize(("verb", "path"), CHANGES)
def test_what_is_no_item_id_is_not_found(
    ann: Browser, steering_desk: FakeSteering, verb: str, path: str, bad: str
) -> None:
    answer = send(ann, verb, f"{DEVICE}/{path.replace(TRACK, bad)}")

    assert answer.status_code == 404
    assert steering_desk.asked == []


def test_lists_are_shown_whole(ann: Browser) -> None:
    def items(path: str) -> object:
        found = ann.client.get(path).json
        assert found is not None
        return found["items"]

    assert items("/api/v1/exclusions") == [
        {"device_id": STICK, "rule": "latest", "item_id": TRACK},
        {"device_id": None, "rule": "favourites", "item_id": TRACK},
    ]
    assert items(f"{DEVICE}/pins") == [
        {"item_id": TRACK, "text": "you asked for First Light", "files": 11}
    ]
    assert items(f"{DEVICE}/playlists") == [{"playlist_id": TRACK, "title": "Road trip"}]
    assert items(f"{DEVICE}/removed") == [
        {"item_id": TRACK, "title": "Tone 1"},
        {"item_id": BROKEN, "title": None},
    ]


def test_why_is_told_in_sentences_and_reasons(ann: Browser) -> None:
    assert ann.client.get(f"{DEVICE}/items/{TRACK}/why").json == {
        "is_here": True,
        "status": "completed",
        "sentences": ["It is there."],
        "reasons": [
            {"rule": "favourites", "account": "ann", "text": "your favourite", "release_at": None},
            {
                "rule": "latest",
                "account": "ben",
                "text": "new",
                "release_at": "2026-11-02T12:00:00.000Z",
            },
        ],
    }


@pytest.mark.parametrize(("verb", "path"), [*CHANGES, *(("GET", one) for one in READS)])
def test_a_foreign_device_answers_like_one_that_there_is_not(
    web: Web, desk: FakeDesk, verb: str, path: str
) -> None:
    ben = come_in(web, desk, BEN)

    foreign = send(ben, verb, f"{DEVICE}/{path}")
    unknown = send(ben, verb, f"{DEVICE.replace(STICK, 'another')}/{path}")

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert foreign.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()
