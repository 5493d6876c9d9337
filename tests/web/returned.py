"""What a stick brings home: a song that was on it before, and the log of a music player."""

from __future__ import annotations

import json

from sidecar.domain.downloads.download import Status
from tests.fakes.media.tagged import mp3
from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.services.travelling import HEADER, NOON
from tests.web.house import ANN, WebHouse

SONG = mp3("Tone 7", "The Sine Waves", "First Light", "7", seconds=27.0)
PLACE = "Music/01 Tone 7.mp3"
STRANGER = "Music/a.mp3"
LOG = ".scrobbler.log"


def put(house: WebHouse, path: str, body: bytes) -> None:
    """Copy a file onto the stick, as people do."""
    file = house.folder / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(body)


def bring_song(house: WebHouse) -> None:
    """Let a file that Jellyfin has lie on the stick, beside a stranger."""
    put(house, PLACE, SONG)
    put(house, STRANGER, mp3("Mine", "Me", "Own", "1"))
    file = {"Id": track(7).id, "Container": "mp3", "Size": len(SONG), "Path": "/m/7.mp3"}
    tags = {"Artists": ["The Sine Waves"], "RunTimeTicks": 270_000_000}
    house.library(row(7, MediaSources=[file], **tags))


def heard(title: str, stamp: int = NOON) -> str:
    """Return the line that a player writes of a play."""
    return f"The Sine Waves\tFirst Light\t{title}\t\t27\tL\t{stamp}\t\n"


def bring_log(house: WebHouse) -> None:
    """Let Ann have heard two tracks on the player; the last line is cut off."""
    house.services.web.settings.change(ANN, STICK, {"time_zone": "Europe/Berlin"}, {})
    facts = {"Artists": ["The Sine Waves"], "RunTimeTicks": 270_000_000}
    house.library(row(7, **facts), row(8, **facts))
    for number in (7, 8):
        house.add(number, status=Status.COMPLETED, seconds=27.0)
        _take_plays(house, number)
    lines = HEADER + heard("Tone 7") + heard("Tone 8", NOON + 60) + "?\n"
    (house.folder / LOG).write_text(lines)


def _take_plays(house: WebHouse, number: int) -> None:
    """Let Jellyfin know nothing of a track yet, and take what it is told."""

    def answer(request: Request) -> Reply:
        count = json.loads(request.body)["PlayCount"] if request.body else 0
        return json_reply({"ItemId": track(number).id, "IsFavorite": False, "PlayCount": count})

    path = f"/UserItems/{track(number).id}/UserData"
    house.jellyfin.routes |= {f"GET {path}": answer, f"POST {path}": answer}
