"""The sink that writes the bytes of one attempt to the part file through aria2, and verifies them.

    write ─▶ hash, relay ─▶ aria2 ─▶ part file ◀─ we sync it, and read it again at the end

aria2 gets one connection and no cache, so the file's length is what it has written. At the end the
hash of the sent bytes must be that of the file. aria2's control file is removed: it is not needed
to resume, and aria2 would trust a wrong one.
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

LAG = 2 * 1024 * 1024  # bytes that aria2 may not have written yet at a sync point
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
    """Implements `Sink` with aria2. Used by one thread; must be closed."""

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
        """Keep the first `held` bytes, or all if there are fewer, and cut off the rest."""
        self.close()
        self._hash = xxhash.xxh3_128()
        self.held = self._point = read_through(self._file, held, self._hash)
        os.ftruncate(self._file.fileno(), self.held)
        return self.held

    def has(self, block: bytes | memoryview, at: int) -> bool:
        """Whether the part has these bytes at this offset; to be called before any write."""
        return has(self._file, block, at)

    def set_room_aside(self, total: int) -> None:
        """Take the size of the whole file, and preallocate it if the file system can."""
        self._total = total
        set_room_aside(self._file, self.held, total)

    def write(self, block: bytes | memoryview) -> None:
        """Send a block to aria2; the first one adds the download to aria2."""
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
        """End the attempt early: aria2 writes what it was sent and closes the file; sync it."""
        if self._relay is not None and self._gid is not None:
            self._relay.finish()
            self._link.wait_for_end(self._gid, within_s=SETTLE_WITHIN_S)
        self.close()
        self.held = min(self._read_length(), self.held)
        self._sync_to(self.held)

    def finish(self) -> str:
        """End with a whole file: verify and sync it, and return its hash.

        Does not call `synced`: the caller commits the whole file with its hash.
        """
        if self._relay is not None and self._gid is not None:
            self._relay.finish()
            self._await_end(self._gid)
            self._check_bytes()
        self.close()
        os.fdatasync(self._file.fileno())
        return self._hash.hexdigest()

    def is_still_there(self) -> bool:
        """Whether the part file still exists: a person may have deleted it meanwhile."""
        return os.fstat(self._file.fileno()).st_nlink > 0

    def close(self) -> None:
        """Remove the download from aria2, so that it writes no more."""
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
        if self._read_length() != self.held:
            # An attempt before could not stop its download at once, which wrote on meanwhile.
            os.ftruncate(self._file.fileno(), self.held)
        self._control_file().unlink(missing_ok=True)
        part = self._file.fileno()
        relay = self._relay = Relay(part, held=self.held, total=self._total)
        where = {"dir": str(self._path.parent), "out": self._path.name}
        self._link.add(gid, rpc, relay.url, {**OPTIONS, **where})
        relay.await_aria2(check)
        return relay

    def _make_sure_of_the_name(self) -> None:
        """Check that the path is still our open file, as a device that is gone leaves a folder."""
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
        """Raise if the transfer was asked to stop, or aria2 takes no more bytes."""
        if self._stop.is_set():
            self.sync()
            raise Stopped("the transfer was asked to stop")
        if self._gid is not None and self._link.book.end_event(self._gid).is_set():
            raise BrokenPipeError("aria2 takes no more")

    def _explain_end(self, gid: str) -> TransferFailed:
        """Return why aria2 takes no more bytes; what it has written is synced and counts."""
        standing = self._link.wait_for_end(gid, within_s=SETTLE_WITHIN_S)
        self.sync()
        return TransferFailed(self._find_cause(standing.failure()))

    def _find_cause(self, failure: Failure) -> Failure:
        """Find the real cause by a test write: aria2's codes do not tell full from broken."""
        if failure.kind is not FailureClass.DEVICE:
            return failure
        if not self.is_still_there():
            return part_vanished_error().failure
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
        """Wait until aria2 has ended, as long as the file grows: a slow device takes its time."""
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
    """Detects that aria2 writes nothing for too long, because of a dead device or a bug."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._length = -1
        self._since = clock.monotonic()

    def check(self, length: int) -> None:
        """Note the file's length; raise `TransferFailed` if it was the same for too long."""
        if length != self._length:
            self._length, self._since = length, self._clock.monotonic()
        elif self._clock.monotonic() - self._since > STUCK_AFTER_S:
            raise TransferFailed(no_progress_failure())
