"""Scans a device: what is at many known paths, and which unknown files there are.

A file is "absent" only after ENOENT in a folder that is certainly on this device; every other error
makes it "unknown". Follows no link, enters no other file system, changes nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice

from sidecar.batched import batched
from sidecar.device import tree
from sidecar.device.own.marker import OURS
from sidecar.domain.files.removals import FileStat, NotAFile, Seen, Stranger, is_in_trash
from sidecar.errors import Stopped

# Levels of folders; no real library is deeper, and each level keeps a handle open.
_DEEPEST = 40
# Names in one folder, and files on one device, that are looked at; no real device has as many.
_MOST_NAMES = 100_000
_MOST_FILES = 500_000
# Paths that are taken apart at once: each takes as much memory as all that is found out of it.
AT_ONCE = 2000


@dataclass(slots=True)
class _Branch:
    """A folder with the known paths below it."""

    files: dict[str, str] = field(default_factory=dict)  # name → path
    folders: dict[str, _Branch] = field(default_factory=dict)

    def paths(self) -> Iterator[str]:
        yield from self.files.values()
        for deeper in self.folders.values():
            yield from deeper.paths()


def look(
    root: int, paths: Iterable[str], is_over: Callable[[], bool] = lambda: False
) -> dict[str, Seen]:
    """Return what is at each of these paths.

    Each folder is opened and each file is examined once: 50,000 files take less than a second.

    Args:
        root: The handle of the device's root.
        paths: Below it.
        is_over: Called before each folder; True ends the look.

    Raises:
        errors.Stopped: `is_over` returned True.
    """
    found: dict[str, Seen] = {}
    device = os.fstat(root).st_dev
    # In their order files of a folder are together, and what is made of a few is soon freed.
    for some in batched(sorted(paths), AT_ONCE):
        _visit(root, device, _make_branches(some), found, is_over)
    return found


def find_strangers(
    root: int,
    *,
    sizes: Collection[int],
    known: Collection[str],
    skip: Callable[[str], object] = lambda _folder: None,
    is_over: Callable[[], bool] = lambda: False,
) -> list[Stranger]:
    """Return the files of these sizes at other than the known paths, without those in trash.

    Folders that cannot be read are skipped, and those that are devices themselves: what is in there
    belongs to that device, and would be deleted for two. `skip` is told of these; `is_over` is as
    for `look`.
    """
    walk = _Walk(os.fstat(root).st_dev, skip, is_over)
    return [
        one
        for one in islice(walk.files(root, "", _DEEPEST), _MOST_FILES)
        if one.facts.size in sizes and one.path not in known
    ]


def find_named(
    root: int,
    folders: Iterable[str],
    names: Collection[str],
    is_over: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Return what has one of these names in these folders, sorted; one read for each folder.

    Args:
        root: The handle of the device's root.
        folders: Below it; those that are not there or cannot be read are skipped.
        names: In lower case. Those found have any case: FAT knows no difference.
        is_over: As for `look`.
    """
    device = os.fstat(root).st_dev
    found: list[str] = []
    for folder in folders:
        _go_on_unless(is_over)
        with suppress(OSError), tree.open_folder(root, tree.split_path(folder)) as handle:
            if os.fstat(handle).st_dev == device:
                with os.scandir(handle) as entries:
                    inside = islice(entries, _MOST_NAMES)
                    found += [f"{folder}/{one.name}" for one in inside if one.name.lower() in names]
    return sorted(found)


def _make_branches(paths: Iterable[str]) -> _Branch:
    top = _Branch()
    for path in paths:
        *folders, name = tree.split_path(path)
        here = top
        for folder in folders:
            here = here.folders.setdefault(folder, _Branch())
        here.files[name] = path
    return top


def _visit(
    handle: int,
    device: int,
    branch: _Branch,
    found: dict[str, Seen],
    is_over: Callable[[], bool],
) -> None:
    _go_on_unless(is_over)
    if os.fstat(handle).st_dev != device:
        found.update(dict.fromkeys(branch.paths(), NotAFile.UNKNOWN))
        return
    for name, path in branch.files.items():
        found[path] = _look_at(name, handle)
    for name, deeper in branch.folders.items():
        try:
            with _open_folder(name, handle) as inside:
                _visit(inside, device, deeper, found, is_over)
        except FileNotFoundError:
            found.update(dict.fromkeys(deeper.paths(), NotAFile.ABSENT))
        except OSError:
            found.update(dict.fromkeys(deeper.paths(), NotAFile.UNKNOWN))


def _look_at(name: str, handle: int) -> Seen:
    try:
        facts = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return NotAFile.ABSENT
    except OSError:
        return NotAFile.UNKNOWN
    return to_file_stat(facts) if stat.S_ISREG(facts.st_mode) else NotAFile.OTHER


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk through all folders of a device; see `find_strangers`."""

    device: int
    skip: Callable[[str], object]
    is_over: Callable[[], bool]

    def files(self, handle: int, above: str, deep: int) -> Iterator[Stranger]:
        """Yield the files below a folder, whose path is `above`."""
        _go_on_unless(self.is_over)
        try:
            with os.scandir(handle) as entries:
                inside = list(islice(entries, _MOST_NAMES))
        except OSError:
            return
        if above and any(one.name.casefold() == OURS for one in inside):
            self.skip(above.rstrip("/"))
            return
        for entry in inside:
            path = f"{above}{entry.name}"
            if is_in_trash(entry.name):
                continue
            try:
                facts = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if facts.st_dev != self.device or not _can_be_stored(entry.name):
                continue
            if stat.S_ISREG(facts.st_mode):
                yield Stranger(path, to_file_stat(facts))
            elif stat.S_ISDIR(facts.st_mode) and deep:
                with suppress(OSError), _open_folder(entry.name, handle) as folder:
                    yield from self.files(folder, f"{path}/", deep - 1)


def _go_on_unless(is_over: Callable[[], bool]) -> None:
    if is_over():
        raise Stopped("the look at the files was ended")


@contextmanager
def _open_folder(name: str, handle: int) -> Iterator[int]:
    inside = os.open(name, tree.FOLDER, dir_fd=handle)
    try:
        yield inside
    finally:
        os.close(inside)


def to_file_stat(facts: os.stat_result) -> FileStat:
    """Return what tells a changed file from an unchanged one."""
    return FileStat(facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _can_be_stored(name: str) -> bool:
    """Whether a name is valid Unicode: others cannot be stored in the database."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
