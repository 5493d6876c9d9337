"""Puts the bytes of one attempt into the part file through aria2, and makes sure of every one.

    write ─▶ hash, relay ─▶ aria2 ─▶ part file ◀─ we sync it, and read it again in the end

aria2 gets one connection and no cache, so the file's length is what it has written. The hash of
what was sent must be the hash of what is there. Removes aria2's control file: it is not needed to
go on, and one that lies would be believed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import BinaryIO

import xxhash

from sidecar.clock import Clock
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.errors import Stopped
from sidecar.messages import msg
from sidecar.transfer.aria2.codes import (
    busy_failure,
    no_progress_failure,
    wrong_bytes_failure,
    wrong_place_failure,
)
from sidecar.transfer.aria2.relay import Check, Relay
from sidecar.transfer.aria2.status import Stage
from sidecar.transfer.aria2.supervisor import Aria2Supervisor
from sidecar.transfer.durable import WINDOW, has, read_through, set_room_aside
from sidecar.transfer.faults import classify_disk_error, part_vanished_error

LAG = 2 * 1024 * 1024  # bytes that may be under way when a point is made
STEP_S = 0.002
BEGIN_WITHIN_S = 30.0
SETTLE_WITHIN_S = 0.4
STUCK_AFTER_S = 60.0
CONTROL_SUFFIX = ".aria2"
OPTIONS: dict[str, object] = {
    "continue": "true",
    "always-resume": "false",
    "allow-overwrite": "false",
    "auto-file-renaming": "false",
    "file-allocation": "none",
    "split": "1",
    "max-connection-per-server": "1",
    "stream-piece-selector": "inorder",
    "piece-length": "1M",
    "max-tries": "1",
    "timeout": "600",
    "connect-timeout": "10",
    "lowest-speed-limit": "0",
    "max-download-limit": "0",
    "remote-time": "false",
    "conditional-get": "false",
    "use-head": "false",
    "http-accept-gzip": "false",
    "no-netrc": "true",
    "all-proxy": "",
    "http-proxy": "",
    "follow-torrent": "false",
    "follow-metalink": "false",
    "parameterized-uri": "false",
    "pause": "false",
}


class ThroughAria2:
    """Implements `Sink`. Used by one thread; close it in the end."""

    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        *,
        link: Aria2Supervisor,
        synced: Callable[[int], object],
        stop: Event,
        clock: Clock,
    ) -> None:
        self._file = file
        self._path = path
        self._link = link
        self._tell_synced = synced
        self._stop = stop
        self._clock = clock
        self._hash = xxhash.xxh3_128()
        self._total: int | None = None
        self._point = 0
        self._relay: Relay | None = None
        self._gid: str | None = None
        self.held = 0

    def keep(self, held: int) -> int:
        """Count on the first `held` bytes, if there are so many, and cut off the rest."""
        self.close()
        self._hash = xxhash.xxh3_128()
        self.held = self._point = read_through(self._file, held, self._hash)
        os.ftruncate(self._file.fileno(), self.held)
        return self.held

    def has(self, block: bytes, at: int) -> bool:
        """Whether these bytes are in the part at this place; asked before anything is written."""
        return has(self._file, block, at)

    def set_room_aside(self, total: int) -> None:
        """Hear how long the file will be, and let the file system find room for it."""
        self._total = total
        set_room_aside(self._file, self.held, total)

    def write(self, block: bytes) -> None:
        """Send a block to aria2, which is started on the file at the first one."""
        try:
            relay = self._relay or self._begin()
            relay.send(block, self._check)
            self._hash.update(block)
            self.held += len(block)
            if self.held - self._point >= WINDOW:
                self._await_most()
        except ConnectionError as error:
            if self._gid is None:
                raise
            raise self._explain_end(self._gid) from error
        if self.held - self._point >= WINDOW:
            self._point = self.held
            self._sync_to(min(self._read_length(), self.held))

    def sync(self) -> None:
        """End with what is there: aria2 writes what it was sent, and lets go."""
        if self._relay is not None and self._gid is not None:
            self._relay.finish()
            self._link.wait_for_end(self._gid, within_s=SETTLE_WITHIN_S)
        self.close()
        self.held = min(self._read_length(), self.held)
        self._sync_to(self.held)

    def finish(self) -> str:
        """End with a whole file; nobody is told, as it is about to be committed with its hash."""
        if self._relay is not None and self._gid is not None:
            self._relay.finish()
            self._await_end(self._gid)
            self._check_bytes()
        self.close()
        os.fdatasync(self._file.fileno())
        return self._hash.hexdigest()

    def is_still_there(self) -> bool:
        """Whether the part file still has its name: a person may have deleted it meanwhile."""
        return os.fstat(self._file.fileno()).st_nlink > 0

    def close(self) -> None:
        """Make sure that aria2 writes no more."""
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._gid is not None:
            self._link.forget(self._gid)
            self._gid = None
            with suppress(OSError):
                self._control_file().unlink(missing_ok=True)

    def _begin(self) -> Relay:
        check = self._make_deadline(BEGIN_WITHIN_S)
        rpc = self._link.await_ready(self._stop)
        gid = self._enter(check)
        self._make_sure_of_the_name()
        self._control_file().unlink(missing_ok=True)
        part = self._file.fileno()
        relay = self._relay = Relay(part, held=self.held, total=self._total)
        where = {"dir": str(self._path.parent), "out": self._path.name}
        self._link.add(gid, rpc, relay.url, {**OPTIONS, **where})
        relay.await_aria2(check)
        return relay

    def _make_sure_of_the_name(self) -> None:
        """Let aria2 open no other file: a device that is gone leaves an empty folder behind."""
        ours = os.fstat(self._file.fileno())
        with suppress(FileNotFoundError, NotADirectoryError):
            if os.path.samestat(ours, self._path.lstat()):
                return
        if ours.st_nlink == 0:
            raise part_vanished_error()
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    def _enter(self, check: Check) -> str:
        while (gid := self._link.book.enter(str(self._path))) is None:
            check()
            self._clock.wait(self._stop, STEP_S)
        self._gid = gid
        return gid

    def _make_deadline(self, seconds: float) -> Check:
        until = self._clock.monotonic() + seconds

        def check() -> None:
            self._check()
            if self._clock.monotonic() > until:
                raise TransferFailed(busy_failure())

        return check

    def _check(self) -> None:
        """End a wait: we were asked to stop, or aria2 takes no more."""
        if self._stop.is_set():
            self.sync()
            raise Stopped("the transfer was asked to stop")
        if self._gid is not None and self._link.book.end_event(self._gid).is_set():
            raise BrokenPipeError("aria2 takes no more")

    def _explain_end(self, gid: str) -> TransferFailed:
        """Say why aria2 takes no more bytes; what it has written counts."""
        standing = self._link.wait_for_end(gid, within_s=SETTLE_WITHIN_S)
        self.sync()
        return TransferFailed(self._find_cause(standing.failure()))

    def _find_cause(self, failure: Failure) -> Failure:
        """Ask the disk itself: aria2's numbers do not tell full from broken."""
        if failure.kind is not FailureClass.DEVICE:
            return failure
        try:
            os.pwrite(self._file.fileno(), bytes(WINDOW // 4), self.held)
            os.fdatasync(self._file.fileno())
        except OSError as error:
            return classify_disk_error(error)
        finally:
            os.ftruncate(self._file.fileno(), self.held)
        text = msg(
            "{failure} The sidecar itself can write there: see whether aria2 may",
            failure=failure.message,
        )
        return replace(failure, kind=FailureClass.TRANSIENT, message=text)

    def _await_end(self, gid: str) -> None:
        """Wait for the last byte as long as there is progress: a slow stick takes its time."""
        growth = _Growth(self._clock)
        while not self._link.wait_for_end(gid, within_s=1.0).is_over:
            growth.check(self._read_length())
        if self._read_length() < self.held:
            if self._link.book.get_status(gid).stage is Stage.COMPLETE:
                raise TransferFailed(wrong_place_failure())
            raise self._explain_end(gid)

    def _check_bytes(self) -> None:
        found = xxhash.xxh3_128()
        count = read_through(self._file, self.held, found)
        is_same = count == self.held == self._read_length()
        if not is_same or found.digest() != self._hash.digest():
            raise TransferFailed(wrong_bytes_failure())

    def _await_most(self) -> None:
        """Wait until aria2 has written most of what was sent."""
        growth = _Growth(self._clock)
        while self._read_length() < self.held - LAG:
            self._check()
            if not self.is_still_there():
                raise part_vanished_error()
            growth.check(self._read_length())
            self._clock.wait(self._stop, STEP_S)

    def _sync_to(self, length: int) -> None:
        os.fdatasync(self._file.fileno())
        self._tell_synced(length)

    def _read_length(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _control_file(self) -> Path:
        return self._path.with_name(self._path.name + CONTROL_SUFFIX)


class _Growth:
    """Notices an aria2 that holds the file but writes nothing: a dead device, or a bug."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._length = -1
        self._since = clock.monotonic()

    def check(self, length: int) -> None:
        """Look at the file's length; give up if it has been the same for too long."""
        if length != self._length:
            self._length, self._since = length, self._clock.monotonic()
        elif self._clock.monotonic() - self._since > STUCK_AFTER_S:
            raise TransferFailed(no_progress_failure())
