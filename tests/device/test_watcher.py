from __future__ import annotations

import errno
import os
import select
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from watchdog.events import DirDeletedEvent, FileClosedEvent, FileDeletedEvent, FileSystemEvent
from watchdog.observers.api import BaseObserver, EventEmitter, EventQueue, ObservedWatch
from watchdog.observers.inotify_c import InotifyConstants

from sidecar.device.emitter import FolderEmitter, make_observer
from sidecar.device.folder import DeviceFolder
from sidecar.device.watcher import Watcher, _EventHandler
from tests.device.mounting import mount_memory, mounts_taken_down, needs_root, unmount
from tests.patience import PATIENCE_S


class Told:
    """What a watcher said."""

    def __init__(self) -> None:
        self.hints = threading.Semaphore(0)
        self.lost = threading.Event()

    def hint(self) -> None:
        self.hints.release()

    def heard(self) -> bool:
        return self.hints.acquire(timeout=PATIENCE_S)

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
        (FileDeletedEvent(".sidecar/parts/1.part"), True),
        (DirDeletedEvent(".sidecar"), True),
        (FileDeletedEvent(".sidecar-notes.txt"), False),
        (DirDeletedEvent(""), False),
    ],
)
def test_our_own_parts_and_their_finishing_are_not_hinted_at(
    root: Path, told: Told, event: FileSystemEvent, is_ours: bool
) -> None:
    below = type(event)(f"{root}/{os.fsdecode(event.src_path)}")

    _EventHandler(root, told.hint, told.lost.set).dispatch(below)

    assert told.hints.acquire(blocking=False) is not is_ours


def test_a_watch_ends_with_its_folder_and_says_so(root: Path, told: Told) -> None:
    watcher = Watcher(root, hint=told.hint, lost=told.lost.set)
    assert watcher.start() is None
    emitters = [one for one in threading.enumerate() if isinstance(one, EventEmitter)]

    shutil.rmtree(root)

    assert told.heard()
    for one in emitters:
        one.join(PATIENCE_S)
    assert not watcher.is_watching()
    watcher.stop()


def test_what_is_in_a_folder_that_came_or_moved_later_is_hinted_at(
    root: Path, outside: Path, watcher: Watcher, told: Told
) -> None:
    whole = outside / "Artist" / "Later"
    whole.mkdir(parents=True)
    (whole / "3.flac").write_bytes(b"music")
    (outside / "Artist").rename(root / "Artist")
    (root / "Artist").rename(root / "Album" / "Artist")
    assert told.heard()
    # Only once it is watched there, something in it is heard.
    while not told.hints.acquire(timeout=0.05):
        (root / "Album" / "Artist" / "Later" / "4.flac").write_bytes(b"music")
    told.forget()

    (root / "Album" / "Artist" / "Later" / "3.flac").unlink()

    assert told.heard()


@contextmanager
def emitting(root: Path) -> Iterator[FolderEmitter]:
    """Watch a folder without a thread: what happens is heard by `hear_all`."""
    emitter = FolderEmitter(EventQueue(), ObservedWatch(str(root), recursive=True))
    emitter.on_thread_start()
    try:
        yield emitter
    finally:
        emitter._close()


def hear_all(emitter: FolderEmitter) -> list[str]:
    """Return the paths of what has happened."""
    poll = select.poll()
    poll.register(emitter._inotify, select.POLLIN)
    while poll.poll(0):
        emitter.queue_events(0)
    queue, told = emitter._event_queue, []
    while not queue.empty():
        told.append(os.fsdecode(queue.get()[0].src_path))
    return told


def test_paths_are_known_without_being_kept(root: Path, outside: Path) -> None:
    def path_of(name: str) -> str | None:
        found = emitter._names.index(name.encode())
        return os.fsdecode(emitter._path_of(found) or b"")

    (root / "Artist" / "Album" / "CD 1").mkdir(parents=True)
    with emitting(root) as emitter:
        assert path_of("CD 1") == f"{root}/Artist/Album/CD 1"

        (root / "Artist").rename(root / "Band")
        (root / "Band" / "Album" / "CD 1").rename(root / "CD 2")
        shutil.rmtree(root / "Band")
        (root / "Late" / "Later").mkdir(parents=True)
        while b"Later" not in emitter._names:
            emitter.queue_events(0)

        assert path_of("CD 2") == f"{root}/CD 2"
        assert path_of("Later") == f"{root}/Late/Later"
        assert not {b"Artist", b"Band", b"Album", b"CD 1"} & set(emitter._names)


def test_folders_that_are_nested_deeper_than_python_goes_are_watched(root: Path) -> None:
    deepest = f"{root}/Deep"
    Path(deepest).mkdir()
    try:
        while deepest.count("/") < 1500:
            deepest += "/d"
            Path(deepest).mkdir()
        with emitting(root) as emitter:
            Path(deepest, "song.flac").write_bytes(b"music")

            assert hear_all(emitter) == [f"{deepest}/song.flac"]
    finally:
        # Python's own way goes no deeper either.
        subprocess.run(["/bin/rm", "-r", f"{root}/Deep"], check=True)


@needs_root
def test_what_is_below_a_stick_that_is_pulled_is_not_watched(tmp_path: Path) -> None:
    with mounts_taken_down(tmp_path / "mount") as place:
        mount_memory(place)
        with emitting(place) as emitter:
            unmount(place)
            hear_all(emitter)

            (place / "of the system").write_bytes(b"log")

            assert hear_all(emitter) == []


def test_folders_that_change_places_before_it_is_heard_are_not_looked_for_in_each_other(
    root: Path,
) -> None:
    inner = root / "Outer" / "Inner"
    inner.mkdir(parents=True)
    with emitting(root) as emitter:
        (inner / "new").mkdir()
        (inner / "new").rmdir()
        (root / "Outer").rename(root / "aside")
        inner.mkdir(parents=True)
        (root / "aside").rename(inner / "new")
        hear_all(emitter)

        moved = inner / "new" / "Inner" / "song.flac"
        moved.write_bytes(b"music")

        assert hear_all(emitter) == [str(moved)]


def test_lost_events_are_told(root: Path, told: Told) -> None:
    made = []

    def observer() -> BaseObserver:
        made.append(make_observer())
        return made[-1]

    watcher = Watcher(root, hint=told.hint, lost=told.lost.set, observer=observer)
    assert watcher.start() is None
    (emitter,) = made[0].emitters
    assert isinstance(emitter, FolderEmitter)

    emitter._hear(-1, InotifyConstants.IN_Q_OVERFLOW, b"")

    assert told.lost.wait(PATIENCE_S)
    watcher.stop()


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
    makers = [make_observer]

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
