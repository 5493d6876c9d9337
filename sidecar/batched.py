"""Takes things some at a time, as `itertools.batched` does from Python 3.12 on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(things: Iterable[T], most: int) -> Iterator[list[T]]:
    """Yield all things in their order, `most` in a list; the last may be shorter, none is empty."""
    remaining = iter(things)
    while some := list(islice(remaining, most)):
        yield some
