"""Things taken some at a time."""

from __future__ import annotations

import pytest

from sidecar.batched import batched


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 7])
def test_all_come_in_their_order_and_no_batch_is_empty_or_too_long(count: int) -> None:
    batches = list(batched(iter(range(count)), 3))

    assert [one for some in batches for one in some] == list(range(count))
    assert all(1 <= len(some) <= 3 for some in batches)
    assert all(len(some) == 3 for some in batches[:-1])
