"""Whether files get through from the server, or something before it refuses them.

    3 in a row refused ──▶ closed: one notice, and one try after 1, 2, 4, 5, 5 … minutes
    bytes of any file  ──▶ open, and what was refused is queued again

A refusal that is not Jellyfin's says nothing of an account or a file: all would be refused alike.
A file that is refused although others came through in between is refused for itself: it closes
nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.transfers.failures import Failure
from sidecar.domain.transfers.retry import LONGEST_RETRY_AFTER_S, PROBE_BLOCKED_EVERY
from sidecar.messages import msg
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

SUBJECT = "files"
IN_A_ROW = 3
FIRST_PAUSE_S = 60.0


class FileBlocking:
    """Decides whether workers may fetch, by what became of the last files. Thread-safe."""

    def __init__(self, downloads: Downloads, problems: Problems, clock: Clock) -> None:
        self._downloads = downloads
        self._problems = problems
        self._clock = clock
        self._lock = Lock()
        self._refused: dict[int, str] = {}
        self._refused_alone: set[int] = set()
        self._pause_s = FIRST_PAUSE_S
        self._probe_at: float | None = None

    def may_fetch(self) -> bool:
        """Whether a worker may take a download now."""
        with self._lock:
            return self._probe_at is None or self._clock.monotonic() >= self._probe_at

    def try_now(self) -> None:
        """Let the one try be made at once, as a person wants it."""
        with self._lock:
            if self._probe_at is not None:
                self._probe_at = self._clock.monotonic()

    def refused(self) -> Collection[int]:
        """Return the downloads that were refused lately: others are better for a try."""
        with self._lock:
            return tuple(self._refused)

    def fetches(self) -> None:
        """Note that a worker has taken a download; if that is the one try, nobody else may."""
        with self._lock:
            if self._probe_at is not None:
                self._put_off()

    def refuse(self, download: Download, failure: Failure) -> None:
        """Note that a file was refused by something that is not Jellyfin."""
        with self._lock:
            if download.id in self._refused_alone:
                return
            self._refused[download.id] = failure.code
            if self._probe_at is None:
                if len(self._refused) < IN_A_ROW:
                    return
                self._pause_s = FIRST_PAUSE_S
                self._put_off(failure.retry_after_s or 0.0)
        text = msg(
            "No file gets through from Jellyfin: {reason}. One is tried every few "
            "minutes, and when that works, all go on by themselves",
            reason=failure.message,
        )
        if self._problems.note(ProblemKind.SERVER, SUBJECT, Problem("blocked", text)):
            log.warning("%s", text)

    def came_through(self, download_id: int) -> None:
        """Note that bytes of a file have arrived: what was refused meanwhile is queued again."""
        if not self._refused and download_id not in self._refused_alone:
            return
        with self._lock:
            self._refused.pop(download_id, None)
            self._refused_alone.discard(download_id)
            refused, self._refused = self._refused, {}
            self._refused_alone |= refused.keys()
            self._probe_at = None
        for one in self._downloads.queries.failed_for(refused.values()):
            if one.id in refused:
                self._downloads.transitions.retry(one)
        if self._problems.clear(ProblemKind.SERVER, SUBJECT):
            log.info("files come from Jellyfin again")

    def _put_off(self, asked_s: float = 0.0) -> None:
        wait_s = max(self._pause_s, min(asked_s, LONGEST_RETRY_AFTER_S))
        self._probe_at = self._clock.monotonic() + wait_s
        self._pause_s = min(self._pause_s * 2, PROBE_BLOCKED_EVERY.total_seconds())
