"""Debounces what one account plays, so that the rules run on changes that matter.

Between two tracks a client plays nothing for a moment: a session ends only after a gap of ten
seconds. Someone who skips through an album changes track every second: the first few changes count
at once, the others when it is quiet again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.playback.sessions import NowPlaying

GAP_S = 10.0
AT_ONCE = 3
QUIET_S = 2.0
RESTED_S = 10.0
# Of the items that a session played before.
MOST_BEFORE = 100


class NowPlayingDebouncer:
    """Knows what plays, and when the rules should run because of it. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._playing: dict[str, NowPlaying] = {}
        self._reported: dict[str, tuple[datetime, datetime]] = {}
        self._gone_at: dict[str, float] = {}
        self._changed_at = clock.monotonic() - RESTED_S
        self._changes = 0
        self._look_at = math.inf
        self.is_known = False

    def tell(self, playing: Iterable[NowPlaying]) -> None:
        """Take everything that the account plays now; a report without changes has no effect."""
        now = self._clock.monotonic()
        with self._lock:
            told = {one.session_id: self._with_past(self._by_our_clock(one)) for one in playing}
            known = {name: _what_matters(one) for name, one in self._playing.items()}
            if any(known.get(name) != _what_matters(one) for name, one in told.items()):
                self._look_at = now + self._delay_s(now)
            self._playing.update(told)
            self.is_known = True
            self._gone_at = {
                name: self._gone_at.get(name, now) for name in known if name not in told
            }

    def all(self) -> tuple[NowPlaying, ...]:
        """Return what plays, including sessions in a short gap between two tracks."""
        with self._lock:
            return tuple(self._playing.values())

    def next_turn(self) -> float:
        """Return when the rules should run next (monotonic seconds); infinity for never."""
        with self._lock:
            return min([self._look_at, *(at + GAP_S for at in self._gone_at.values())])

    def turn(self) -> bool:
        """Return whether the rules should run now; if so, this counts as the run."""
        if self._clock.monotonic() < self.next_turn():
            return False
        now = self._clock.monotonic()
        with self._lock:
            self._look_at = math.inf if now >= self._look_at else self._look_at
            for name in [one for one, at in self._gone_at.items() if now - at >= GAP_S]:
                del self._gone_at[name], self._playing[name]
                self._reported.pop(name, None)
        return True

    def _by_our_clock(self, playing: NowPlaying) -> NowPlaying:
        """Replace the server's check-in time by when we first saw it: its clock may be wrong."""
        told, at = self._reported.get(playing.session_id, (None, self._clock.now()))
        if playing.checked_in is None:
            return playing
        if told != playing.checked_in:
            at = self._clock.now()
            self._reported[playing.session_id] = playing.checked_in, at
        return replace(playing, checked_in=at)

    def _with_past(self, playing: NowPlaying) -> NowPlaying:
        """Add what the session played before."""
        last = self._playing.get(playing.session_id)
        if last is None:
            return playing
        before = last.before
        if last.item.id != playing.item.id:
            before = (*before, last.item.id)[-MOST_BEFORE:]
        return replace(playing, before=before)

    def _delay_s(self, now: float) -> float:
        if now - self._changed_at >= RESTED_S:
            self._changes = 0
        self._changed_at = now
        self._changes += 1
        return 0.0 if self._changes <= AT_ONCE else QUIET_S


def _what_matters(playing: NowPlaying) -> NowPlaying:
    return replace(playing, position_s=0.0, is_paused=False, checked_in=None, silent_s=None)
