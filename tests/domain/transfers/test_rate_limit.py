from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.transfers.rate_limit import BURST_S, LEAST_BLOCK, Bucket

RATE = 100_000.0


def test_without_a_limit_nobody_waits() -> None:
    bucket = Bucket()
    bucket.take(10**12, 0)

    assert bucket.wait(0) == 0
    assert bucket.block() is None


def test_what_came_too_early_is_waited_for() -> None:
    bucket = Bucket(RATE)
    bucket.take(50_000, 0)

    assert bucket.wait(0) == pytest.approx(0.5)
    assert bucket.wait(0.2) == pytest.approx(0.3)
    assert bucket.wait(0.5) == pytest.approx(0)


def test_a_long_silence_earns_only_a_small_burst() -> None:
    bucket = Bucket(RATE)
    bucket.take(int(RATE * BURST_S), 3600)
    assert bucket.wait(3600) == 0

    bucket.take(1000, 3600)

    assert bucket.wait(3600) == pytest.approx(0.01)


def test_a_debt_made_at_one_rate_is_paid_at_the_other() -> None:
    bucket = Bucket(RATE)
    bucket.take(100_000, 0)
    assert bucket.wait(0) == pytest.approx(1)

    bucket.change(RATE * 10, 0)
    assert bucket.wait(0) == pytest.approx(0.1)
    bucket.change(None, 0)
    assert bucket.wait(0) == 0


def test_blocks_are_small_enough_to_be_smooth() -> None:
    assert Bucket(RATE).block() == 5000
    assert Bucket(10.0).block() == LEAST_BLOCK


@given(
    rate=st.floats(1_000, 1e9),
    blocks=st.lists(st.integers(1, 100_000), min_size=1, max_size=50),
    late=st.lists(st.floats(0, 2), min_size=50, max_size=50),
)
def test_the_limit_is_never_passed_over_any_stretch(
    rate: float, blocks: list[int], late: list[float]
) -> None:
    bucket, now, came = Bucket(rate), 0.0, [(0.0, 0)]
    for count, more in zip(blocks, late, strict=False):
        now += bucket.wait(now) + more
        bucket.take(count, now)
        came.append((now, count))

    for begin in range(len(came)):
        total = sum(count for _, count in came[begin:-1])
        passed = came[-1][0] - came[begin][0]
        assert total <= (passed + BURST_S) * rate * 1.001 + max(blocks)
