from __future__ import annotations

import pytest
from werkzeug.test import Client

from sidecar.web.app import Web
from tests.fakes.desk import ANN, BEN, EVE, FakeDesk
from tests.fakes.library import BODY, TRACK, FakeMedia, relayed
from tests.web.conftest import come_in
from tests.web.house import Browser

URL = "/media/7"


@pytest.fixture(autouse=True)
def _a_file(playing: FakeMedia) -> None:
    playing.add(ANN, 7)


def test_a_file_is_sent_with_what_players_need_and_nothing_that_could_run(ann: Browser) -> None:
    answer = ann.client.get(URL, buffered=True)

    assert (answer.status_code, answer.data) == (200, BODY)
    told = answer.headers
    assert told["Content-Length"] == str(len(BODY))
    assert told["Content-Type"] == "audio/flac"
    assert told["Accept-Ranges"] == "bytes"
    assert told["ETag"] == '"abc-1"'
    assert told["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert told["Cache-Control"] == "private, no-cache"
    assert told["X-Content-Type-Options"] == "nosniff"
    policy = "default-src 'none'; media-src 'self'; sandbox allow-same-origin"
    assert told["Content-Security-Policy"] == policy
    assert told["Content-Disposition"].startswith("inline; filename*=UTF-8''R%C3%A4ksm")


def test_a_part_says_which_part_it_is(ann: Browser) -> None:
    part = ann.client.get(URL, headers={"Range": "bytes=100-199"}, buffered=True)
    none = ann.client.get(URL, headers={"Range": "bytes=99999-"}, buffered=True)

    assert (part.status_code, part.data) == (206, BODY[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(BODY)}"
    assert (none.status_code, none.data) == (416, b"")
    assert none.headers["Content-Range"] == f"bytes */{len(BODY)}"


def test_what_is_known_already_is_not_sent_again(ann: Browser) -> None:
    answer = ann.client.get(URL, headers={"If-None-Match": '"abc-1"'}, buffered=True)

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == '"abc-1"'


def test_a_question_about_a_file_is_answered_without_it_and_is_no_use(
    ann: Browser, playing: FakeMedia
) -> None:
    answer = ann.client.head(URL, headers={"Range": "bytes=0-9"})

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert playing.used == []
    ann.client.get(URL, buffered=True)
    assert playing.used == [7]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist(
    web: Web, desk: FakeDesk, method: str
) -> None:
    for who in (BEN, EVE):
        client = come_in(web, desk, who).client
        foreign = client.open(URL, method=method, buffered=True)
        unknown = client.open("/media/8", method=method)

        assert foreign.status_code == unknown.status_code == 404
        assert foreign.data == unknown.data
        assert foreign.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()


def test_a_stranger_is_told_to_sign_in_and_a_key_is_enough(client: Client, desk: FakeDesk) -> None:
    desk.keys["the-key"] = ANN

    refused = client.get(URL, buffered=True)

    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"
    key = {"Authorization": "Bearer the-key"}
    assert client.get(URL, headers=key, buffered=True).data == BODY


def test_a_file_that_is_gone_and_a_device_that_is_away_are_told_apart(
    ann: Browser, playing: FakeMedia
) -> None:
    playing.add(ANN, 9)
    playing.vanished.add(7)
    playing.away.add(9)

    gone, away = ann.client.get(URL, buffered=True), ann.client.get("/media/9", buffered=True)

    assert gone.status_code == 404
    assert gone.json is not None
    assert gone.json["detail"] == "The file of Track 7 is not on Car stick any more"
    assert away.status_code == 503
    assert away.json is not None
    assert (away.json["code"], away.json["detail"][:20]) == ("missing", "Car stick is not the")


def test_who_plays_too_much_at_once_is_told_to_wait(
    web: Web, desk: FakeDesk, ann: Browser, playing: FakeMedia
) -> None:
    playing.add(BEN, 10)
    ben = come_in(web, desk, BEN).client
    mine = [ann.client.get(URL, buffered=False) for _ in range(2)]

    refused = ann.client.get(URL, buffered=True)
    third = ben.get("/media/10", buffered=False)
    full = ben.get("/media/10", buffered=True)

    assert (refused.status_code, full.status_code) == (429, 503)
    for answer in (refused, full):
        assert answer.json is not None
        assert answer.json["code"] == "too-many-streams"
        assert answer.headers["Retry-After"] == "30"
    for open_one in (*mine, third):
        open_one.close()
    assert ann.client.get(URL, buffered=True).status_code == 200


def test_what_is_in_jellyfin_comes_through_us_as_it_was_asked_for(
    ann: Browser, playing: FakeMedia
) -> None:
    playing.told[TRACK] = relayed([BODY[:1000], BODY[1000:]])

    answer = ann.client.get(f"/media/item/{TRACK}", headers={"Range": "bytes=0-"}, buffered=True)

    assert answer.data == BODY
    assert playing.asked[0]["Range"] == "bytes=0-"
    assert answer.headers["Content-Type"] == "audio/flac"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert ann.client.get(f"/media/item/{'9' * 32}", buffered=True).status_code == 404
    assert ann.client.get("/media/item/..%2f..%2f", buffered=True).status_code == 404


def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(
    ann: Browser, playing: FakeMedia
) -> None:
    playing.told[TRACK] = relayed([BODY[:1000]], breaks=True)

    with pytest.raises(ConnectionAbortedError):
        ann.client.get(f"/media/item/{TRACK}", buffered=True)


def test_only_media_answer_head(ann: Browser, playing: FakeMedia) -> None:
    playing.told[TRACK] = relayed([BODY])

    assert ann.client.head(f"/media/item/{TRACK}").status_code == 200
    for path in ("/api/v1/offline", f"/api/v1/items/{TRACK}/source", "/api/v1/downloads"):
        assert ann.client.head(path).status_code == 405
