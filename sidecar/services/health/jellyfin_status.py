"""Tracks whether Jellyfin can be reached: one problem for the whole server, one probe at a time.

Callers report that the server is away or is another one. Then nobody sends requests until a
probe, which backs off to five minutes, has found the right server. No retries are used up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from sidecar.clock import Clock
from sidecar.errors import JellyfinError, ServerAway, TooSlow, WrongServer
from sidecar.jellyfin.client import Jellyfin
from sidecar.messages import msg
from sidecar.services.health.problems import Problem, ProblemKind, Problems

log = logging.getLogger(__name__)

SUBJECT = "jellyfin"
# One text, whoever met it: messages would take turns otherwise. The log has the cause.
AWAY = msg(
    "Jellyfin cannot be reached. Downloads go on by themselves when it is back; "
    "what is on your devices can be played"
)
# Everybody reads it; how an admin takes the new server is told in the log and beside the alert.
OTHER_SERVER = msg(
    "Another Jellyfin answers in place of yours: nothing is downloaded or removed until an admin "
    "has looked at it; what is on your devices can be played"
)
FIRST_PROBE_S = 1.0
LONGEST_PROBE_S = 300.0


class JellyfinStatus:
    """Records and probes the availability of the server. Safe for many threads."""

    def __init__(self, anonymous: Callable[[], Jellyfin], problems: Problems, clock: Clock) -> None:
        self._anonymous = anonymous
        self._problems = problems
        self._clock = clock
        self._lock = Lock()
        self._pause_s = FIRST_PROBE_S
        self._probe_at = 0.0
        self._asked_at = -FIRST_PROBE_S

    @property
    def is_there(self) -> bool:
        """Whether requests may be sent to the server."""
        return self._problems.of(ProblemKind.SERVER, SUBJECT) is None

    def may_ask_for(self, user_id: str) -> bool:
        """Whether the server is available and no problem stops this account."""
        return self.is_there and self._problems.of(ProblemKind.ACCOUNT, user_id) is None

    def tell(self, trouble: JellyfinError) -> None:
        """Record that the server is away, or is another one; ignore other errors.

        One request that took too long does not make it away: it is asked whether it is there.
        """
        match trouble:
            case WrongServer():
                self._note(Problem("wrong-server", OTHER_SERVER), trouble)
            case TooSlow() if self.is_there and self._answers():
                log.info("%s, but it answers other requests", trouble)
            case ServerAway():
                self._note(Problem("server-away", AWAY), trouble, trouble.retry_after_s)
            case _:
                pass

    def probe(self) -> None:
        """Ask the server once whether it is back, if it has a problem and a probe is due."""
        with self._lock:
            now = self._clock.monotonic()
            if self.is_there or now < self._probe_at:
                return
            self._pause_s = min(self._pause_s * 2, LONGEST_PROBE_S)
            self._probe_at = now + self._pause_s
        try:
            self._anonymous().public_info()
        except JellyfinError as trouble:
            log.debug("Jellyfin is still not there: %s", trouble)
            if isinstance(trouble, WrongServer):
                self.tell(trouble)
            return
        with self._lock:
            self._pause_s = FIRST_PROBE_S
        if self._problems.clear(ProblemKind.SERVER, SUBJECT):
            log.info("Jellyfin is back")

    def probe_now(self) -> None:
        """Ask the server at once, as a person wants it; at most once a second."""
        with self._lock:
            now = self._clock.monotonic()
            if now < self._asked_at + FIRST_PROBE_S:
                return
            self._asked_at = self._probe_at = now
        self.probe()

    def _answers(self) -> bool:
        try:
            self._anonymous().public_info()
        except JellyfinError:
            return False
        return True

    def is_ours(self) -> None:
        """Clear the problem: the server at the address is accepted as ours from now on."""
        with self._lock:
            self._pause_s = FIRST_PROBE_S
        self._problems.clear(ProblemKind.SERVER, SUBJECT)

    def _note(
        self, problem: Problem, cause: JellyfinError, retry_after_s: float | None = None
    ) -> None:
        with self._lock:
            if self.is_there:
                self._pause_s = FIRST_PROBE_S
                wait_s = min(max(retry_after_s or 0.0, FIRST_PROBE_S), LONGEST_PROBE_S)
                self._probe_at = self._clock.monotonic() + wait_s
        if self._problems.note(ProblemKind.SERVER, SUBJECT, problem):
            log.warning("%s", cause)
