from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sidecar.services.rules.now_playing import GAP_S, QUIET_S, NowPlayingDebouncer
from tests.fakes.clock import FakeClock
from tests.fakes.libraries.rule_library import plays, song

SONGS = [song(str(number)) for number in range(60)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def playing(clock: FakeClock) -> NowPlayingDebouncer:
    return NowPlayingDebouncer(clock)


def test_a_track_that_starts_matters_at_once(playing: NowPlayingDebouncer) -> None:
    playing.tell([plays(SONGS[0])])

    assert playing.turn()
    assert not playing.turn()
    assert playing.next_turn() == math.inf


def test_the_same_news_again_are_no_news(playing: NowPlayingDebouncer) -> None:
    playing.tell([plays(SONGS[0])])
    playing.turn()

    for seconds in range(6):
        playing.tell([replace(plays(SONGS[0]), position_s=float(seconds), is_paused=seconds > 3)])

    assert not playing.turn()


def test_the_moment_between_two_tracks_is_not_believed(
    playing: NowPlayingDebouncer, clock: FakeClock
) -> None:
    playing.tell([plays(SONGS[0])])
    playing.turn()
    playing.tell([])
    clock.advance(1)

    assert not playing.turn()
    assert [one.item for one in playing.all()] == [SONGS[0]]

    playing.tell([plays(SONGS[1])])
    assert playing.turn()
    clock.advance(GAP_S)
    assert not playing.turn()


def test_what_stopped_is_gone_after_a_while(playing: NowPlayingDebouncer, clock: FakeClock) -> None:
    playing.tell([plays(SONGS[0])])
    playing.turn()
    playing.tell([])
    clock.advance(GAP_S / 2)
    playing.tell([])
    clock.advance(GAP_S / 2)

    assert playing.turn()
    assert playing.all() == ()


def test_skipping_through_fifty_tracks_is_looked_at_a_few_times(
    playing: NowPlayingDebouncer, clock: FakeClock
) -> None:
    looked = 0
    for item in SONGS[:50]:
        playing.tell([plays(item)])
        looked += playing.turn()
        clock.advance(1.2)
        looked += playing.turn()
    clock.advance(QUIET_S)
    looked += playing.turn()

    assert looked == 4
    assert playing.all()[0].item == SONGS[49]


def test_who_listens_quietly_is_always_looked_at_at_once(
    playing: NowPlayingDebouncer, clock: FakeClock
) -> None:
    for item in SONGS[:10]:
        playing.tell([plays(item)])
        assert playing.turn()
        clock.advance(180)


def test_a_server_whose_clock_is_days_wrong_is_understood(
    playing: NowPlayingDebouncer, clock: FakeClock
) -> None:
    reported, later = clock.now() - timedelta(days=3), clock.now() - timedelta(days=2)

    def told(checked_in: datetime | None) -> datetime | None:
        playing.tell([replace(plays(SONGS[0]), checked_in=checked_in)])
        return playing.all()[0].checked_in

    begun = clock.now()
    assert told(reported) == begun
    clock.advance(60)
    assert told(reported) == begun
    assert told(later) == clock.now()
    assert told(None) is None


def test_what_a_session_played_before_is_known_as_long_as_it_is_there(
    playing: NowPlayingDebouncer, clock: FakeClock
) -> None:
    for number in (0, 0, 4, 2):
        playing.tell([])
        playing.tell([plays(SONGS[number])])
    (now,) = playing.all()
    assert now.before == (SONGS[0].id, SONGS[4].id)

    playing.tell([])
    clock.advance(GAP_S)
    playing.turn()
    playing.tell([plays(SONGS[3])])

    (now,) = playing.all()
    assert now.before == ()
