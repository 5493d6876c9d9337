from __future__ import annotations

import json

import pytest

from sidecar.domain.playback.cast_queue import CastPosition
from sidecar.jellyfin.live.commands import Command, PlayOrder
from sidecar.jellyfin.live.events import decode
from tests.fakes.servers.live import frame
from tests.jellyfin.recorded import recording

ANN = "d4fbc947e362443bb7fc366db3238752"
ID = "1bf5462706b4367473f9fd0725bdd586"


def test_what_the_real_web_client_cast_is_read_as_it_was_recorded() -> None:
    album, song = (
        decode(json.dumps(one).encode(), own_device="x") for one in recording("12.0", "cast-frames")
    )

    assert isinstance(album, PlayOrder)
    assert (len(album.item_ids), album.when, album.start, album.by) == (
        10,
        CastPosition.NOW,
        0,
        ANN,
    )
    assert song == PlayOrder((ID,), CastPosition.LAST, 0, ANN)


def test_play_next_and_the_place_of_the_click_are_read() -> None:
    told = decode(
        frame("Play", {"ItemIds": [ID, "broken"], "PlayCommand": "PlayNext", "StartIndex": 1}),
        own_device="x",
    )

    assert told == PlayOrder((ID,), CastPosition.NEXT, 1, None)


@pytest.mark.parametrize(
    ("kind", "content", "name"),
    [
        ("Playstate", {"Command": "Stop", "ControllingUserId": ANN}, "Stop"),
        ("GeneralCommand", {"Name": "SetVolume", "ControllingUserId": ANN}, "SetVolume"),
    ],
)
def test_other_commands_are_told_by_their_name(
    kind: str, content: dict[str, str], name: str
) -> None:
    assert decode(frame(kind, content), own_device="x") == Command(name, ANN)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("Play", {"ItemIds": [ID], "PlayCommand": "PlayBackwards"}),
        ("Play", {"ItemIds": [ID]}),
        ("Play", None),
        ("Playstate", {}),
        ("GeneralCommand", "Mute"),
        ("SyncPlayCommand", {}),
    ],
)
def test_what_is_not_understood_is_passed_over(kind: str, content: object) -> None:
    assert decode(frame(kind, content), own_device="x") is None
