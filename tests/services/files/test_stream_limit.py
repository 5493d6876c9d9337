from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sidecar.errors import DatabaseError
from sidecar.services.files.streaming import PAUSE_S, StreamLimit, TooManyStreams, UsageTracker
from tests.fakes.clock import FakeClock

ITEM = "1" * 32


def test_each_person_has_a_few_places_and_all_have_some_more() -> None:
    streams = StreamLimit(most=3, most_each=2)
    streams.begin("ann")
    second = streams.begin("ann")

    with pytest.raises(TooManyStreams, match="You play too many") as own:
        streams.begin("ann")
    streams.begin("ben")
    with pytest.raises(TooManyStreams, match="Too many files are played") as full:
        streams.begin("eve")

    assert (own.value.is_own, full.value.is_own) == (True, False)
    second()
    streams.begin("eve")


def test_a_place_is_given_back_once() -> None:
    streams = StreamLimit(most=2, most_each=2)
    end, _ = streams.begin("ann"), streams.begin("ann")

    end()
    end()

    streams.begin("ann")
    with pytest.raises(TooManyStreams):
        streams.begin("ann")


def test_many_at_once_never_take_more_than_there_are() -> None:
    streams = StreamLimit(most=5, most_each=5)

    def attempt(_: int) -> bool:
        try:
            streams.begin("ann")
        except TooManyStreams:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(100))) == 5


def test_a_file_is_used_once_however_many_pieces_are_fetched() -> None:
    clock, used = FakeClock(), list[str]()
    uses = UsageTracker(used.append, clock)

    pieces = []
    for _ in range(5):
        pieces.append(uses.record("ann", 7, ITEM))
        clock.advance(PAUSE_S - 1)
    others = [uses.record("ben", 7, ITEM), uses.record("ann", 8, ITEM)]
    clock.advance(PAUSE_S)

    assert pieces == [True, False, False, False, False]
    assert others == [True, True]
    assert uses.record("ann", 7, ITEM)
    assert len(used) == 4


def test_playing_goes_on_when_a_use_cannot_be_written_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(_item_id: str) -> None:
        raise DatabaseError("the disk is full")

    assert UsageTracker(full, FakeClock()).record("ann", 7, ITEM)
    assert "a use could not be noted: the disk is full" in caplog.text
