from __future__ import annotations

import pytest

from sidecar.errors import DatabaseError
from sidecar.services.files.streaming import PAUSE_S, UsageTracker
from tests.fakes.clock import FakeClock

ITEM = "1" * 32


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
