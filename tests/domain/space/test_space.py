from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.space.space import (
    Space,
    SpaceRefusal,
    check_space,
    compute_default_reserve,
    round_to_blocks,
)

MIB = 1024**2
GIB = 1024**3
STICK = Space(total=32 * GIB, free=20 * GIB, block=32 * 1024, largest_file=2**32 - 1)


def room(
    size: int,
    *,
    remaining: int | None = None,
    space: Space = STICK,
    used: int = 0,
    promised: int = 0,
    budget: int | None = None,
    reserve: int | None = 1 * GIB,
) -> SpaceRefusal | None:
    return check_space(
        remaining=size if remaining is None else remaining,
        size=size,
        space=space,
        used=used,
        promised=promised,
        budget=budget,
        reserve=reserve,
        name="Car stick",
    )


def test_a_file_that_fits_is_welcome() -> None:
    assert room(700 * MIB, budget=10 * GIB) is None


@pytest.mark.parametrize(
    ("total", "reserve"),
    [(1 * GIB, GIB // 10), (16 * GIB, 256 * MIB), (1000 * GIB, 10 * GIB)],
)
def test_a_hundredth_stays_free_but_never_much_of_a_small_device(total: int, reserve: int) -> None:
    assert compute_default_reserve(total) == reserve


@pytest.mark.parametrize(("size", "bytes_taken"), [(0, 0), (1, 4096), (4096, 4096), (4097, 8192)])
def test_a_file_takes_whole_blocks(size: int, bytes_taken: int) -> None:
    assert round_to_blocks(size, 4096) == bytes_taken


def test_only_the_bytes_that_are_still_to_come_need_room() -> None:
    nearly_full = Space(total=32 * GIB, free=1 * GIB + 1 * MIB, block=4096, largest_file=None)

    assert room(900 * MIB, remaining=1 * MIB, space=nearly_full) is None
    refusal = room(900 * MIB, remaining=1 * MIB + 1, space=nearly_full)
    assert refusal is not None
    assert (refusal.code, refusal.is_final) == ("full", False)


def test_the_reserve_stays_free_though_nobody_set_one() -> None:
    full = Space(
        total=32 * GIB, free=compute_default_reserve(32 * GIB), block=4096, largest_file=None
    )

    refusal = room(1, space=full, reserve=None)

    assert refusal is not None
    assert refusal.code == "full"
    assert room(1, space=full, reserve=0) is None


def test_what_stays_free_on_purpose_is_named_where_only_that_is_in_the_way() -> None:
    kept = room(4096, reserve=40 * GIB)
    too_large = room(33 * GIB, reserve=1, space=replace(STICK, largest_file=None))

    assert kept is not None
    assert too_large is not None
    assert (kept.code, kept.is_final) == ("too-big", True)
    assert kept.message.endswith("never fits: lower Keep free in its settings")
    assert too_large.message == "It is larger (35.4 GB) than Car stick"


def test_what_running_downloads_will_write_is_taken_already() -> None:
    refusal = room(1 * GIB, promised=18 * GIB + 1)

    assert refusal is not None
    assert refusal.code == "full"
    assert room(1 * GIB, promised=18 * GIB) is None


def test_the_budget_counts_whole_blocks() -> None:
    block = STICK.block

    assert room(block + 1, used=8 * block, budget=10 * block) is None
    refusal = room(block + 1, used=8 * block, budget=10 * block - 1)
    assert refusal is not None
    assert (refusal.code, refusal.is_final) == ("budget", False)
    assert "Car stick" in refusal.message


def test_a_file_larger_than_the_whole_budget_is_refused_for_good() -> None:
    refusal = room(3 * GIB, used=0, budget=2 * GIB)

    assert refusal is not None
    assert (refusal.code, refusal.is_final) == ("too-big", True)
    assert "3.2 GB" in refusal.message
    assert "2.1 GB" in refusal.message


def test_a_file_that_fat_cannot_hold_is_refused_before_the_first_byte() -> None:
    assert room(2**32 - 1) is None
    refusal = room(2**32)

    assert refusal is not None
    assert (refusal.code, refusal.is_final) == ("too-big", True)


def test_a_file_larger_than_the_device_is_refused_for_good_however_much_is_free() -> None:
    card = Space(total=4 * GIB, free=4 * GIB, block=4096, largest_file=None)

    refusal = room(4 * GIB, space=card)

    assert refusal is not None
    assert (refusal.code, refusal.is_final) == ("too-big", True)


sizes = st.integers(0, 40 * GIB)


@given(size=sizes, used=sizes, promised=sizes, budget=st.one_of(st.none(), sizes), reserve=sizes)
def test_what_is_let_in_never_exceeds_budget_or_reserve(
    size: int, used: int, promised: int, budget: int | None, reserve: int
) -> None:
    refusal = room(size, used=used, promised=promised, budget=budget, reserve=reserve)

    if refusal is None:
        assert budget is None or used + size <= budget
        assert STICK.free - promised - size >= reserve
        assert size < 2**32
    else:
        assert refusal.message
