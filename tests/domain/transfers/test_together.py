from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.transfers.together import MOST, SMALL, Due, choose, find_limit

PLAYER = "player"
ROWS = st.lists(
    st.builds(
        Due,
        id=st.integers(1, 99),
        device_id=st.sampled_from([PLAYER, "stick"]),
        size=st.sampled_from([None, 0, SMALL, SMALL + 1]),
        has_copies=st.booleans(),
    ),
    max_size=6,
)


def small(number: int, **more: object) -> Due:
    facts = {"device_id": "stick", "size": 1000, "has_copies": False, **more}
    return Due(id=number, **facts)  # type: ignore[arg-type]  # named above


def ids(*due: Due, in_order: tuple[str, ...] = ()) -> list[int]:
    return [one.id for one in choose(due, in_order)]


def test_small_ones_are_claimed_together() -> None:
    assert ids(small(1), small(2), small(3)) == [1, 2, 3]


def test_a_large_one_is_claimed_alone_and_ends_what_is_claimed_together() -> None:
    assert ids(small(1, size=SMALL + 1), small(2)) == [1]
    assert ids(small(1), small(2, size=SMALL + 1), small(3)) == [1]
    assert ids(small(1), small(2, size=None), small(3)) == [1]


def test_one_that_another_device_gets_as_well_is_claimed_alone() -> None:
    assert ids(small(1), small(2, has_copies=True), small(3)) == [1]
    assert ids(small(1, has_copies=True), small(2, has_copies=True)) == [1]


def test_a_player_that_plays_in_the_order_of_the_disk_gets_one_at_a_time() -> None:
    there = small(1, device_id=PLAYER), small(2, device_id=PLAYER)
    assert ids(*there, in_order=(PLAYER,)) == [1]
    assert ids(*there) == [1, 2]


@given(ROWS)
def test_the_first_always_comes_and_nobody_is_passed_over(due: list[Due]) -> None:
    chosen = list(choose(due, [PLAYER]))

    assert chosen == due[: len(chosen)]
    assert bool(chosen) == bool(due)


def test_more_are_claimed_the_longer_it_goes_quickly_up_to_a_limit() -> None:
    limits = [find_limit(quick) for quick in range(1000)]

    assert limits[0] == 1
    assert limits == sorted(limits)
    assert limits[-1] == MOST
