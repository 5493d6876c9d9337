from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.domain.playback.sessions import NowPlaying, StaleSessions, name_player
from tests.domain.playback.listeners import client


def heard(
    name: str, silent_s: float | None, *, session: str = "s", reported: float = 0
) -> NowPlaying:
    playing = client(name, 10, session=session, reported=reported)
    return replace(playing, silent_s=silent_s)


@pytest.mark.parametrize(
    ("silent_s", "plays"), [(None, True), (0.0, True), (30.0, True), (31.0, False), (500.0, False)]
)
def test_what_had_no_fresh_report_when_we_began_plays_nothing(
    silent_s: float | None, plays: bool
) -> None:
    told = (heard("A", silent_s),)

    assert StaleSessions().leave_out(told) == (told if plays else ())


def test_it_plays_with_its_next_report() -> None:
    stale = StaleSessions()
    other = heard("B", 1, session="t")

    assert stale.leave_out([heard("A", 100), other]) == (other,)
    assert stale.leave_out([heard("A", 110), other]) == (other,)
    again = heard("A", 0, reported=120)
    assert stale.leave_out([again]) == (again,)
    # From then on it is tracked as any other.
    silent = heard("A", 100, reported=120)
    assert stale.leave_out([silent]) == (silent,)


def test_what_begins_later_is_not_stale() -> None:
    stale = StaleSessions()
    stale.leave_out([])
    late = heard("A", 100)

    assert stale.leave_out([late]) == (late,)


@pytest.mark.parametrize(
    ("name", "device", "said"),
    [
        ("Feishin", "Chrome", "Feishin on Chrome"),
        ("Finamp", "Ann's Finamp phone", "Ann's Finamp phone"),
        (None, "Chrome", "Chrome"),
        ("Feishin", None, "Feishin"),
        (None, None, "this client"),
    ],
)
def test_a_player_is_named_with_what_it_runs_on(
    name: str | None, device: str | None, said: str
) -> None:
    assert name_player(name, device) == said
