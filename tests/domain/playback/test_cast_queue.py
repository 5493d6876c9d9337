from __future__ import annotations

from collections.abc import Sequence

import pytest

from sidecar.domain.playback.cast_queue import CastItem, CastPosition, from_start, plan_places
from sidecar.domain.wishes import CAST_PRIORITY, PIN_PRIORITY, was_cast

Earlier = Sequence[tuple[str, int]]


def queue(earlier: Sequence[CastItem], cast: str, when: CastPosition) -> str:
    """Return the queue that comes of it: one letter for each item, the next one first."""
    at = {one.item_id: one.place for one in earlier if not one.is_running}
    at |= plan_places(earlier, list(cast), when)
    assert len(set(at.values())) == len(at)
    assert all(was_cast(one) for one in at.values())
    return "".join(sorted(at, key=lambda one: -at[one]))


def waiting(names: str, running: str = "") -> list[CastItem]:
    every = running + names
    return [
        CastItem(name, CAST_PRIORITY + len(every) - at, is_running=name in running)
        for at, name in enumerate(every)
    ]


@pytest.mark.parametrize(
    ("earlier", "cast", "when", "expected"),
    [
        pytest.param(waiting(""), "abc", CastPosition.NOW, "abc", id="the first cast"),
        pytest.param(waiting(""), "abc", CastPosition.NEXT, "abc", id="next of nothing"),
        pytest.param(waiting(""), "abc", CastPosition.LAST, "abc", id="last of nothing"),
        pytest.param(waiting("ab"), "xy", CastPosition.NOW, "xyab", id="now comes before all"),
        pytest.param(waiting("ab"), "xy", CastPosition.LAST, "abxy", id="last comes after all"),
        pytest.param(
            waiting("ab"), "xy", CastPosition.NEXT, "axyb", id="next to the one that is to run"
        ),
        pytest.param(
            waiting("bc", "a"), "xy", CastPosition.NEXT, "xybc", id="next to the one that runs"
        ),
        pytest.param(
            waiting("bc", "a"), "xy", CastPosition.NOW, "xybc", id="what runs is not broken off"
        ),
        pytest.param(waiting("", "a"), "xy", CastPosition.LAST, "xy", id="last behind what runs"),
        pytest.param(waiting("abc"), "c", CastPosition.NOW, "cab", id="now moves what waits"),
        pytest.param(waiting("abc"), "c", CastPosition.NEXT, "acb", id="next moves what waits"),
        pytest.param(
            waiting("abc"), "a", CastPosition.NEXT, "bac", id="next moves the first one as well"
        ),
        pytest.param(
            waiting("abc"), "ax", CastPosition.LAST, "abcx", id="last leaves what comes sooner"
        ),
    ],
)
def test_where_what_is_cast_comes_in_the_queue(
    earlier: Sequence[CastItem], cast: str, when: CastPosition, expected: str
) -> None:
    assert queue(earlier, cast, when) == expected


def test_what_is_cast_again_and_again_stays_in_order() -> None:
    earlier: list[CastItem] = []
    for name in "abcdef":
        at = plan_places(earlier, [name], CastPosition.LAST)
        earlier += [CastItem(one, place) for one, place in at.items()]

    assert queue(earlier, "x", CastPosition.NOW) == "xabcdef"


def test_what_was_cast_comes_before_what_was_pinned() -> None:
    at = plan_places([], [f"{number}" for number in range(5000)], CastPosition.LAST)

    assert min(at.values()) > PIN_PRIORITY + 1000


@pytest.mark.parametrize(
    ("start", "expected"), [(0, "abc"), (1, "bca"), (2, "cab"), (3, "abc"), (-1, "abc")]
)
def test_it_begins_where_the_person_clicked(start: int, expected: str) -> None:
    assert "".join(from_start("abc", start)) == expected


def test_what_is_there_twice_is_wanted_once() -> None:
    assert from_start(["a", "b", "a"], 0) == ["a", "b"]
