"""Limits attempts to sign in, so that passwords cannot be guessed.

A try counts from its beginning, so that many at once do not get around the limit; one that
succeeds, or that never reached Jellyfin, is uncounted.

    a name         5 tries, then one after 1 min, 5 min, and every 15 min
    an address     10 failed tries in 15 min; an IPv6 address counts by its /64 network
    everybody      60 failed tries in 15 min
    at once        4 tries, 2 of them from one address: each occupies a worker of the web server

A browser that has signed in under a name before has a counter of its own, with the same steps, and
counts in none of these: others' failed tries do not lock it out (OWASP: device cookies).

Quick Connect has no password; it is limited by the number of codes that wait for approval.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

MINUTE_S = 60.0
HOUR_S = 60 * MINUTE_S
WINDOW_S = 15 * MINUTE_S
FREE_TRIES = 5
WAITS_S = (MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S)
# A counter is reset after so long without a failed try.
FORGOTTEN_AFTER_S = 24 * HOUR_S
MOST_OF_AN_ADDRESS = 10
MOST_OF_ALL = 60
MOST_AT_ONCE = 4
MOST_AT_ONCE_OF_ONE = 2
# Jellyfin's refusals are reported no sooner than this.
REFUSED_AFTER_S = 2.0
CODE_LASTS_S = 11 * MINUTE_S
MOST_CODES = 100
MOST_CODES_OF_AN_ADDRESS = 10

# Invisible characters that are no control characters: fillers, joiners, variation selectors.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0]"
)


def name_key(name: str) -> str:
    """Return a key that is equal for all spellings of a name that a directory takes as equal."""
    shown = _visible(unicodedata.normalize("NFKC", _visible(name)).casefold())
    return " ".join(unicodedata.normalize("NFKC", shown).split())


def network_of(address: str) -> str:
    """Return what an address is counted as: an IPv4 address itself, or the /64 of an IPv6 one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - IPv4
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ip_network((parsed, 64), strict=False))


@dataclass(frozen=True, slots=True)
class Try:
    """One try to sign in.

    Attributes:
        name: As `name_key` gives it.
        network: As `network_of` gives it.
        browser: The id of a browser that has signed in under this name before; else None.
        at: In monotonic seconds.
    """

    name: str
    network: str
    browser: str | None
    at: float


@dataclass(frozen=True, slots=True)
class SignInWait:
    """No try is allowed now.

    Attributes:
        is_busy: Too many people are signing in now; False means too many failed tries.
    """

    seconds: float
    is_busy: bool = False


@dataclass(slots=True)
class SignInLimiter:
    """Counts failed tries. Not safe for many threads: the owner must lock it."""

    _failed: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    _recent: deque[Try] = field(default_factory=deque)
    _running: list[Try] = field(default_factory=list)

    def begin(
        self, name: str, address: str, now: float, *, browser: str | None = None
    ) -> Try | SignInWait:
        """Return the try, which must be passed to `end` later, or how long to wait."""
        self._forget(now)
        one = Try(name_key(name), network_of(address), browser, now)
        wait = self._counted_wait(one)
        if browser is None:
            wait = max(wait, self._wait_of_address(one), self._wait_of_all(now))
        if wait > 0:
            return SignInWait(wait)
        if self._is_busy(one):
            return SignInWait(REFUSED_AFTER_S, is_busy=True)
        self._failed.setdefault(_counter(one), []).append(now)
        self._running.append(one)
        if browser is None:
            self._recent.append(one)
        return one

    def record_success(self, one: Try) -> None:
        """Uncount the try and all failed ones before it from the same place."""
        self._failed.pop(_counter(one), None)
        self._take_back(one)

    def take_back(self, one: Try) -> None:
        """Uncount a try that did not reach Jellyfin."""
        tries = self._failed.get(_counter(one), [])
        if one.at in tries:
            tries.remove(one.at)
        self._take_back(one)

    def end(self, one: Try) -> None:
        """Record that the try has ended."""
        self._running.remove(one)

    def _counted_wait(self, one: Try) -> float:
        tries = self._failed.get(_counter(one), [])
        if len(tries) < FREE_TRIES:
            return 0.0
        wait = WAITS_S[min(len(tries) - FREE_TRIES, len(WAITS_S) - 1)]
        return max(tries) + wait - one.at

    def _wait_of_address(self, one: Try) -> float:
        same = [other.at for other in self._recent if other.network == one.network]
        return (
            same[-MOST_OF_AN_ADDRESS] + WINDOW_S - one.at if len(same) >= MOST_OF_AN_ADDRESS else 0
        )

    def _wait_of_all(self, now: float) -> float:
        is_full = len(self._recent) >= MOST_OF_ALL
        return self._recent[-MOST_OF_ALL].at + WINDOW_S - now if is_full else 0.0

    def _is_busy(self, one: Try) -> bool:
        # Known browsers have places of their own, two for each account.
        alike = [
            other for other in self._running if (other.browser is None) is (one.browser is None)
        ]
        ours = [
            other
            for other in alike
            if (other.network == one.network if one.browser is None else other.name == one.name)
        ]
        return len(alike) >= MOST_AT_ONCE or len(ours) >= MOST_AT_ONCE_OF_ONE

    def _take_back(self, one: Try) -> None:
        if one in self._recent:
            self._recent.remove(one)

    def _forget(self, now: float) -> None:
        while self._recent and now - self._recent[0].at >= WINDOW_S:
            self._recent.popleft()
        old = [counter for counter, at in self._failed.items() if _is_old(at, now)]
        for counter in old:
            del self._failed[counter]


@dataclass(frozen=True, slots=True)
class Code:
    """A Quick Connect code that somebody has asked for; `at` in monotonic seconds."""

    network: str
    at: float


@dataclass(slots=True)
class CodeLimiter:
    """Counts the Quick Connect codes that are open. Not safe for many threads."""

    _open: list[Code] = field(default_factory=list)

    def begin(self, address: str, now: float) -> Code | SignInWait:
        """Return the code that Jellyfin may be asked for, or how long to wait."""
        self._open = [one for one in self._open if now - one.at < CODE_LASTS_S]
        code = Code(network_of(address), now)
        same = [one for one in self._open if one.network == code.network]
        for codes, most in ((same, MOST_CODES_OF_AN_ADDRESS), (self._open, MOST_CODES)):
            if len(codes) >= most:
                return SignInWait(codes[-most].at + CODE_LASTS_S - now)
        self._open.append(code)
        return code

    def end(self, code: Code) -> None:
        """Record that a code was used, or that Jellyfin gave none."""
        if code in self._open:
            self._open.remove(code)


def _counter(one: Try) -> tuple[str, str]:
    return ("name", one.name) if one.browser is None else ("browser", one.browser)


def _visible(text: str) -> str:
    kept = (
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in {"Cf", "Cc"}
    )
    return _INVISIBLE.sub("", "".join(kept))


def _is_old(tries: list[float], now: float) -> bool:
    return not tries or now - max(tries) >= FORGOTTEN_AFTER_S
