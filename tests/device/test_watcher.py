from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, EventEmitter

from sidecar.device.folder import DeviceFolder
from sidecar.device.watcher import Watcher, _EventHandler

WITHIN_S = 5


class Told:
    """What a watcher said."""

    def __init__(self) -> None:
        self.hints = threading.Semaphore(0)
        self.lost = threading.Event()

    def hint(self) -> None:
        self.hints.release()

    def heard(self) -> bool:
        return self.hints.acquire(timeout=WITHIN_S)

    def forget(self) -> None:
        while self.hints.acquire(blocking=False):
            pass


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def watcher(root: Path, folder: DeviceFolder, told: Told) -> Iterator[Watcher]:
    """Watches a device; no thread of it may be left."""
    (root / "Album").mkdir()
    for name in ("1.flac", "2.flac"):
        (root / "Album" / name).write_bytes(b"music")
    before = set(threading.enumerate())
    watcher = Watcher(root, hint=told.hint, lost=told.lost.set)
    assert watcher.start() is None
    assert watcher.is_watching()
    yield watcher
    watcher.stop()
    assert not watcher.is_watching()
    assert set(threading.enumerate()) <= before


def test_a_file_that_goes_is_hinted_at(root: Path, watcher: Watcher, told: Told) -> None:
    (root / "Album" / "1.flac").unlink()

    assert told.heard()


def test_a_file_that_is_renamed_or_written_to_is_hinted_at(
    root: Path, watcher: Watcher, told: Told
) -> None:
    (root / "Album" / "1.flac").rename(root / "Album" / "other.flac")
    assert told.heard()
    told.forget()

    (root / "Album" / "2.flac").write_bytes(b"tagged")
    assert told.heard()


def test_a_folder_that_is_moved_away_is_hinted_at(
    root: Path, outside: Path, watcher: Watcher, told: Told
) -> None:
    (root / "Album").rename(outside / "Album")

    assert told.heard()


@pytest.mark.parametrize(
    ("event", "is_ours"),
    [
        (FileClosedEvent(".sidecar/parts/1.part"), True),
        (FileMovedEvent(".sidecar/parts/1.part", "Album/3.flac"), True),
        (FileDeletedEvent(".sidecar/parts/1.part"), True),
        (DirDeletedEvent(".sidecar"), True),
        (FileMovedEvent("Album/1.flac", "Album/3.flac"), False),
        (FileDeletedEvent(".sidecar-notes.txt"), False),
        (DirDeletedEvent(""), False),
    ],
)
def test_our_own_parts_and_their_finishing_are_not_hinted_at(
    root: Path, told: Told, event: FileSystemEvent, is_ours: bool
) -> None:
    source, target = (os.fsdecode(path) for path in (event.src_path, event.dest_path))
    below = type(event)(f"{root}/{source}", f"{root}/{target}" if target else "")

    _EventHandler(root, told.hint).dispatch(below)

    assert told.hints.acquire(blocking=False) is not is_ours


def test_a_watch_ends_with_its_folder_and_says_so(root: Path, told: Told) -> None:
    watcher = Watcher(root, hint=told.hint, lost=told.lost.set)
    assert watcher.start() is None
    emitters = [one for one in threading.enumerate() if isinstance(one, EventEmitter)]

    shutil.rmtree(root)

    assert told.heard()
    for one in emitters:
        one.join(WITHIN_S)
    assert not watcher.is_watching()
    watcher.stop()


def test_lost_events_are_told(watcher: Watcher, told: Told) -> None:
    logging.getLogger("watchdog.observers.inotify_c").warning(
        "Inotify queue overflowed; filesystem events were lost"
    )

    assert told.lost.is_set()


def test_a_stopped_watcher_says_nothing_any_more(root: Path, told: Told) -> None:
    watcher = Watcher(root, hint=told.hint, lost=told.lost.set)
    assert watcher.start() is None
    watcher.stop()
    watcher.stop()

    logging.getLogger("watchdog.observers.inotify_c").warning("overflow")

    assert not told.lost.is_set()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EMFILE, "max_user_instances"),
        (errno.ENOSPC, "max_user_watches"),
        (errno.ENOSYS, os.strerror(errno.ENOSYS)),
    ],
)
def test_why_a_folder_cannot_be_watched_is_said(
    root: Path, told: Told, number: int, reason: str
) -> None:
    def refused() -> BaseObserver:
        raise OSError(number, os.strerror(number))

    watcher = Watcher(root, hint=told.hint, lost=told.lost.set, observer=refused)

    assert reason in (watcher.start() or "")
    assert not watcher.is_watching()


def test_a_limit_that_is_met_on_the_way_is_said_and_what_is_watched_stays_watched(
    root: Path, told: Told
) -> None:
    makers = [Observer]

    def limited() -> BaseObserver:
        if not makers:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return makers.pop()()

    (root / "song.flac").write_bytes(b"music")
    watcher = Watcher(root, hint=told.hint, lost=told.lost.set, observer=limited)

    assert "max_user_watches" in (watcher.start() or "")
    (root / "song.flac").unlink()
    assert told.heard()
    watcher.stop()


def test_a_folder_that_is_not_there_leaves_no_thread_behind(tmp_path: Path, told: Told) -> None:
    before = set(threading.enumerate())
    watcher = Watcher(tmp_path / "none", hint=told.hint, lost=told.lost.set)

    assert watcher.start() is not None
    assert set(threading.enumerate()) <= before
