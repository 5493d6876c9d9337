"""Polls what plays, to supplement the live connection and to stand in for it.

    live connection ──frames──▶ handle_news ──┐
                                              ├──▶ deliver, one at a time
    GET /Sessions ──── run, step ─────────────┘ (failed polls as well)
                         └─ shows what no frame reported ─ REPORTED_WITHIN_S ─▶ take_missed_news

The result of a poll that began before the latest frame is dropped: the frame is newer. The
listener opens and closes the connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.errors import JellyfinError, SignedOut
from sidecar.jellyfin.live.connection_trust import (
    IDLE_S,
    REPORTED_WITHIN_S,
    Trust,
    is_unreported,
    poll_interval,
)
from sidecar.jellyfin.live.events import (
    Connected,
    Disconnected,
    News,
    SessionsNews,
    SessionsUnavailable,
    TokenRefused,
)
from sidecar.process.threads import LOOK_ANYWAY_S, Wakeup, attempt

log = logging.getLogger(__name__)

Playing = tuple[NowPlaying, ...]


class SessionPolling:
    """Reports what plays for one account, whatever state its live connection is in.

    `handle_news` and `take_missed_news` belong to the listener's thread, `run` to its own.
    """

    def __init__(
        self,
        ask: Callable[[], Playing],
        deliver: Callable[[News], None],
        clock: Clock,
        tell_missed: Callable[[], None],
    ) -> None:
        """Prepare; nothing is requested yet.

        Args:
            ask: Fetches what plays from Jellyfin.
            deliver: Takes the events from either thread, one at a time; must be quick.
            clock: For all waits.
            tell_missed: Called when there is something to `take_missed_news`.
        """
        self._ask = ask
        self._deliver = deliver
        self._clock = clock
        self._tell_missed = tell_missed
        self._lock = Lock()
        self.wakeup = Wakeup()
        self._due = clock.monotonic()
        self._is_connected = False
        self._is_heavy = False
        self._is_over = False
        self._is_deaf = False
        self._frames = 0
        self._untold = 0
        self._suspected_at: float | None = None
        self._known: Playing | None = None

    def handle_news(self, news: News) -> None:
        """Deliver an event of the live connection, and adjust the trust in it."""
        with self._lock:
            self._note(news)
            self._deliver(news)

    def note_oversized_frame(self) -> None:
        """Note that a frame was too large: the connection will report no sessions from now on."""
        with self._lock:
            self._is_heavy = True

    def take_missed_news(self) -> bool:
        """Return, once, whether the connection was found to report nothing."""
        with self._lock:
            was, self._is_deaf = self._is_deaf, False
        return was

    @property
    def trust(self) -> Trust:
        """Whether the connection reports what plays, as far as is known."""
        if not self._is_connected or self._is_heavy:
            return Trust.NONE
        if self._frames:
            return Trust.FULL
        return Trust.FRESH if self._untold <= 1 else Trust.NONE

    def run(self, stop: Event) -> None:
        """Poll until `stop` is set or the account is signed out."""
        while not (stop.is_set() or self._is_over):
            rings = self.wakeup.rings
            rest_s = attempt(self.step, "the look at what plays", self._put_off)
            self._clock.wait(self.wakeup.since(rings), rest_s)

    def step(self) -> float:
        """Poll if it is time; return the seconds to wait before the next step."""
        self._judge()
        if self._clock.monotonic() >= self._due:
            self._poll()
        now, at = self._clock.monotonic(), self._suspected_at
        judged = self._due if at is None else min(self._due, at + REPORTED_WITHIN_S)
        return min(LOOK_ANYWAY_S, max(0.0, judged - now))

    def _put_off(self) -> float:
        self._due = self._clock.monotonic() + IDLE_S
        return IDLE_S

    def _note(self, news: News) -> None:
        match news:
            case SessionsNews(playing):
                self._known = playing
                self._frames += 1
                self._untold = 0
                self._suspected_at = None
            case Connected():
                self._is_connected, self._frames, self._known = True, 0, None
                self._start_over()
            case Disconnected():
                self._is_connected = False
                self._start_over()
            case TokenRefused():
                self._is_over = True
                self.wakeup.set()

    def _start_over(self) -> None:
        self._is_deaf, self._suspected_at = False, None
        self._due = self._clock.monotonic()
        self.wakeup.set()

    def _poll(self) -> None:
        began = self._frames
        try:
            seen = self._ask()
        except SignedOut as gone:
            self._is_over = True
            self.handle_news(TokenRefused(str(gone)))
            return
        except JellyfinError as trouble:
            log.debug("what plays could not be asked: %s", trouble)
            self.handle_news(SessionsUnavailable(trouble))
            self._due = self._clock.monotonic() + IDLE_S
            return
        with self._lock:
            if self._frames == began:
                self._report_sessions(seen)
            every = poll_interval(self.trust, is_playing=bool(seen), is_heavy=self._is_heavy)
            self._due = self._clock.monotonic() + every

    def _report_sessions(self, seen: Playing) -> None:
        missed = self._known is not None and is_unreported(self._known, seen)
        if missed and self._is_connected and not self._is_heavy and self._suspected_at is None:
            self._suspected_at = self._clock.monotonic()
        self._known = seen
        self._deliver(SessionsNews(seen))

    def _judge(self) -> None:
        """Note that the connection has not reported in time what a poll showed."""
        with self._lock:
            at = self._suspected_at
            if at is None or self._clock.monotonic() - at < REPORTED_WITHIN_S:
                return
            self._suspected_at = None
            self._untold += 1
            if self._untold == 1:
                self._is_deaf = True
                self._tell_missed()
            elif self._untold == 2:  # noqa: PLR2004 - the one dialled anew does not tell either
                log.info("this server does not tell what plays: it is asked instead")
