"""Decides when to send a KeepAlive, and when an open connection is in truth dead.

Jellyfin 12 gives a connection up after 60 s without a KeepAlive: it stays open and goes deaf, and
nothing on it says so. So we are never that late, each KeepAlive must be echoed, and one that was
late after all (a stalled machine) means: connect anew.
"""

from __future__ import annotations

KEEP_ALIVE_EVERY_S = 25.0
ECHO_WITHIN_S = 60.0
TOO_LATE_S = 50.0


class KeepAlive:
    """The KeepAlives of one connection, in monotonic seconds."""

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
        """Whether the server no longer hears us, or has had reason to stop listening."""
        silent = self._unanswered_since is not None and now - self._unanswered_since > ECHO_WITHIN_S
        return silent or now - self._sent > TOO_LATE_S
