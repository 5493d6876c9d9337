"""Reads and writes the files on a device. Only this package renames, syncs or deletes there.

    .sidecar/device.json      the device's identity (`own.marker`)
    .sidecar/lock             one sidecar at a time (`lock`)
    .sidecar/parts/17.part    what download 17 has so far; on the same file system as its file
    .sidecar/own.json         small generated files, which are no downloads (`own.files`)
    .sidecar/made.txt         the folders that we made, which may be pruned (`own.created_folders`)

All access starts at one directory handle and follows no links: whatever is mounted at the path
later, only the attached device is touched. Files of others are never overwritten, moved or deleted.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Self

import xxhash

from sidecar.device import scan, tree
from sidecar.device.filesystem import read_space
from sidecar.device.foreign.player_files import PlayerFiles
from sidecar.device.own import created_folders
from sidecar.device.own.files import OwnFiles
from sidecar.device.own.marker import OURS, PARTS, Marker, write_marker
from sidecar.device.own.parts import (
    CONVERTED,
    ORIGINAL,
    FilmParts,
    PartFile,
    list_part_names,
    open_parts_folder,
)
from sidecar.device.own.stignore import IgnoreFile
from sidecar.device.root import DeviceRoot
from sidecar.domain.files.removals import FileStat, Seen, Stranger, is_unchanged, was_written_since
from sidecar.domain.space.space import Space
from sidecar.errors import DeviceError, NotCertain, Stopped
from sidecar.messages import msg

_TAIL = 4096
_HASH_BLOCK = 1024 * 1024


class DeviceFolder:
    """One device. Safe for many threads, as long as each works on files of its own.

    Every call raises `DeviceError` when the device cannot be used, and `ValueError` for a path
    that is not below the root or is in the sidecar's own folder.
    """

    def __init__(self, root: Path, device_id: str, *, name: str) -> None:
        """Prepare; nothing is touched before `attach`.

        Args:
            root: The folder.
            device_id: The UUID that its marker must have.
            name: For messages.
        """
        self.root = root
        self.device_id = device_id
        self.name = name
        self._anchor = DeviceRoot(root, device_id, name=name)
        self.ignore_file = IgnoreFile(self._anchor)
        # Held so that no folder is pruned between its opening and a rename into it.
        self._shaping = Lock()
        self.own_files = OwnFiles(self._anchor, self._shaping)
        self.player_files = PlayerFiles(self._anchor, self._shaping)

    @classmethod
    def create(cls, root: Path, *, device_id: str, name: str) -> Self:
        """Make an existing folder a device: write its marker."""
        write_marker(root, Marker(device_id, name))
        return cls(root, device_id, name=name)

    def attach(self) -> None:
        """Open and lock the folder for this process.

        Raises:
            errors.AlreadyRunning: Another sidecar has it.
        """
        self._anchor.attach()

    def close(self) -> None:
        """Release the folder; operations that run in other threads can still finish."""
        self._anchor.close()

    def check(self) -> None:
        """Check that the attached device is still there; after an error, that it can be written to.

        Raises:
            errors.DeviceError: It is gone, it was remounted since `attach` (then attach again),
                another one is there, or it failed before and still cannot be written to.
        """
        self._anchor.check()

    def check_place(self) -> None:
        """Check that the attached device is still there: enough for reading."""
        self._anchor.check_place()

    def check_writing(self) -> None:
        """Check that the attached device is still there and can be written to; it may be full.

        A damaged disk may still be readable, but what is missing there proves nothing.
        """
        self._anchor.check_writing()

    def require_write_test(self) -> None:
        """Make the next `check` try to write: an engine had an error in a part file."""
        self._anchor.require_write_test()

    def space(self) -> Space:
        """Return the device's size and free space."""
        with self._anchor.translate_errors() as root:
            return read_space(root, self._anchor.file_system)

    @property
    def keeps_numbers(self) -> bool:
        """Whether files there keep their inode numbers."""
        return self._anchor.file_system.keeps_numbers

    def stat(self, path: str) -> FileStat | None:
        """Return the facts of a file; None only if it is certainly not there.

        A link, folder or pipe of that name counts as not there: it is not ours.
        """
        facts = self._stat(path)
        return None if facts is None else scan.to_file_stat(facts)

    def _stat(self, path: str) -> os.stat_result | None:
        folders, name = _split_path(path)
        with self._anchor.translate_errors() as root:
            try:
                with tree.open_folder(root, folders) as handle:
                    facts = tree.stat_regular(name, handle)
            except (FileNotFoundError, NotADirectoryError, FileExistsError):
                facts = None
        if facts is None:
            # "Not there" means something only while the marker is readable.
            self._anchor.check_place()
        return facts

    def look(
        self, paths: Iterable[str], *, is_over: Callable[[], bool] = lambda: False
    ) -> Mapping[str, Seen]:
        """Return what is at each of these paths; the device was checked before and after.

        A read-only device raises: nobody can have removed a file there.

        Args:
            paths: As the rows have them.
            is_over: Called before each folder; True ends the look.

        Raises:
            errors.Stopped: `is_over` returned True.
        """
        self._anchor.check_place()
        with self._anchor.translate_errors() as root:
            if os.fstatvfs(root).f_flag & os.ST_RDONLY:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            seen = scan.look(root, paths, is_over)
        self._anchor.check_place()
        return seen

    def find_named(
        self,
        folders: Iterable[str],
        names: Collection[str],
        *,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Sequence[str]:
        """Return what has one of these names, in lower case, in these folders; sorted.

        Raises:
            errors.Stopped: `is_over` returned True.
        """
        self._anchor.check_place()
        with self._anchor.translate_errors() as root:
            return scan.find_named(root, folders, names, is_over)

    def strangers(
        self,
        *,
        sizes: Collection[int],
        known: Collection[str],
        skip: Callable[[str], object] = lambda _folder: None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> list[Stranger]:
        """Return the files of these sizes at other than the known paths, without those in trash.

        `skip` is told of the folders that are devices themselves, in which nothing is looked for.

        Raises:
            errors.Stopped: `is_over` returned True.
        """
        with self._anchor.translate_errors() as root:
            return scan.find_strangers(
                root, sizes=sizes, known={*known}, skip=skip, is_over=is_over
            )

    def part(self, download_id: int) -> PartFile:
        """Return the part file of a download; it need not be there yet."""
        return PartFile(self._anchor, download_id)

    def converted(self, download_id: int) -> PartFile:
        """Return the part file that a download is converted into; it need not be there yet."""
        return PartFile(self._anchor, download_id, CONVERTED)

    def original(self, download_id: int) -> PartFile:
        """Return the part file with the original of a converted download; it need not be there."""
        return PartFile(self._anchor, download_id, ORIGINAL)

    def film(self, download_id: int) -> FilmParts:
        """Return the converted segments of a film; they need not be there yet."""
        return FilmParts(self._anchor, download_id)

    def parts(self) -> list[PartFile]:
        """Return the part files that are there; other names are ignored."""
        with self._anchor.translate_errors() as root, open_parts_folder(root) as parts:
            return [PartFile(self._anchor, *one) for one in list_part_names(parts)]

    def finish(self, part: PartFile, path: str) -> None:
        """Rename a complete, synced part file to its final name, durably.

        Raises:
            errors.DeviceError: `name-taken` if something that is not ours has the name, or the
                name of one of its folders, or the file system refuses it; nothing was touched
                then.
            errors.NotCertain: It was renamed, but that may not last.
        """
        [trouble] = self.finish_all([(part, path)])
        if trouble is not None:
            raise trouble

    def finish_all(self, parts: Sequence[tuple[PartFile, str]]) -> Sequence[Exception | None]:
        """Rename complete, synced part files to their final names, durably: first all, then sync.

        On FAT the usual order (sync, rename, sync the folder) loses files in a power cut: the
        files must be synced again under their new names.

        Returns:
            For each file None if it has its name now, or why not, as for `finish`; `NotCertain` if
            it was renamed and may be found there later.
        """
        troubles: list[Exception | None] = [None] * len(parts)
        # By folder: the part and the name of each file there.
        places: dict[tuple[str, ...], dict[int, tuple[PartFile, str]]] = {}
        for number, (part, path) in enumerate(parts):
            with _blamed_on([number], troubles):
                folders, name = _split_path(path)
                places.setdefault(folders, {})[number] = part, name
        fresh: list[str] = []
        for folders, some in places.items():
            fresh += self._rename_all(folders, some, troubles)
        renamed = [number for there in places.values() for number in there if not troubles[number]]
        if renamed and not self._anchor.file_system.renames_at_once:
            # The old names must leave the disk before the new ones are synced: a power cut may
            # else leave two names for the same bytes, and removing one frees the other's.
            with (
                _blamed_on(renamed, troubles),
                self._anchor.translate_errors() as root,
                tree.open_folder(root, PARTS) as handle,
            ):
                os.fsync(handle)
        for folders, some in places.items():
            self._sync_all(folders, some, troubles)
        with _blamed_on(renamed, troubles), self._anchor.translate_errors() as root:
            tree.sync_above(root, fresh)
        for number in renamed:
            if isinstance(trouble := troubles[number], DeviceError):
                troubles[number] = NotCertain(trouble.code, str(trouble))
        return troubles

    def _rename_all(
        self,
        folders: Sequence[str],
        parts: Mapping[int, tuple[PartFile, str]],
        troubles: list[Exception | None],
    ) -> Sequence[str]:
        """Give part files their final names in one folder; return the folders made for them."""
        with (
            _blamed_on(parts, troubles),
            self._anchor.translate_errors() as root,
            tree.open_folder(root, PARTS) as old,
        ):
            try:
                with self._shaping, tree.make_folder(root, folders) as (new, fresh):
                    created_folders.remember_folder(root, fresh)
                    for number, (part, name) in parts.items():
                        with _blamed_on([number], troubles), self._anchor.explain_errors():
                            self._rename(part.name, old, folders, name, new)
                    return fresh
            except OSError as error:
                for number, (_, name) in parts.items():
                    troubles[number] = self._explain_name(error, "/".join((*folders, name)))
        return ()

    def _rename(
        self, part: str, parts: int, folders: Sequence[str], name: str, folder: int
    ) -> None:
        try:
            tree.rename_new(part, parts, name, folder)
        except OSError as error:
            raise self._explain_name(error, "/".join((*folders, name))) from None

    def _sync_all(
        self,
        folders: Sequence[str],
        files: Mapping[int, tuple[PartFile, str]],
        troubles: list[Exception | None],
    ) -> None:
        """Sync files of one folder, each by its new name, and then the folder."""
        with (
            _blamed_on(files, troubles),
            self._anchor.translate_errors() as root,
            tree.open_folder(root, folders) as handle,
        ):
            for number, (_, name) in files.items():
                if troubles[number] is None:
                    with _blamed_on([number], troubles), self._anchor.explain_errors():
                        tree.sync_file(name, handle)
            os.fsync(handle)

    def replace(self, part: PartFile, path: str, *, known: FileStat) -> None:
        """Replace a file of ours by a complete, synced part file, atomically and durably.

        Args:
            part: The new content.
            path: As the row has it.
            known: The facts of the file from before its content was looked at; one that has
                changed since is not replaced.

        Raises:
            errors.DeviceError: `name-taken` if something else is there; nothing was touched then.
        """
        folders, name = _split_path(path)
        with self._anchor.translate_errors() as root, tree.open_folder(root, PARTS) as parts:
            with self._shaping, tree.open_folder(root, folders) as handle:
                try:
                    facts = tree.stat_regular(name, handle)
                except FileExistsError:
                    facts = None
                if facts is None or not is_unchanged(
                    scan.to_file_stat(facts), known, keeps_numbers=self.keeps_numbers
                ):
                    raise self._taken(path)
                os.rename(part.name, name, src_dir_fd=parts, dst_dir_fd=handle)
            if not self._anchor.file_system.renames_at_once:
                os.fsync(parts)
            _sync(root, folders, name)

    def rename(self, path: str, to: str, *, size: int) -> bool:
        """Rename a file of ours to a name that is not in use.

        Args:
            path: As the row has it.
            to: Its new place.
            size: As the row has it; a file of another size is not ours any more and stays.

        Returns:
            Whether it was there and is at its new place.

        Raises:
            errors.DeviceError: `name-taken` as for `finish`; nothing was touched then.
        """
        self._anchor.check_place()
        there = self.stat(path)
        if there is None or there.size != size:
            return False
        (folders, name), (above, new) = _split_path(path), _split_path(to)
        with self._anchor.translate_errors() as root:
            try:
                with (
                    self._shaping,
                    tree.open_folder(root, folders) as old_handle,
                    tree.make_folder(root, above) as (handle, fresh),
                ):
                    created_folders.remember_folder(root, fresh)
                    # Two spellings may be one name to the disk.
                    if not tree.is_same_file(name, old_handle, new, handle):
                        tree.rename_new(name, old_handle, new, handle)
                    # As in `finish`: the old name leaves the disk before the new one is synced.
                    os.fsync(old_handle)
            except OSError as error:
                raise self._explain_name(error, to) from None
            _sync(root, above, new)
            tree.sync_above(root, fresh)
        return True

    def prune(self, path: str) -> None:
        """Remove the empty folders above a removed file, as far as we made them."""
        folders, _ = _split_path(path)
        with self._anchor.translate_errors() as root, self._shaping:
            created_folders.prune(root, folders)

    def sync(self, path: str) -> None:
        """Sync a file and the folders above it, after a `finish` that was interrupted."""
        folders, name = _split_path(path)
        with self._anchor.translate_errors() as root:
            _sync(root, folders, name)
            tree.sync_above(root, ["/".join(folders[: n + 1]) for n in range(len(folders))])

    def remove(
        self, path: str, *, size: int, content_hash: str | None, completed_at: datetime | None
    ) -> bool:
        """Delete a file of ours, and the folders above it that we made and that are empty then.

        One of another size, or written to since it came and of other bytes, is not ours any more
        and stays: taggers often keep the size.

        Args:
            path: As the row has it, and all else.
            size: Bytes.
            content_hash: Its xxh3-128; None if unknown.
            completed_at: When it came.

        Returns:
            Whether it was there and is gone.
        """
        self._anchor.check_place()
        facts = self._stat(path)
        if facts is None or facts.st_size != size:
            return False
        there = scan.to_file_stat(facts)
        if content_hash is None:
            if was_written_since(there, completed_at):
                return False
        elif self._may_be_edited(facts, completed_at) and self.content_hash(path) != content_hash:
            return False
        folders, name = _split_path(path)
        with self._anchor.translate_errors() as root, self._shaping:
            with tree.open_folder(root, folders) as handle:
                # A person may have put another file there while this one was read.
                if not _is_as_before(name, handle, there):
                    return False
                os.unlink(name, dir_fd=handle)
                os.fsync(handle)
            created_folders.prune(root, folders)
        return True

    def _may_be_edited(self, facts: os.stat_result, completed_at: datetime | None) -> bool:
        """Whether a file may have other bytes than it came with, judging by its times."""
        times = scan.to_file_stat(facts)
        is_exact = self._anchor.file_system.tells_times_exactly
        if is_exact:
            # Whoever sets its other time, as taggers do to keep it, changes this one.
            times = replace(times, modified_ns=max(facts.st_mtime_ns, facts.st_ctime_ns))
        return was_written_since(times, completed_at, has_zones=not is_exact)

    def find_cut(
        self, sizes: Mapping[str, int], *, is_over: Callable[[], bool] = lambda: False
    ) -> list[str]:
        """Return which of these files are not complete: their size differs, or no end can be read.

        Each folder is opened once: 50,000 files take a second or two.

        Args:
            sizes: By path, as the rows have it.
            is_over: Called before each folder; True ends the look.

        Raises:
            errors.Stopped: `is_over` returned True.
        """
        cut: list[str] = []
        for _, paths in groupby(sorted(sizes), key=lambda path: path.rpartition("/")[0]):
            if is_over():
                raise Stopped(msg("the look at the files of {device} was ended", device=self.name))
            files = [(path, _split_path(path)) for path in paths]
            folders = files[0][1][0]
            with self._anchor.translate_errors() as root:
                try:
                    with tree.open_folder(root, folders) as handle:
                        cut += [
                            path
                            for path, (_, name) in files
                            if not _ends(name, handle, sizes[path])
                        ]
                except (FileNotFoundError, NotADirectoryError):
                    cut += [path for path, _ in files]
        if cut:
            # "Not there" and "not readable" mean something only while the marker is readable.
            self._anchor.check_place()
        return cut

    def open(self, path: str) -> BinaryIO:
        """Open a file of ours unbuffered for reading; errors in reading it are the caller's.

        Raises:
            errors.DeviceError: It cannot be opened, or is not a regular file.
        """
        with self._open_folder(path) as descriptor:
            return os.fdopen(os.dup(descriptor), "rb", buffering=0)

    def content_hash(self, path: str, *, is_over: Callable[[], bool] = lambda: False) -> str:
        """Read a file and return its xxh3-128 as 32 hex digits.

        Args:
            path: As the row has it.
            is_over: Called between blocks; True ends the reading.

        Raises:
            errors.Stopped: `is_over` returned True.
        """
        digest = xxhash.xxh3_128()
        with self._open_folder(path) as descriptor:
            while block := os.read(descriptor, _HASH_BLOCK):
                if is_over():
                    raise Stopped(msg("{path} was not read to its end", path=path))
                digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def _open_folder(self, path: str) -> Iterator[int]:
        folders, name = _split_path(path)
        with self._anchor.translate_errors() as root, tree.open_folder(root, folders) as handle:
            try:
                descriptor = tree.open_file(name, handle)
            except FileExistsError:
                raise self._taken(path) from None
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def _explain_name(self, error: OSError, path: str) -> DeviceError:
        """Return what is told of an error that is about a name; raise any other."""
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            return self._taken(path)
        if not tree.is_name_refused(error):
            raise error
        # Handled as a name that is taken: nobody can have it, and the device itself is well.
        text = msg("{device} does not take the name {path}", device=self.name, path=path)
        return DeviceError("name-taken", text)

    def _taken(self, path: str) -> DeviceError:
        text = msg(
            "Another file has the name {path} on {device}: move it away",
            path=path,
            device=self.name,
        )
        return DeviceError("name-taken", msg("{text} and try again", text=text))


def _ends(name: str, handle: int, size: int) -> bool:
    """Whether a file has this size, and its end can be read."""
    try:
        descriptor = tree.open_file(name, handle)
    except (FileNotFoundError, FileExistsError):
        return False
    try:
        if os.fstat(descriptor).st_size != size:
            return False
        return len(os.pread(descriptor, _TAIL, max(0, size - _TAIL))) == min(size, _TAIL)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return False
    finally:
        os.close(descriptor)


def _is_as_before(name: str, handle: int, before: FileStat) -> bool:
    """Whether a file has the size and time that it had a moment ago; FAT may count it anew."""
    try:
        facts = tree.stat_regular(name, handle)
    except FileExistsError:
        return False
    if facts is None:
        return False
    return (facts.st_size, facts.st_mtime_ns) == (before.size, before.modified_ns)


def _split_path(path: str) -> tuple[tuple[str, ...], str]:
    *folders, name = tree.split_path(path)
    if (folders or [name])[0].casefold() == OURS:
        raise ValueError(f"not a path for files: {path!r}")
    return tuple(folders), name


class _blamed_on:  # noqa: N801 - used like a function
    """Note an error of the block as the trouble of these files, unless they have one already.

    A class: see `open_folder`.
    """

    __slots__ = ("_numbers", "_troubles")

    def __init__(self, numbers: Iterable[int], troubles: list[Exception | None]) -> None:
        self._numbers = numbers
        self._troubles = troubles

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Note the error; return whether it is one of a file."""
        if not isinstance(error, DeviceError | ValueError):
            return False
        for number in self._numbers:
            self._troubles[number] = self._troubles[number] or error
        return True


def _sync(root: int, folders: Sequence[str], name: str) -> None:
    with tree.open_folder(root, folders) as handle:
        tree.sync_file(name, handle)
        os.fsync(handle)
