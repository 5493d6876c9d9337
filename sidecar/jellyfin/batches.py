"""Asks for many things with few requests: some to a request, and fewer where that is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
Answer = TypeVar("Answer")


class Batches(Generic[T]):
    """How many things one request may name, which is learned and remembered.

    Proxies and filters before a server refuse long addresses, and always do so.
    """

    def __init__(self, most: int, *refusals: type[Exception]) -> None:
        """Begin with `most` to a request; `refusals` are the errors that mean "too many"."""
        self._most = most
        self._refusals = refusals

    def ask(
        self, things: Sequence[T], request: Callable[[Sequence[T]], Answer]
    ) -> Iterator[tuple[Sequence[T], Answer]]:
        """Yield all things, some at a time, with the answer for them.

        A refusal halves the batch; that of a single thing is raised.
        """
        most, at = self._most, 0
        while batch := things[at : at + most]:
            try:
                answer = request(batch)
            except self._refusals:
                if len(batch) == 1:
                    raise
                most = len(batch) // 2
                continue
            self._most, at = most, at + len(batch)
            yield batch, answer
