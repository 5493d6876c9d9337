"""Follows what every account plays, and stores a play once it is over.

    listener-ann ──sessions──▶ ann's tracker ─┐
    listener-ben ──sessions──▶ ben's tracker ─┴─plays─▶ the `watching` thread ──▶ store
                                                                             └──▶ on_play

An admin's connection reports the sessions of all accounts, so each connection counts only for its
own account: nothing is recorded twice. A running play is saved once a minute and at its end; one
that goes on after a restart is continued.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.playback.plays import Play
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.playback.tracker import Current, Moment, Tracker
from sidecar.domain.playback.tracker import PlaybackEvent as Happening
from sidecar.errors import DatabaseError
from sidecar.process.threads import LONGEST_REST_S, Wakeup, attempt, run_when_woken
from sidecar.store.downloads.queue import Downloads
from sidecar.store.playback.plays import Plays

log = logging.getLogger(__name__)

IDLE_S = 1.0
SAVED_EVERY_S = 60.0
RETRY_S = 10.0
TAKEN_UP_WITHIN = timedelta(minutes=10)
# Plays kept in memory while the database cannot be written; the oldest are dropped first.
MOST_WAITING = 1000


class PlaybackTracker:
    """Tracks the playback of all accounts. One thread runs it; other methods are thread-safe."""

    def __init__(
        self,
        plays: Plays,
        downloads: Downloads,
        *,
        on_play: Callable[[Play], object],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            plays: Stores the plays.
            downloads: Notes when an item was last used.
            on_play: Called with every play that is over, whether it counts or not, in the thread
                that runs this; called again if the play went on after all.
            clock: For start times and durations.
        """
        self._plays = plays
        self._downloads = downloads
        self._on_play = on_play
        self._clock = clock
        self._lock = Lock()
        self._trackers: dict[str, Tracker] = {}
        self._over: deque[Play] = deque(maxlen=MOST_WAITING)
        self.wakeup = Wakeup()
        self._save_at = clock.monotonic() + SAVED_EVERY_S
        self._retry_at = 0.0
        self._is_ended = False

    # For any thread: these only update memory, except that `tell` reads recent plays once.

    def tell(self, user_id: str, playing: Iterable[NowPlaying]) -> None:
        """Take everything that plays now, as reported by the connection of this account."""
        theirs = [one for one in playing if one.user_id == user_id]
        lately = self._lately(user_id)
        with self._lock:
            if self._is_ended:
                return
            tracker = self._trackers.setdefault(user_id, Tracker(lately))
            self._note(tracker.take(theirs, self._moment()))
        if theirs:
            self.wakeup.set()

    def leave(self, user_id: str) -> None:
        """End all plays of an account that was signed out."""
        with self._lock:
            tracker = self._trackers.pop(user_id, None)
            if tracker is not None:
                self._note(tracker.close())

    def current(self, user_id: str | None = None) -> list[Current]:
        """Return what an account plays now; with None, what all accounts play."""
        moment = self._moment()
        with self._lock:
            return [one for it in self._of(user_id) for one in it.current(moment)]

    def shown(self, user_id: str | None = None) -> list[Current]:
        """Return the same with what ended a moment ago, for the page: the next one may begin."""
        moment = self._moment()
        with self._lock:
            return [one for it in self._of(user_id) for one in it.shown(moment)]

    def now(self, user_id: str | None = None) -> tuple[NowPlaying, ...]:
        """Return the last report of each session in `current`."""
        return tuple(one.playing for one in self.current(user_id))

    # For the one thread that runs this

    def run(self, stop: Event) -> None:
        """Save finished plays until `stop` is set, then those that still run."""
        what = "watching what plays"
        run_when_woken(
            self.tick, stop, self.wakeup, what, rest_s=self.rest_s, wait=self._clock.wait
        )
        self.end()

    def tick(self) -> None:
        """End plays whose session vanished; save finished plays, and running ones once a minute."""
        with self._lock:
            for tracker in self._trackers.values():
                self._note(tracker.tick(self._moment()))
        now = self._clock.monotonic()
        if now >= self._retry_at and not self._save_over():
            self._retry_at = now + RETRY_S
        if now >= self._save_at:
            self._save_at = now + SAVED_EVERY_S
            self._save_so_far()

    def rest_s(self) -> float:
        """Return for how many seconds nothing is to be done unless something is told."""
        with self._lock:
            is_idle = not self._over and not any(
                one.current(self._moment()) for one in self._trackers.values()
            )
        return LONGEST_REST_S if is_idle else IDLE_S

    def end(self) -> None:
        """End all plays at their last reported position and save them; ignore later reports."""
        with self._lock:
            self._is_ended = True
            for tracker in self._trackers.values():
                self._note(tracker.close())
            self._trackers.clear()
        if not self._save_over():
            log.warning("%d plays could not be saved", len(self._over))

    def _of(self, user_id: str | None) -> list[Tracker]:
        wanted = self._trackers if user_id is None else {user_id} & self._trackers.keys()
        return [self._trackers[name] for name in sorted(wanted)]

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())

    def _note(self, happened: Iterable[Happening]) -> None:
        over = [one.play for one in happened if one.play is not None and one.play.was_heard]
        if over:
            self._over.extend(over)
            self.wakeup.set()

    def _lately(self, user_id: str) -> list[Play]:
        with self._lock:
            if user_id in self._trackers:
                return []
        try:
            return self._plays.list_recent(user_id, self._clock.now() - TAKEN_UP_WITHIN)
        except DatabaseError as trouble:
            log.warning("what was played before the start is not known: %s", trouble)
            return []

    def _save_over(self) -> bool:
        """Save finished plays; return whether all could be saved."""
        while True:
            with self._lock:
                if not self._over:
                    return True
                play = self._over[0]
            try:
                is_known = self._plays.save(play) is not None
                if is_known and play.counts:
                    self._downloads.transitions.mark_used(play.item_id)
            except DatabaseError as trouble:
                log.warning("a play waits to be saved: %s", trouble)
                return False
            self._drop(play)
            if is_known:
                self._say(play)

    def _drop(self, play: Play) -> None:
        with self._lock:
            # A full deque may have dropped it already.
            if self._over and self._over[0] is play:
                self._over.popleft()

    def _say(self, play: Play) -> None:
        log.debug("heard %.0f s of %s", play.seconds_heard, play.item_id)
        attempt(partial(self._on_play, play), "acting on a play that was kept")

    def _save_so_far(self) -> None:
        with self._lock:
            known = [one for tracker in self._trackers.values() for one in tracker.partial_plays()]
        try:
            for play in known:
                if play.was_heard:
                    self._plays.save(play, goes_on=True)
        except DatabaseError as trouble:
            log.warning("what plays is not saved yet: %s", trouble)
