from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.domain.fill.shelf import Candidate, Shelf
from sidecar.domain.fill.taste import Evidence, Household, Listened, Taste

FIRST_DAY = 739_000


def shelf(items: int = 20, album: int = 5) -> Shelf:
    return Shelf(
        Candidate(
            id=str(n), title=str(n), size=1, album_id=f"album {n // album}", artist=str(n // 10)
        )
        for n in range(items)
    )


def heard(days: list[list[int]]) -> Taste:
    """Return the taste of somebody who played these items day by day, ready for the next day."""
    taste = Taste(Household(shelf()))
    for day, items in enumerate(days, start=FIRST_DAY):
        taste.look_ahead(day)
        taste.learn(day, [Listened(item, n * 240, 240) for n, item in enumerate(items)])
    taste.look_ahead(FIRST_DAY + len(days))
    return taste


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 19), max_size=6), max_size=25))
def test_everything_has_a_chance_and_trust_is_shared(days: list[list[int]]) -> None:
    taste = heard(days)

    assert all(one > 0 for one in taste.expect())
    assert sum(taste.trust().values()) == pytest.approx(1.0)
    assert all(one >= 0 for one in taste.trust().values())


def test_what_is_played_is_expected_and_what_is_played_more_more() -> None:
    expected = heard([[0, 7]] + [[7]] * 9).expect()

    assert expected[7] > expected[0] > expected[19]


def test_who_goes_round_and_round_is_understood() -> None:
    # What was heard longest ago comes next, what was heard yesterday does not.
    taste = heard([[day % 10, 10 + day % 10] for day in range(70)])

    expected = taste.expect()
    best = sorted(range(20), key=expected.__getitem__, reverse=True)[:2]
    assert set(best) == {0, 10}


def test_an_album_begun_goes_on() -> None:
    taste = heard([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]])

    expected = taste.expect()
    assert min(expected[12:15]) > max(expected[15:])


def test_trust_goes_to_what_was_right() -> None:
    faithful = heard([[n % 3] for n in range(90)]).trust()
    curious = heard([[n] for n in range(20)]).trust()

    assert faithful[Evidence.UNHEARD] < curious[Evidence.UNHEARD]
