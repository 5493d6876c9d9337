from __future__ import annotations

import pytest

from sidecar.web.app import Web
from tests.fakes.desk import BEN, EVE, FakeDesk
from tests.fakes.listening import FakeListening, a_play, plays_now
from tests.web.conftest import come_in
from tests.web.house import Browser

LIST = "/api/v1/plays"


def test_a_play_has_exactly_the_fields_that_were_promised(
    ann: Browser, listening: FakeListening
) -> None:
    listening.heard["ann"] = [a_play(7)]

    assert ann.client.get(LIST).json == {
        "items": [
            {
                "item_id": "00000000000000000000000000000007",
                "title": "Track 7",
                "client": "Finamp",
                "started_at": "2026-11-01T19:37:00.000Z",
                "seconds_heard": 171.3,
                "counted": True,
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 10,
    }


def test_plays_come_in_pages(ann: Browser, listening: FakeListening) -> None:
    listening.heard["ann"] = [a_play(number) for number in range(25)]

    last = ann.client.get(f"{LIST}?page=3&page_size=12").json

    assert last is not None
    assert (last["total"], last["page"], last["page_size"]) == (25, 3, 12)
    assert [one["title"] for one in last["items"]] == ["Track 0"]


@pytest.mark.parametrize("asked", ["page=0", "page=x", "page_size=101", f"account={'a' * 201}"])
def test_what_makes_no_sense_is_refused(ann: Browser, asked: str) -> None:
    answer = ann.client.get(f"{LIST}?{asked}")

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_nobody_is_told_what_somebody_else_hears(
    web: Web, desk: FakeDesk, listening: FakeListening
) -> None:
    listening.heard["ann"] = [a_play(7)]
    listening.hearing = [plays_now("ann")]
    ben, eve = come_in(web, desk, BEN).client, come_in(web, desk, EVE).client

    foreign, unknown = ben.get(f"{LIST}?account=ann"), ben.get(f"{LIST}?account=nobody")

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert ben.get("/api/v1/now").json == {"items": [], "total": 0, "page": 1, "page_size": 0}
    asked = eve.get(f"{LIST}?account=ann").json
    assert asked is not None
    assert asked["total"] == 1


def test_what_plays_now_is_told_in_words(ann: Browser, listening: FakeListening) -> None:
    listening.hearing = [plays_now("ann"), plays_now("ben")]

    assert ann.client.get("/api/v1/now").json == {
        "items": [
            {
                "account": "ann",
                "item_id": "f" * 32,
                "title": "Now",
                "artist": "The Quiet Hour",
                "album": "Evenings",
                "item_type": "Audio",
                "client": "Finamp",
                "device_name": "Phone",
                "started_at": "2026-11-01T19:30:00.000Z",
                "position": 12.3,
                "seconds": 180.0,
                "seconds_heard": 12.0,
                "is_paused": False,
                "queued": 3,
                "coming": [
                    {
                        "title": "Next",
                        "artist": "The Quiet Hour",
                        "text": "next in your queue",
                        "places": [{"device_name": "Car stick", "status": "pending"}],
                    }
                ],
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 1,
    }


def test_the_page_tells_what_plays_what_comes_next_and_what_was_heard(
    ann: Browser, listening: FakeListening
) -> None:
    listening.heard["ann"] = [a_play(number) for number in range(12)]
    listening.hearing = [plays_now("ann")]

    page = " ".join(ann.client.get("/now").text.split())

    for words in (
        "The Quiet Hour · Evenings",
        "Phone, Finamp",
        "0:12 of 3:00",
        "The client tells of 3 more in its queue.",
        "Queued · Car stick",
        "heard for 2:51 · counts as a play",
        "1\u201310 of 12",
        'href="/now?page=2"',
    ):
        assert words in page
    assert "Track 0" in ann.client.get("/now?page=2").text


def test_where_nothing_plays_the_page_says_what_to_do(ann: Browser) -> None:
    assert "Play something in any Jellyfin client" in ann.client.get("/now?page=x").text
