from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.playback.sessions import NowPlaying, QueueEntry
from sidecar.domain.rules import queue_ahead
from sidecar.services.accounts.person import Person
from tests.services.conftest import track
from tests.web.house import ANN, BEN, Browser, WebHouse

LIST = "/api/v1/plays"


def heard(house: WebHouse, person: Person, number: int) -> None:
    """Let somebody have heard a track, each a minute after the one before."""
    house.heard(person, number, house.clock.now() + timedelta(minutes=number))


def hears(house: WebHouse, person: Person) -> None:
    """Let somebody hear a track for 12 seconds, with three more in the client's queue."""
    for position in (0.0, 12.3):
        house.services.rules.watching.tell(
            person.user_id,
            [
                NowPlaying(
                    session_id=f"of {person.name}",
                    user_id=person.user_id,
                    item=track(50, seconds=180.0),
                    device_name="Phone",
                    client="Finamp",
                    position_s=position,
                    checked_in=house.clock.now(),
                    queue=tuple(
                        QueueEntry(track(number).id, str(number)) for number in range(50, 54)
                    ),
                )
            ],
        )
        house.clock.advance(12 if position == 0 else 0)


def test_a_play_has_exactly_the_fields_that_were_promised(house: WebHouse, ann: Browser) -> None:
    heard(house, ANN, 7)

    assert ann.client.get(LIST).json == {
        "items": [
            {
                "item_id": "00000000000000000000000000000007",
                "title": "Tone 7",
                "client": "Finamp",
                "started_at": "2026-11-01T12:07:00.000Z",
                "seconds_heard": 171.3,
                "counted": True,
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 10,
    }


def test_plays_come_in_pages(house: WebHouse, ann: Browser) -> None:
    for number in range(25):
        heard(house, ANN, number)

    last = ann.client.get(f"{LIST}?page=3&page_size=12").json

    assert last is not None
    assert (last["total"], last["page"], last["page_size"]) == (25, 3, 12)
    assert [one["title"] for one in last["items"]] == ["Tone 0"]


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("asked", ["page=0", "page=x", "page_size=101", f"account={'a' * 201}"])
def test_what_makes_no_sense_is_refused(ann: Browser, asked: str) -> None:
    answer = ann.client.get(f"{LIST}?{asked}")

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_nobody_is_told_what_somebody_else_hears(house: WebHouse, eve: Browser) -> None:
    heard(house, ANN, 7)
    hears(house, ANN)
    ben = house.come_in(BEN).client

    foreign, unknown = ben.get(f"{LIST}?account=ann"), ben.get(f"{LIST}?account=nobody")

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert ben.get("/api/v1/now").json == {"items": [], "total": 0, "page": 1, "page_size": 0}
    asked = eve.client.get(f"{LIST}?account=ann").json
    assert asked is not None
    assert asked["total"] == 1


def test_what_plays_now_is_told_in_words(house: WebHouse, ann: Browser) -> None:
    house.add(51, rule=queue_ahead.NAME, text="next in your queue")
    hears(house, ANN)
    hears(house, BEN)

    told = ann.client.get("/api/v1/now").json

    assert told is not None
    assert (told["total"], told["page"], told["page_size"]) == (1, 1, 1)
    assert told["items"] == [
        {
            "account": "ann",
            "item_id": track(50).id,
            "title": "Tone 50",
            "artist": "The Sine Waves",
            "album": "First Light",
            "item_type": "Audio",
            "client": "Finamp",
            "device_name": "Phone",
            "started_at": "2026-11-01T12:00:00.000Z",
            "position": 12.3,
            "seconds": 180.0,
            "seconds_heard": 12.0,
            "is_paused": False,
            "silent_since": None,
            "queued": 3,
            "coming": [
                {
                    "title": "Tone 51",
                    "artist": "The Sine Waves",
                    "text": "next in your queue",
                    "places": [{"device_name": "Car stick", "status": "pending"}],
                }
            ],
        }
    ]


def test_the_page_tells_what_plays_what_comes_next_and_what_was_heard(
    house: WebHouse, ann: Browser
) -> None:
    for number in range(12):
        heard(house, ANN, number)
    house.add(51, rule=queue_ahead.NAME, text="next in your queue")
    hears(house, ANN)

    page = " ".join(ann.client.get("/now").text.split())

    for words in (
        "The Sine Waves · First Light",
        "Finamp on Phone",
        "0:12 of 3:00",
        "3 more in the queue",
        "Queued · Car stick",
        "2:51 played · counted",
        "1\u201310 of 12",
        'href="/now?page=2"',
    ):
        assert words in page
    assert "Tone 0" in ann.client.get("/now?page=2").text


@pytest.mark.usefixtures("house")
def test_where_nothing_plays_the_page_says_what_to_do(ann: Browser) -> None:
    assert "Play something in any Jellyfin app" in ann.client.get("/now?page=x").text
