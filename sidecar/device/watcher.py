"""Watches one attached folder with watchdog, and reports that something there may have changed.

It does not report what: a scan finds that out (`scan`). Its callbacks run in watchdog's own
threads and must be quick. Events in the sidecar's own folder are ignored, and so are moves out of
it: downloads being finished.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from sidecar.device.emitter import EventsLost, make_observer
from sidecar.device.own.marker import OURS
from sidecar.messages import msg

OF_INTEREST: list[type[FileSystemEvent]] = [
    FileDeletedEvent,
    DirDeletedEvent,
    FileClosedEvent,
    EventsLost,
]
_LIMITS = {
    errno.ENOSPC: msg("the system watches as many folders as it may (fs.inotify.max_user_watches)"),
    errno.EMFILE: msg("too many programs watch folders (fs.inotify.max_user_instances)"),
}


class Watcher:
    """Watches one folder from `start` to `stop`. Where it cannot, only periodic scans remain."""

    def __init__(
        self,
        root: Path,
        *,
        hint: Callable[[], object],
        lost: Callable[[], object],
        observer: Callable[[], BaseObserver] = make_observer,
    ) -> None:
        """Prepare; nothing is watched yet.

        Args:
            root: The folder of an attached device.
            hint: Called when a file below it may have gone, moved or changed.
            lost: Called when events were lost: anything may have happened.
            observer: Makes watchdog's observer.
        """
        self._root = root
        self._handler = _EventHandler(root, hint, lost)
        self._make = observer
        self._observer: BaseObserver | None = None

    def start(self) -> str | None:
        """Start; return a message if it is not possible, or not everywhere; else None."""
        try:
            self._observer = self._start_observer(self._root, recursive=True)
        except OSError as error:
            return _explain(error)
        return self._limit()

    def _start_observer(self, folder: Path, *, recursive: bool) -> BaseObserver:
        observer = self._make()
        try:
            observer.schedule(
                self._handler, str(folder), recursive=recursive, event_filter=OF_INTEREST
            )
            observer.start()
        except OSError:
            observer.stop()
            raise
        return observer

    def _limit(self) -> str | None:
        """Check whether inotify's limit is reached: folders are skipped silently then."""
        try:
            one_more = self._start_observer(self._root / OURS, recursive=False)
        except OSError as error:
            return _LIMITS.get(error.errno or 0)
        one_more.stop()
        one_more.join()
        return None

    def is_watching(self) -> bool:
        """Whether the watch still works: it ends when its folder is removed or replaced."""
        observer = self._observer
        return (
            observer is not None
            and observer.is_alive()
            and any(emitter.is_alive() for emitter in observer.emitters)
        )

    def stop(self) -> None:
        """End all threads of the watch."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()


class _EventHandler(FileSystemEventHandler):
    """Receives all events, and passes on those that are not our own."""

    def __init__(self, root: Path, hint: Callable[[], object], lost: Callable[[], object]) -> None:
        self._ours = os.path.join(root, OURS)  # noqa: PTH118 - compared with watchdog's plain text
        self._hint = hint
        self._lost = lost

    def dispatch(self, event: FileSystemEvent) -> None:
        """Pass on that something happened, or that nobody knows what."""
        source = os.fsdecode(event.src_path)
        if isinstance(event, EventsLost):
            self._lost()
        elif source != self._ours and not source.startswith(f"{self._ours}{os.sep}"):
            self._hint()


def _explain(error: OSError) -> str:
    return _LIMITS.get(error.errno or 0, error.strerror or msg("it does not say why"))
