"""How often somebody may try to sign in: fewer times than Jellyfin takes before it locks accounts.

A try counts from the moment it begins, so that many at once are no way round; one that succeeds,
or that never reached Jellyfin, is taken back.

    a name       2 tries, then one after 15 min, 1 h, 4 h, and one a day
    an address   10 failed tries in 15 min
    everybody    60 failed tries in 15 min
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
WINDOW_S = 15 * MINUTE_S
FREE_TRIES = 2
WAITS_S = (15 * MINUTE_S, HOUR_S, 4 * HOUR_S, 24 * HOUR_S)
# A name that was left alone for so long starts again.
FORGOTTEN_AFTER_S = 48 * HOUR_S
MOST_OF_AN_ADDRESS = 10
MOST_OF_ALL = 60


@dataclass(frozen=True, slots=True)
class Try:
    """One try to sign in; `name` as Jellyfin tells names apart, `at` in monotonic seconds."""

    name: str
    address: str
    at: float


@dataclass(slots=True)
class SignInLimiter:
    """Counts the failed tries. Not safe for many threads: whoever owns it brings the lock."""

    _of_names: dict[str, list[float]] = field(default_factory=dict)
    _recent: deque[Try] = field(default_factory=deque)

    def begin(self, name: str, address: str, now: float) -> Try | float:
        """Return the try, or the seconds to wait if there may be none now."""
        self._forget(now)
        one = Try(name.casefold(), address, now)
        wait = max(self._name_wait(one), self._wait_of_address(one), self._wait_of_all(now))
        if wait > 0:
            return wait
        self._of_names.setdefault(one.name, []).append(now)
        self._recent.append(one)
        return one

    def record_success(self, one: Try) -> None:
        """Take back the try, and all that failed under this name."""
        self._of_names.pop(one.name, None)
        self._take_back(one)

    def take_back(self, one: Try) -> None:
        """Take back a try that did not reach Jellyfin: the server was away."""
        tries = self._of_names.get(one.name, [])
        if one.at in tries:
            tries.remove(one.at)
        self._take_back(one)

    def _name_wait(self, one: Try) -> float:
        tries = self._of_names.get(one.name, [])
        if len(tries) < FREE_TRIES:
            return 0.0
        wait = WAITS_S[min(len(tries) - FREE_TRIES, len(WAITS_S) - 1)]
        return max(tries) + wait - one.at

    def _wait_of_address(self, one: Try) -> float:
        same = [other.at for other in self._recent if other.address == one.address]
        return (
            same[-MOST_OF_AN_ADDRESS] + WINDOW_S - one.at if len(same) >= MOST_OF_AN_ADDRESS else 0
        )

    def _wait_of_all(self, now: float) -> float:
        is_full = len(self._recent) >= MOST_OF_ALL
        return self._recent[-MOST_OF_ALL].at + WINDOW_S - now if is_full else 0.0

    def _take_back(self, one: Try) -> None:
        if one in self._recent:
            self._recent.remove(one)

    def _forget(self, now: float) -> None:
        while self._recent and now - self._recent[0].at >= WINDOW_S:
            self._recent.popleft()
        old = [name for name, at in self._of_names.items() if _is_old(at, now)]
        for name in old:
            del self._of_names[name]


def _is_old(tries: list[float], now: float) -> bool:
    return not tries or now - max(tries) >= FORGOTTEN_AFTER_S
