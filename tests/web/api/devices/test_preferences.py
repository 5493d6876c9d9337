from __future__ import annotations

import json

import pytest
from werkzeug.test import TestResponse

from sidecar.domain.downloads.download import Status
from sidecar.domain.rules.context import Chosen
from sidecar.domain.wishes import PIN
from tests.fakes.servers.answering import json_reply
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.web.house import ANN, UNKNOWN, Browser, WebHouse

DEVICE = f"/api/v1/devices/{STICK}"
SETTINGS = f"{DEVICE}/settings"
TRACK, LIST = track(1).id, track(60).id
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


@pytest.fixture
def users() -> tuple[str, ...]:
    return ("ann",)


@pytest.fixture(autouse=True)
def _a_library(house: WebHouse) -> None:
    house.library(row(1), row(60, Type="Playlist", Name="Road trip"))


def change(who: Browser, body: object) -> TestResponse:
    """Send a change of the settings, which may be no JSON at all."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"X-Sidecar-CSRF": who.csrf}
    return who.client.patch(SETTINGS, headers=headers, data=text, content_type="application/json")


def test_settings_are_shown_with_their_defaults_and_bounds(house: WebHouse, ann: Browser) -> None:
    changes: dict[str, object] = {"budget": "8 GB", "network": "wifi"}
    house.services.web.settings.change(
        ANN, STICK, changes, {"album_affinity": {"window": "60 days"}}
    )
    house.add(1, rule="album_affinity", text="you played 3 of 11")

    told = ann.told(SETTINGS)

    assert {name: told[name] for name in ("id", "name", "managers", "may_manage")} == {
        "id": STICK,
        "name": "Car stick",
        "managers": ["ann"],
        "may_manage": True,
    }
    assert told["settings"]["budget"] == {
        "value": 8_000_000_000,
        "default": None,
        "kind": "size",
        "least": 0,
        "most": 2**60,
    }
    assert told["settings"]["network"] == {
        "value": "wifi",
        "default": None,
        "kind": "choice",
        "options": ["any", "unmetered", "wifi"],
    }
    affinity = told["rules"]["album_affinity"]
    assert affinity["settings"]["window"] == {
        "value": "60 days",
        "default": "30 days",
        "kind": "time",
        "least": "0 seconds",
        "most": "3660 days",
    }
    assert affinity["because"] == ["you played 3 of 11"]


def test_a_change_is_kept(ann: Browser) -> None:
    body = {"settings": {"budget": "8 GB", "paused": True}, "rules": {"latest": {"albums": 7}}}
    answer = ann.send("PATCH", SETTINGS, body)
    now = ann.told(SETTINGS)

    assert (answer.status_code, answer.json) == (200, now)
    assert now["settings"]["budget"]["value"] == 8_000_000_000
    assert now["settings"]["paused"]["value"] is True
    assert now["rules"]["latest"]["settings"]["albums"]["value"] == 7
    ann.send("PATCH", SETTINGS, {"rules": {"latest": {"albums": None}}})
    albums = ann.told(SETTINGS)["rules"]["latest"]["settings"]["albums"]
    assert albums["value"] == albums["default"] != 7


def test_a_change_that_is_not_allowed_says_which_and_why(ann: Browser) -> None:
    answer = ann.send("PATCH", SETTINGS, {"settings": {"paused": True, "budget": "many"}})

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["detail"].startswith("devices: budget = 'many': ")
    assert ann.told(SETTINGS)["settings"]["paused"]["value"] is False


def test_a_body_that_is_not_a_change_is_refused(ann: Browser) -> None:
    before = ann.told(SETTINGS)

    for body, status in (
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
    ):
        answer = change(ann, body)

        assert answer.status_code == status, body
        assert answer.content_type == "application/problem+json"
    assert ann.told(SETTINGS) == before


def undo(one: Browser, done: TestResponse) -> None:
    """Take back what was done, by what it answered."""
    assert done.status_code == 200
    assert done.json is not None
    assert one.send("POST", f"/api/v1/undo/{done.json['undo']['token']}").status_code == 200


def test_a_pin_says_how_many_files_were_queued_and_is_taken_back(
    house: WebHouse, ann: Browser
) -> None:
    pinned = ann.send("PUT", f"{DEVICE}/pins/{TRACK}")
    download = house.row(1)
    listed = ann.told(f"{DEVICE}/pins")["items"]
    taken_back = ann.send("DELETE", f"{DEVICE}/pins/{TRACK}")

    assert (pinned.status_code, pinned.json) == (200, {"queued": 1})
    assert listed == [{"item_id": TRACK, "text": "downloaded by you (Tone 1)", "files": 1}]
    assert house.status(download) is None
    assert ann.told(f"{DEVICE}/pins")["items"] == []
    undo(ann, taken_back)
    assert ann.told(f"{DEVICE}/pins")["items"] == listed


def test_a_listing_that_failed_is_the_server_s_fault(house: WebHouse, ann: Browser) -> None:
    house.library(row(1, Type="MusicAlbum", CanDownload=None))
    broken = {"Items": [{"Id": "odd"}], "TotalRecordCount": 1, "StartIndex": 0}
    house.jellyfin.routes["GET /Items"] = json_reply(broken)

    assert ann.send("PUT", f"{DEVICE}/pins/{TRACK}").status_code == 502
    assert ann.told(f"{DEVICE}/pins")["items"] == []


def test_a_rule_s_item_is_excluded_and_included_again(house: WebHouse, ann: Browser) -> None:
    download = house.add(1, rule="latest", text="new")

    excluded = ann.send("PUT", f"{DEVICE}/exclusions/latest/{TRACK}")

    assert ann.told("/api/v1/exclusions")["items"] == [
        {"device_id": STICK, "rule": "latest", "item_id": TRACK, "title": None}
    ]
    assert house.status(download) is None
    undo(ann, excluded)
    assert ann.told("/api/v1/exclusions")["items"] == []
    ann.send("PUT", f"{DEVICE}/exclusions/latest/{TRACK}")
    assert ann.send("DELETE", f"{DEVICE}/exclusions/latest/{TRACK}").status_code == 204
    assert ann.told("/api/v1/exclusions")["items"] == []


def test_a_playlist_is_chosen_and_dropped(house: WebHouse, ann: Browser) -> None:
    assert ann.send("PUT", f"{DEVICE}/playlists/{LIST}").status_code == 200

    chosen = Chosen(playlist_id=LIST, title="Road trip")
    assert list(house.store.chosen.of(ANN.user_id, STICK)) == [chosen]
    assert ann.told(f"{DEVICE}/playlists")["items"] == [{"playlist_id": LIST, "title": "Road trip"}]
    dropped = ann.send("DELETE", f"{DEVICE}/playlists/{LIST}")
    assert ann.told(f"{DEVICE}/playlists")["items"] == []
    undo(ann, dropped)
    assert list(house.store.chosen.of(ANN.user_id, STICK)) == [chosen]


def test_what_is_no_playlist_is_not_chosen(ann: Browser) -> None:
    answer = ann.send("PUT", f"{DEVICE}/playlists/{TRACK}")

    assert answer.status_code == 422
    assert answer.json is not None
    assert "no playlist" in answer.json["detail"]
    assert ann.told(f"{DEVICE}/playlists")["items"] == []


def test_what_was_removed_is_listed_and_wanted_again(house: WebHouse, ann: Browser) -> None:
    download = house.add(1, status=Status.COMPLETED)
    ann.send("DELETE", f"/api/v1/downloads/{download.id}")
    house.store.tombstones.put(ANN.user_id, STICK, "2" * 32)

    assert ann.told(f"{DEVICE}/removed")["items"] == [
        {"item_id": TRACK, "title": "Tone 1"},
        {"item_id": "2" * 32, "title": None},
    ]
    assert ann.send("DELETE", f"{DEVICE}/removed/{TRACK}").status_code == 204
    assert [one["item_id"] for one in ann.told(f"{DEVICE}/removed")["items"]] == ["2" * 32]


def test_what_is_no_item_id_is_not_found(house: WebHouse, ann: Browser) -> None:
    odd = ("x" * 32, "1" * 31, "1" * 33, "A" * 32, f"{TRACK[:-1]}%0a", "..", "%D9%A1" * 32)

    for verb, path in CHANGES:
        for bad in odd:
            answer = ann.send(verb, f"{DEVICE}/{path.replace(TRACK, bad)}")
            assert answer.status_code == 404, (verb, path, bad)
    assert house.jellyfin.requests == []


def test_why_is_told_in_sentences_and_reasons(house: WebHouse, ann: Browser) -> None:
    house.add(1, status=Status.COMPLETED)
    house.want(1, rule=PIN, text="downloaded by you")

    told = ann.told(f"{DEVICE}/items/{TRACK}/why")

    assert (told["is_here"], told["status"]) == (True, "completed")
    assert told["sentences"]
    assert told["reasons"] == [
        {"rule": "favourites", "account": "ann", "text": "your favourite", "release_at": None},
        {"rule": PIN, "account": "ann", "text": "downloaded by you", "release_at": None},
    ]


def test_a_foreign_device_answers_like_one_that_there_is_not(house: WebHouse, ben: Browser) -> None:
    house.jellyfin.routes[f"GET /Items/{TRACK}"] = UNKNOWN

    for verb, path in (*CHANGES, *(("GET", one) for one in READS)):
        foreign = ben.send(verb, f"{DEVICE}/{path}")
        unknown = ben.send(verb, f"{DEVICE.replace(STICK, 'another')}/{path}")

        assert foreign.status_code == unknown.status_code == 404, (verb, path)
        assert foreign.data == unknown.data
        assert foreign.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()
