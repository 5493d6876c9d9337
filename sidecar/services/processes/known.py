"""What is known of one kind, by subject: found here, or told by other processes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Known(Generic[T]):
    """Findings of one kind, such as open questions. Safe for many threads.

    What is settled here counts for all: `settled` says what other processes have to forget.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[str, T] = {}
        self._told: dict[str, T] = {}
        self._settled: set[str] = set()

    def all(self) -> Mapping[str, T]:
        """Return what is known."""
        with self._lock:
            return self._told | self._found

    def found(self) -> Mapping[str, T]:
        """Return what was found here."""
        with self._lock:
            return dict(self._found)

    def of(self, subject: str) -> T | None:
        """Return what is known of a subject; None if nothing is."""
        with self._lock:
            return self._found.get(subject, self._told.get(subject))

    def replace(self, about: Iterable[str], found: Mapping[str, T]) -> Mapping[str, T]:
        """Let `found` take the place of all that is known about the subjects `about`.

        Returns:
            What was known before.
        """
        with self._lock:
            before = self._told | self._found
            for subject in about:
                self._found.pop(subject, None)
                if self._told.pop(subject, None) is not None:
                    self._settled.add(subject)
            self._found |= found
            self._settled -= found.keys()
            return before

    def settled(self) -> Collection[str]:
        """Return what others have told and was settled here."""
        with self._lock:
            return frozenset(self._settled)

    def end_settled(self, subjects: Collection[str]) -> None:
        """Note that no other process tells these any more that were settled here."""
        with self._lock:
            self._settled -= frozenset(subjects)

    def forget(self, subjects: Collection[str]) -> None:
        """Forget what was found here and another process has settled."""
        with self._lock:
            for subject in subjects:
                self._found.pop(subject, None)

    def tell(self, told: Mapping[str, T]) -> None:
        """Take what all other processes tell now."""
        with self._lock:
            self._told = {name: one for name, one in told.items() if name not in self._settled}
