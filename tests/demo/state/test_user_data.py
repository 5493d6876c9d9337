from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sidecar.demo.library.items import BaseItemKind, DemoItem
from sidecar.demo.state.user_data import UserData

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECOND = 10_000_000
HOUR = 3600.0


def item(kind: BaseItemKind = BaseItemKind.MOVIE, seconds: float = HOUR) -> DemoItem:
    return DemoItem(
        id="0" * 32,
        kind=kind,
        name="x",
        sort_name="x",
        path="/x",
        key="x",
        created=NOW,
        seconds=seconds,
    )


def test_music_is_played_from_its_start_and_a_film_is_not() -> None:
    assert UserData().after_start(item(BaseItemKind.AUDIO), NOW, unticks_films=False).played
    assert not UserData().after_start(item(), NOW, unticks_films=False).played


@pytest.mark.parametrize("unticks", [True, False])
def test_a_film_that_is_started_again_may_lose_its_tick(unticks: bool) -> None:
    again = UserData(played=True).after_start(item(), NOW, unticks_films=unticks)

    assert again.played is not unticks


@pytest.mark.parametrize(
    ("kind", "length", "at", "played", "kept"),
    [
        (BaseItemKind.MOVIE, HOUR, 100, False, 0),
        (BaseItemKind.MOVIE, HOUR, 1800, False, 1800),
        (BaseItemKind.MOVIE, HOUR, 3300, True, 0),
        (BaseItemKind.MOVIE, 200, 100, True, 0),
        (BaseItemKind.MOVIE, 200, 1, False, 0),
        (BaseItemKind.AUDIO, 200, 20, True, 0),
        (BaseItemKind.AUDIO, 200, 0, False, 0),
        (BaseItemKind.AUDIO, HOUR, 1800, False, 0),
        (BaseItemKind.MOVIE, HOUR, 3599, True, 0),
    ],
)
def test_a_position_means_finished_begun_or_nothing(
    kind: BaseItemKind, length: float, at: int, played: bool, kept: int
) -> None:
    reached = UserData().after_position(item(kind, length), at * SECOND)

    assert (reached.played, reached.position_ticks) == (played, kept * SECOND)


def test_a_stop_without_a_position_counts_as_finished() -> None:
    ended = UserData(play_count=1).after_end()

    assert (ended.played, ended.play_count) == (True, 2)


def test_a_tick_for_a_day_counts_and_takes_that_day_even_if_it_is_long_past() -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)

    ticked = UserData(play_count=2, last_played=NOW).mark_played(past, NOW)

    assert (ticked.play_count, ticked.last_played) == (3, past)


def test_a_tick_without_a_day_counts_only_the_first() -> None:
    first = UserData().mark_played(None, NOW)

    assert (first.play_count, first.last_played) == (1, NOW)
    assert UserData(play_count=5).mark_played(None, NOW).play_count == 5


def test_no_tick_means_never_played() -> None:
    gone = UserData(played=True, play_count=3, last_played=NOW, is_favourite=True).mark_unplayed()

    assert gone == UserData(is_favourite=True)
