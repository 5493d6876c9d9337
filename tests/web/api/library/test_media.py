from __future__ import annotations

import os

import pytest
from werkzeug.test import Client

from sidecar.domain.downloads.download import Download, Status
from tests.fakes.servers.answering import Reply
from tests.services.conftest import track
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse, content

ELSEWHERE = track(8).id
BODY = bytes(range(256)) * 40


@pytest.fixture
def file(house: WebHouse) -> Download:
    """Return a file of Ann's that is on the stick."""
    file = house.add(7, title="Räksmörgås 7", status=Status.COMPLETED)
    os.utime(house.path(file), ns=(0, 1_700_000_000_500_000_000))
    return file


def has(house: WebHouse, body: bytes, **headers: str) -> None:
    """Let Jellyfin have a file that is on no device."""
    told = {"Content-Type": "audio/flac", **headers}
    house.jellyfin.routes[f"GET /Items/{ELSEWHERE}/File"] = Reply(200, body, told)


def test_a_file_is_sent_with_what_players_need_and_nothing_that_could_run(
    ann: Browser, file: Download
) -> None:
    answer = ann.client.get(f"/media/{file.id}", buffered=True)

    assert (answer.status_code, answer.data) == (200, content(file))
    told = answer.headers
    assert told["Content-Length"] == "7000"
    assert told["Content-Type"] == "audio/flac"
    assert told["Accept-Ranges"] == "bytes"
    assert told["ETag"].startswith(f'"{file.content_hash}-')
    assert told["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert told["Cache-Control"] == "private, no-cache"
    assert told["X-Content-Type-Options"] == "nosniff"
    policy = "default-src 'none'; media-src 'self'; sandbox allow-same-origin"
    assert told["Content-Security-Policy"] == policy
    assert told["Content-Disposition"].startswith("inline; filename*=UTF-8''07%20-%20R%C3%A4ksm")


def test_a_part_says_which_part_it_is(ann: Browser, file: Download) -> None:
    url = f"/media/{file.id}"
    part = ann.client.get(url, headers={"Range": "bytes=100-199"}, buffered=True)
    none = ann.client.get(url, headers={"Range": "bytes=99999-"}, buffered=True)

    assert (part.status_code, part.data) == (206, content(file)[100:200])
    assert part.headers["Content-Range"] == "bytes 100-199/7000"
    assert (none.status_code, none.data) == (416, b"")
    assert none.headers["Content-Range"] == "bytes */7000"


def test_what_is_known_already_is_not_sent_again(ann: Browser, file: Download) -> None:
    url = f"/media/{file.id}"
    etag = ann.client.head(url).headers["ETag"]

    answer = ann.client.get(url, headers={"If-None-Match": etag}, buffered=True)

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == etag


def test_a_question_about_a_file_is_answered_without_it_and_is_no_use(
    house: WebHouse, ann: Browser, file: Download
) -> None:
    url = f"/media/{file.id}"

    answer = ann.client.head(url, headers={"Range": "bytes=0-9"})

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == "7000"
    assert house.now(file).last_used_seq == file.last_used_seq
    ann.client.get(url, buffered=True)
    assert house.now(file).last_used_seq > file.last_used_seq


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_belongs_to_somebody_else_is_as_if_it_did_not_exist(
    house: WebHouse, file: Download, method: str
) -> None:
    ben = house.come_in(BEN).client

    foreign = ben.open(f"/media/{file.id}", method=method, buffered=True)
    unknown = ben.open("/media/99", method=method)

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.data == unknown.data
    assert foreign.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()


def test_a_stranger_is_told_to_sign_in_and_a_key_is_enough(
    house: WebHouse, client: Client, file: Download
) -> None:
    _, key = house.store.api_keys.create(ANN.user_id, "A player")

    refused = client.get(f"/media/{file.id}", buffered=True)

    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"
    shown = {"Authorization": f"Bearer {key}"}
    answer = client.get(f"/media/{file.id}", headers=shown, buffered=True)
    assert answer.data == content(file)


def test_a_file_that_is_gone_and_a_device_that_is_away_are_told_apart(
    house: WebHouse, ann: Browser, file: Download
) -> None:
    house.path(file).unlink()
    gone = ann.client.get(f"/media/{file.id}", buffered=True)
    house.unplug()
    away = ann.client.get(f"/media/{file.id}", buffered=True)

    assert gone.status_code == 404
    assert gone.json is not None
    assert gone.json["detail"] == "The file of Räksmörgås 7 is not on Car stick any more"
    assert away.status_code == 503
    assert away.json is not None
    assert away.json["code"] == "missing"
    assert away.json["detail"] == "Car stick is not there: plug it in and try again"


def test_who_plays_too_much_at_once_is_told_to_wait(house: WebHouse) -> None:
    file = house.add(7, ANN, BEN, EVE, status=Status.COMPLETED)
    ann, ben, eve = (house.come_in(one).client for one in (ANN, BEN, EVE))
    url = f"/media/{file.id}"
    playing = [ann.get(url, buffered=False) for _ in range(4)]

    refused = ann.get(url, buffered=True)
    playing += [one.get(url, buffered=False) for one in (ben, ben, ben, ben, eve, eve)]
    full = eve.get(url, buffered=True)

    assert (refused.status_code, full.status_code) == (429, 503)
    for answer in (refused, full):
        assert answer.json is not None
        assert answer.json["code"] == "too-many-streams"
        assert answer.headers["Retry-After"] == "30"
    for one in playing:
        one.close()
    assert ann.get(url, buffered=True).status_code == 200


def test_what_is_in_jellyfin_comes_through_us_as_it_was_asked_for(
    house: WebHouse, ann: Browser
) -> None:
    has(house, BODY)

    answer = ann.client.get(f"/media/item/{ELSEWHERE}", headers={"Range": "bytes=0-"})

    assert answer.data == BODY
    [asked] = house.jellyfin.asked(f"/Items/{ELSEWHERE}/File")
    assert asked.headers["Range"] == "bytes=0-"
    assert answer.headers["Content-Type"] == "audio/flac"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert ann.client.get("/media/item/..%2f..%2f", buffered=True).status_code == 404


def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(
    house: WebHouse, ann: Browser
) -> None:
    has(house, BODY[:1000], **{"Content-Length": str(len(BODY))})

    with pytest.raises(ConnectionAbortedError):
        ann.client.get(f"/media/item/{ELSEWHERE}", buffered=True)


def test_only_media_answer_head(house: WebHouse, ann: Browser) -> None:
    has(house, BODY)

    assert ann.client.head(f"/media/item/{ELSEWHERE}").status_code == 200
    for path in ("/api/v1/offline", f"/api/v1/items/{ELSEWHERE}/source", "/api/v1/downloads"):
        assert ann.client.head(path).status_code == 405
