"""Opens a device's root folder, locks it, checks its identity and translates its errors.

Writes nothing but the lock, the parts folder and, after an error, a small test file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from sidecar.device import lock, tree
from sidecar.device.errors import (
    MAYBE_GONE,
    Explained,
    as_device_error,
    device_error,
    device_missing,
)
from sidecar.device.filesystem import FileSystem, read_file_system
from sidecar.device.own.marker import MARKER, OURS, check_marker, find_marker, open_root
from sidecar.errors import AlreadyRunning, DeviceError, NotCertain
from sidecar.messages import msg

_TRIAL = "trial"
_TRIAL_BYTES = 4096


_Facts = tuple[int, ...]


@dataclass(slots=True)
class _Hold:
    """The open handles of an attached device, and how it was found.

    Attributes:
        place, marker: What its folder and its marker were then; None where times tell too little.
        users: How many have the root's handle now; the last one closes it.
    """

    root: int
    lock: int
    place: _Facts
    marker: _Facts | None
    file_system: FileSystem
    users: int = 1


class DeviceRoot:
    """The root of one device. Safe for many threads."""

    def __init__(self, root: Path, device_id: str, *, name: str) -> None:
        self.root = root
        self._device_id = device_id
        self._name = name
        self._marker = root / OURS / MARKER
        self._held: _Hold | None = None
        self._holding = Lock()
        self._is_suspect = False

    def attach(self) -> None:
        """Open and lock the device for this process.

        Raises:
            errors.DeviceError: It is not there, is another one or cannot be written to.
            errors.AlreadyRunning: Another sidecar has it.
        """
        self.close()
        with as_device_error(self._name), open_root(self.root) as root:
            # Before it is read: what replaces it meanwhile is not taken for what was read.
            seen = self._look_at_marker()
            self._check_marker(root)
            with tree.open_folder(root, (OURS,)) as ours:
                held = lock.take(ours)
            if held is None:
                raise AlreadyRunning(
                    msg(
                        "Another Jellyfin Sidecar is filling {device}; stop it first, or give "
                        "this one another folder",
                        device=self._name,
                    )
                )
            file_system, place = read_file_system(root), _identify(os.fstat(root))
            marker = seen if file_system.tells_times_exactly else None
            with self._holding:
                self._held = _Hold(os.dup(root), held, place, marker, file_system)

    def close(self) -> None:
        """Release the device; operations that run in other threads can still finish."""
        with self._holding:
            held, self._held = self._held, None
        if held is not None:
            _close(held.lock)
            self.give_back(held)

    def check(self) -> None:
        """Check that the device is still there and, if it failed before, works again.

        Raises:
            errors.DeviceError: It is not, or still cannot be written to.
        """
        is_suspect = self._is_suspect
        self._look_at_place(_try_to_write if is_suspect else None)
        if is_suspect:
            self._is_suspect = False

    def require_write_test(self) -> None:
        """Make the next `check` try to write: other code had an error on the device."""
        self._is_suspect = True

    def check_writing(self) -> None:
        """Check that the device is still there and can be written to; it may be full.

        Raises:
            errors.DeviceError: It is not, or cannot.
        """
        try:
            self._look_at_place(_try_to_write)
        except DeviceError as trouble:
            if trouble.code != "full":
                raise

    def check_place(self) -> None:
        """Check that the attached device is still at its path, writable or not.

        Raises:
            errors.DeviceError: It is gone, another one is there, or it was remounted since
                `attach`: then it must be attached again.
        """
        self._look_at_place()

    @property
    def file_system(self) -> FileSystem:
        """The file system that the device was attached with."""
        return self._hold().file_system

    def translate_errors(self) -> _Handle:
        """Yield the root's handle; operating system errors become `DeviceError`s."""
        return _Handle(self)

    def explain_errors(self) -> Explained:
        """Turn operating system errors into `DeviceError`s."""
        return Explained(self.explain)

    def lend(self) -> _Hold:
        """Return what is held, to be given back: its root is not closed before that.

        Else, when another thread closes the device, the number of the handle may belong to another
        folder a moment later.
        """
        with self._holding:
            held = self._hold()
            held.users += 1
        return held

    def give_back(self, held: _Hold) -> None:
        """Close the root if the device is closed and nobody else uses it."""
        with self._holding:
            held.users -= 1
            is_last = not held.users
        if is_last:
            _close(held.root)

    def explain(self, error: OSError) -> DeviceError:
        """Return the error, after checking whether the device or only a file on it has failed."""
        if error.errno in MAYBE_GONE:
            self.check_place()
        self._is_suspect = error.errno != errno.EFBIG
        trouble = device_error(error, self._name)
        if isinstance(error, tree.HasBothNames):
            return NotCertain(trouble.code, str(trouble))
        if trouble.code != "missing":
            return trouble
        text = msg(
            "A file or folder on {device} went away while it was in use: it is tried again",
            device=self._name,
        )
        return DeviceError("broken", text)

    def _hold(self) -> _Hold:
        held = self._held
        if held is None:
            raise device_missing(self._name)
        return held

    def _look_at_place(self, then: Callable[[int], object] | None = None) -> None:
        """Raise `DeviceError` if the folder at the path is not the attached device."""
        held = self._hold()
        if then is None and self._is_as_held(held):
            return
        with as_device_error(self._name), open_root(self.root) as root:
            self._check_marker(root)
            if _identify(os.fstat(root)) != held.place:
                text = msg(
                    "{device} was taken out and put back",
                    device=self._name,
                )
                raise DeviceError(
                    "missing", msg("{text}: it is looked at again, then goes on", text=text)
                )
            if then is not None:
                then(root)

    def _is_as_held(self, held: _Hold) -> bool:
        """Whether folder and marker are those of `attach`: then the marker need not be read again.

        No other folder has the number of this one while this one is held open.
        """
        try:
            place = _identify(self.root.stat())
        except OSError:
            return False
        return place == held.place and self._look_at_marker() == held.marker is not None

    def _look_at_marker(self) -> _Facts | None:
        try:
            facts = self._marker.lstat()
        except OSError:
            return None
        return (*_identify(facts), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)

    def _check_marker(self, root: int) -> None:
        check_marker(find_marker(root, self._name), self._device_id, name=self._name)


class _Handle:
    """Has a handle of the root open in its block, and turns errors there into `DeviceError`s."""

    __slots__ = ("_anchor", "_held")

    def __init__(self, anchor: DeviceRoot) -> None:
        self._anchor = anchor

    def __enter__(self) -> int:
        """Return the handle."""
        self._held = self._anchor.lend()
        return self._held.root

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Give it back, and raise a `DeviceError` in place of the operating system's."""
        try:
            if isinstance(error, OSError):
                raise self._anchor.explain(error) from error
        finally:
            self._anchor.give_back(self._held)


def _identify(facts: os.stat_result) -> _Facts:
    return facts.st_dev, facts.st_ino


def _close(handle: int) -> None:
    # With a dead disk this fails too; the handle is closed all the same.
    with suppress(OSError):
        os.close(handle)


def _try_to_write(root: int) -> None:
    with tree.open_folder(root, (OURS,)) as ours:
        try:
            with os.fdopen(tree.open_draft(_TRIAL, ours), "wb", buffering=0) as file:
                file.write(bytes(_TRIAL_BYTES))
                os.fsync(file.fileno())
        finally:
            if tree.stat_regular(_TRIAL, ours) is not None:
                os.unlink(_TRIAL, dir_fd=ours)
