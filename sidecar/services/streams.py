"""How many files are played through us at once: each holds a thread of the web server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Lock

from sidecar.errors import SidecarError

MOST = 10
MOST_EACH = 4


class TooManyStreams(SidecarError):
    """There is no room for another one now.

    Attributes:
        is_own: It is the person's own streams that are too many.
    """

    def __init__(self, *, is_own: bool) -> None:
        whose = "You play too many files" if is_own else "Too many files are played"
        super().__init__(f"{whose} through the sidecar at once: close one, or try again in a while")
        self.is_own = is_own


class Streams:
    """Counts them. Safe for many threads."""

    def __init__(self, *, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most = most
        self._most_each = most_each
        self._lock = Lock()
        self._open: Counter[str] = Counter()

    def begin(self, user_id: str) -> Callable[[], None]:
        """Take a place; return what gives it back, once, however often it is called.

        Raises:
            TooManyStreams: There is none.
        """
        with self._lock:
            if self._open[user_id] >= self._most_each:
                raise TooManyStreams(is_own=True)
            if self._open.total() >= self._most:
                raise TooManyStreams(is_own=False)
            self._open[user_id] += 1
        return partial(self._end, [user_id])

    def _end(self, place: list[str]) -> None:
        with self._lock:
            if place:
                self._open[place.pop()] -= 1
                self._open += Counter()
