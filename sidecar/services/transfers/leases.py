"""Keeps the lease of this process, and gives the work of processes that died back to the queue.

every 5 s   renew the own lease; stop what a person paused or another process has taken meanwhile;
            end the leases of processes that are dead, and queue again what they were busy with

A process is dead when its heartbeat has not been heard for 30 s, or when it runs on this machine
and the file is free that it would hold locked. One that merely slept finds its lease ended: it lets
go of everything and begins anew under another name. What it would still write for its old claims
the database refuses.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from threading import Event

import filelock

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.domain.downloads.download import Status
from sidecar.domain.processes.leases import BEAT_EVERY_S, LastBeat, list_expired, must_let_go, watch
from sidecar.domain.processes.roles import ALONE, Roles
from sidecar.errors import DatabaseError, LockedOut
from sidecar.process import private_files
from sidecar.process.threads import attempt
from sidecar.services.transfers.claims import Claims
from sidecar.store.downloads.queue import Downloads
from sidecar.store.processes import Process, Processes

log = logging.getLogger(__name__)

LOCKS = "processes"


class Leases:
    """The leases as this process keeps and watches them. One thread runs it."""

    def __init__(
        self,
        processes: Processes,
        *,
        downloads: Downloads,
        claims: Claims,
        host: str,
        folder: Path,
        clock: Clock,
        lost: Callable[[], object] = lambda: None,
        locked_out: Callable[[LockedOut], object] = lambda _error: None,
        roles: Roles = ALONE,
    ) -> None:
        """Prepare.

        Args:
            processes: All processes.
            downloads: What they have claimed.
            claims: What the workers of this process are busy with.
            host: Names this machine.
            folder: The data folder, where each process of this machine holds a file locked.
            clock: Measures how long a heartbeat was not heard.
            lost: Called when others have ended the lease of this one.
            locked_out: Called when the database does not let this machine in any more.
            roles: What this process does, for the list of machines.
        """
        self._processes = processes
        self._downloads = downloads
        self._claims = claims
        self._host = host
        self._folder = folder / LOCKS
        self._clock = clock
        self._lost = lost
        self._locked_out = locked_out
        self._roles = roles
        self._lock: filelock.BaseFileLock | None = None
        self._watched: Mapping[str, LastBeat] = {}
        self._renewed_at = clock.monotonic()
        self._is_sure = self._is_alone = False

    def begin(self, *, is_alone: bool, is_sure: bool = False) -> None:
        """Begin the lease; queue again what dead processes were busy with.

        Args:
            is_alone: All others have ended, or were cut off: their leases are over.
            is_sure: No other process can work until this one ends, as by a locked file. Then nobody
                listens for a heartbeat, and the disk may sleep.
        """
        self._is_sure, self._is_alone = is_sure, is_alone
        self._register(is_alone=is_alone)
        if not is_alone:
            self._end_dead()
        self._downloads.queue.recover(self.living)

    @property
    def are_watched(self) -> bool:
        """Whether other processes may be alive, and die."""
        return not self._is_sure

    def living(self) -> Collection[str]:
        """Return the ids of the processes whose leases are not over."""
        return [one.id for one in self._processes.all()]

    def run(self, stop: Event) -> None:
        """Step every few seconds until `stop` is set, then end the own lease."""
        # Nobody listens for a heartbeat that is not needed.
        while not stop.wait(BEAT_EVERY_S if self.are_watched else None):
            attempt(self.step, "the heartbeat")

    def step(self) -> None:
        """Renew the own lease, and end those of the dead."""
        if not self.are_watched:
            return
        try:
            is_mine = self._processes.renew()
        except LockedOut as error:
            self._claims.stop_present()
            self._locked_out(error)
            return
        except DatabaseError:
            if must_let_go(self._renewed_at, self._clock.monotonic()):
                self._claims.stop_present()
            raise
        self._renewed_at = self._clock.monotonic()
        if is_mine and not self._is_alone and not self._processes.holds_claim():
            # Another one may watch by now. Who was alone goes on until another takes over.
            self._processes.end(self._processes.own_id)
            is_mine = False
        if not is_mine:
            log.warning("this process was away for too long: others go on with its downloads")
            self._claims.stop_present()
            self._release()
            self._processes.take_another_id()
            self._register(is_alone=False)
            self._lost()
        self._stop_lost()
        self._end_dead()
        # Also what one had claimed that has ended in order while a worker of it hung.
        self._downloads.queue.recover(self.living)

    def end(self) -> None:
        """End the own lease, once nothing runs here any more."""
        attempt(lambda: self._processes.end(self._processes.own_id), "ending the lease")
        self._release()

    def _register(self, *, is_alone: bool) -> None:
        private_files.make_folder(self._folder)
        if is_alone:
            for old in self._folder.iterdir():
                old.unlink()
        path = self._folder / self._processes.own_id
        self._lock = filelock.FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)
        self._lock.acquire(timeout=0)
        self._processes.register(
            self._host,
            str(path),
            is_alone=is_alone,
            version=__version__,
            roles=self._roles.text,
        )
        self._renewed_at = self._clock.monotonic()

    def _release(self) -> None:
        if self._lock is not None:
            path = Path(self._lock.lock_file)
            self._lock.release()
            path.unlink(missing_ok=True)
            self._lock = None

    def _stop_lost(self) -> None:
        """Stop what is not claimed by this process any more, as it was paused elsewhere."""
        busy = self._claims.busy()
        lost = set(busy) - self._downloads.queue.claimed() if busy else ()
        for download_id in lost:
            row = self._downloads.queries.get(download_id)
            # The tags of a finished file are completed without a claim in the database.
            if row is None or row.status is not Status.COMPLETED:
                self._claims.stop(download_id)

    def _end_dead(self) -> None:
        """End the leases of dead processes."""
        others = [one for one in self._processes.all() if one.id != self._processes.own_id]
        now = self._clock.monotonic()
        self._watched = watch(self._watched, {one.id: one.beat for one in others}, now)
        expired = list_expired(self._watched, now)
        for one in others:
            is_over = one.id in expired or self._has_let_go(one)
            if is_over and self._processes.end(one.id, one.beat):
                log.warning("a process on %s has died: its downloads are queued again", one.host)

    def _has_let_go(self, other: Process) -> bool:
        """Whether a process of this machine does not hold its file locked any more."""
        path = Path(other.lock)
        if other.host != self._host or path.parent != self._folder:
            return False
        lock = filelock.FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return False
        lock.release()
        path.unlink(missing_ok=True)
        return True
