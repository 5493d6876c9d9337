from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.jellyfin.live.connection_trust import Trust, is_unreported, poll_interval
from tests.fakes.clock import START

SONG = Item(id="a" * 32, type=ItemType.AUDIO, title="Tone 1")
PHONE = NowPlaying(
    session_id="phone",
    user_id="u" * 32,
    item=SONG,
    playlist_item_id="playlistItem0",
    position_s=3.0,
    checked_in=START,
)
PAUSED = replace(PHONE, is_paused=True)


@pytest.mark.parametrize(
    ("trust", "is_playing", "is_heavy", "seconds"),
    [
        (Trust.NONE, True, False, 5),
        (Trust.NONE, False, False, 15),
        (Trust.NONE, True, True, 15),
        (Trust.FRESH, True, False, 5),
        (Trust.FRESH, False, False, 60),
        (Trust.FULL, True, False, 60),
        (Trust.FULL, False, False, 60),
    ],
)
def test_the_less_a_connection_tells_the_more_often_is_asked(
    trust: Trust, *, is_playing: bool, is_heavy: bool, seconds: float
) -> None:
    assert poll_interval(trust, is_playing=is_playing, is_heavy=is_heavy) == seconds


@pytest.mark.parametrize(
    ("told", "seen", "untold"),
    [
        pytest.param((), (), False, id="silence"),
        pytest.param((), (PHONE,), True, id="a start"),
        pytest.param((PHONE,), (), True, id="a stop"),
        pytest.param((PAUSED,), (), False, id="paused for so long that it is not listed"),
        pytest.param((PHONE,), (replace(PHONE, position_s=63.0),), False, id="it runs on"),
        pytest.param((PHONE,), (PAUSED,), True, id="a pause"),
        pytest.param(
            (PHONE,), (replace(PHONE, playlist_item_id="playlistItem1"),), True, id="repeated"
        ),
        pytest.param(
            (PHONE,), (replace(PHONE, checked_in=START + timedelta(0, 10)),), True, id="a report"
        ),
        pytest.param(
            (PHONE,), (PHONE, replace(PHONE, session_id="tv")), True, id="a second client"
        ),
        pytest.param(
            (PHONE, replace(PHONE, session_id="tv")),
            (replace(PHONE, session_id="tv"), PHONE),
            False,
            id="in another order",
        ),
    ],
)
def test_what_a_connection_should_have_told(
    told: tuple[NowPlaying, ...], seen: tuple[NowPlaying, ...], *, untold: bool
) -> None:
    assert is_unreported(told, seen) is untold
