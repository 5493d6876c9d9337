"""Decides when to send a KeepAlive, and when an open connection is dead.

Jellyfin 12 drops a session after 60 s without a KeepAlive, but leaves the connection open without
sending anything any more. So KeepAlives are sent well before that, each must be echoed, and after
one that was late (a stalled machine) the listener connects anew.
"""

from __future__ import annotations

import math

KEEP_ALIVE_EVERY_S = 25.0
ECHO_WITHIN_S = 60.0
TOO_LATE_S = 50.0


class KeepAlive:
    """The KeepAlives of one connection. All times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._sent: float = now - KEEP_ALIVE_EVERY_S
        self._unanswered_since: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether to send one now."""
        return now - self._sent >= KEEP_ALIVE_EVERY_S

    def record_sent(self, now: float) -> None:
        """Note that one was sent."""
        self._sent = now
        if self._unanswered_since is None:
            self._unanswered_since = now

    def record_echo(self) -> None:
        """Note that the server answered."""
        self._unanswered_since = None

    def is_dead(self, now: float) -> bool:
        """Whether no echo came in time, or the last KeepAlive was sent too late."""
        return now >= self._echo_due or now - self._sent > TOO_LATE_S

    def rest(self, now: float) -> float:
        """Return the seconds until one is to be sent, or its echo is late."""
        return max(0.0, min(self._sent + KEEP_ALIVE_EVERY_S, self._echo_due) - now)

    @property
    def _echo_due(self) -> float:
        since = self._unanswered_since
        return math.inf if since is None else since + ECHO_WITHIN_S
