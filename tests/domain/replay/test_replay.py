from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.domain.fill.choice import FillLimits
from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.history import History, PastItem, PastPlay, make_history
from sidecar.domain.replay.replay import FILL, RULES, RUNS, Scenario, replay, split_budgets
from sidecar.domain.rules.album_affinity import AlbumAffinitySettings

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
ALBUMS, TRACKS, SIZE = 10, 10, 1000


def history(*plays: tuple[int, int, int]) -> History:
    """Return plays of (day, album, track) in a library of a hundred tracks."""
    return make_history(
        (
            PastPlay(BEGIN + timedelta(days=day, minutes=4 * n), "ann", f"{album}-{track}", 240)
            for n, (day, album, track) in enumerate(plays)
        ),
        (
            PastItem(id=f"{album}-{track}", album=f"Album {album}", size=SIZE, length=240)
            for album in range(ALBUMS)
            for track in range(TRACKS)
        ),
    )


def run(plays: History, scenario: Scenario) -> dict[tuple[str, int], Figures]:
    return {(one.name, one.budget): one for one in replay(plays, scenario)}


def test_the_same_track_each_day_is_a_hit_from_the_second_day_on() -> None:
    told: list[float] = []

    found = replay(
        history(*((day, 3, 3) for day in range(20))), Scenario(budgets=[SIZE]), told.append
    )

    assert [one.name for one in found] == list(RUNS)
    hits = {one.name: (one.plays, one.hits, one.repeat_hit_rate) for one in found}
    assert hits["most_played"] == hits["least_recently_used"] == (20, 19, 1.0)
    assert hits[FILL] == (20, 19, 1.0)
    assert told[-1] == 1.0
    assert sum(one.bytes_fetched for one in found if one.name == "most_played") == SIZE


def test_three_tracks_of_an_album_bring_the_rest_by_the_rule_as_its_settings_say() -> None:
    plays = history(*((day, 1, day) for day in range(6)))

    usual = run(plays, Scenario(budgets=[50 * SIZE], runs=[RULES]))[RULES, 50 * SIZE]
    four = AlbumAffinitySettings(threshold=4)
    strict = run(
        plays,
        Scenario(budgets=[50 * SIZE], runs=[RULES], settings={"album_affinity": four}),
    )[RULES, 50 * SIZE]

    # The first three tracks are misses; the album is there from the fourth day on.
    assert (usual.hits, usual.repeats, usual.bytes_fetched) == (3, 0, TRACKS * SIZE)
    assert strict.hits == 2
    assert usual.missed.total() == 3


def test_an_album_begun_goes_on_though_nothing_of_it_was_played_twice() -> None:
    # Each week an album, two tracks a day: what comes next of it is worth more than what was heard.
    plays = history(*((7 * week + n // 2, week, n) for week in range(10) for n in range(10)))

    found = run(plays, Scenario(budgets=[10 * SIZE]))

    firsts = {name: one.first_hit_rate for (name, _), one in found.items()}
    assert firsts[FILL] > 0.5
    assert firsts["most_played"] == firsts["least_recently_used"] == 0.0


def test_nobody_knows_the_future() -> None:
    past = [(day, day * 7 % 10, n * day % 10) for day in range(28) for n in range(4)]
    later = [(day, n, day % 10) for day in range(28, 35) for n in range(3)]
    other = [(day, 5, n) for day in range(28, 35) for n in range(9)]
    scenario = Scenario(budgets=[15 * SIZE])

    weeks = [
        [one.weeks[:4] for one in replay(history(*past, *what), scenario)]
        for what in (later, other)
    ]

    assert weeks[0] == weeks[1]


def test_long_silence_costs_nothing() -> None:
    found = replay(history((0, 1, 1), (900_000, 1, 1)), Scenario(budgets=[10 * SIZE]))

    assert {one.name: one.hits for one in found}[FILL] == 1
    assert len(found[0].weeks) < 12


plays_of_weeks = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, ALBUMS - 1), st.integers(0, TRACKS - 1)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=15, deadline=None)
@given(
    plays=plays_of_weeks,
    budgets=st.lists(st.integers(0, 40 * SIZE), min_size=1, max_size=2, unique=True),
    limits=st.builds(
        FillLimits,
        discovery=st.integers(0, 100),
        turnover=st.integers(0, 200),
        whole_albums=st.booleans(),
        of_album=st.integers(0, 5),
    ),
)
def test_figures_are_consistent_and_budgets_are_kept(
    plays: list[tuple[int, int, int]], budgets: list[int], limits: FillLimits
) -> None:
    past = history(*sorted(plays))

    found = replay(past, Scenario(budgets=budgets, limits=limits))

    assert [(one.name, one.budget) for one in found] == [(n, b) for b in budgets for n in RUNS]
    for one in found:
        assert one.plays == len(plays)
        assert 0 <= one.repeat_hits <= one.hits <= one.plays
        assert one.hits + one.missed.total() == one.plays
        assert 0 <= one.bytes_fetched - one.bytes_evicted <= one.budget
        assert sum(week.bytes_fetched for week in one.weeks) == one.bytes_fetched
    assert replay(past, Scenario(budgets=budgets, limits=limits)) == found


@pytest.mark.parametrize("turnover", [0, 10])
def test_only_so_much_changes_in_a_week(turnover: int) -> None:
    # Another album each day: much would change if it might.
    plays = history(*((day, day % ALBUMS, n) for day in range(40) for n in range(TRACKS)))
    budget = 20 * SIZE

    limits = FillLimits(turnover=turnover)
    figures = run(plays, Scenario(budgets=[budget], limits=limits, runs=[FILL]))[FILL, budget]

    assert all(week.bytes_evicted <= budget * turnover // 100 for week in figures.weeks)
    assert figures.bytes_fetched >= budget


@pytest.mark.parametrize(
    ("budgets", "parts", "split"),
    [
        ([2, 5, 10, 20, 5], 2, [[20], [10, 5, 2]]),
        ([2, 5, 10, 20], 1, [[20, 10, 5, 2]]),
        ([7, 7], 2, [[7]]),
        ([], 2, []),
    ],
)
def test_budgets_are_divided_into_parts_that_take_about_as_long(
    budgets: list[int], parts: int, split: list[list[int]]
) -> None:
    assert split_budgets(budgets, parts) == split
