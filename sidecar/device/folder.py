"""The only hand on a device's folder: it alone names, renames, syncs and deletes there.

    .sidecar/device.json      who this device is (`marker`)
    .sidecar/lock             one sidecar at a time
    .sidecar/parts/17.part    what download 17 has so far; on the same file system as its file
    .sidecar/made.txt         the folders that we made: only these are ever pruned

Everything is reached from one directory handle, without following links. What is not ours is never
overwritten, moved or deleted. Before each piece of work the device must still be the one we know.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import xxhash

from sidecar.device import tree
from sidecar.device.filesystem import space_of
from sidecar.device.marker import OURS, Marker, read_marker, write_marker
from sidecar.device.parts import PART_SUFFIX, PARTS, PartFile
from sidecar.device.trouble import device_trouble, missing
from sidecar.domain.space import Space
from sidecar.errors import AlreadyRunning, DeviceTrouble

log = logging.getLogger(__name__)

MADE = "made.txt"
HASH_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileFact:
    """A regular file as it is on the device."""

    size: int


class DeviceFolder:
    """One device. Safe for many threads, as long as each works on files of its own.

    Every call raises `DeviceTrouble` when the device cannot be used.
    """

    def __init__(self, root: Path, device_id: str, *, name: str) -> None:
        """Prepare; nothing is touched before `attach`.

        Args:
            root: The folder.
            device_id: The UUID that its marker must have.
            name: For the sentences that people read.
        """
        self.root = root
        self.device_id = device_id
        self.name = name
        self._root: int | None = None
        self._lock: int | None = None
        self._file_system = 0

    @classmethod
    def create(cls, root: Path, *, device_id: str, name: str) -> Self:
        """Make an existing folder a device of ours."""
        write_marker(root, Marker(device_id, name))
        return cls(root, device_id, name=name)

    def attach(self) -> None:
        """Take the folder for this process.

        Raises:
            errors.AlreadyRunning: Another sidecar has it.
        """
        self._check_marker()
        with self._told():
            self._root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._file_system = os.fstat(self._root).st_dev
            with tree.folder(self._root, (OURS,)) as ours:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                self._lock = os.open("lock", flags, 0o644, dir_fd=ours)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise AlreadyRunning(
                f"Another Jellyfin Sidecar is filling {self.name} at {self.root}; stop it first, "
                "or give this one another folder"
            ) from None

    def close(self) -> None:
        """Let go of the folder."""
        for handle in (self._lock, self._root):
            if handle is not None:
                os.close(handle)
        self._lock = self._root = None

    def check(self) -> None:
        """Make sure that this is still the device we know, at its place.

        Raises:
            errors.DeviceTrouble: It is gone, or another one is there.
        """
        self._check_marker()
        with self._told():
            here = self.root.stat()
        if self._root is None or here.st_dev != self._file_system:
            raise missing(self.name, self.root)

    def space(self) -> Space:
        """Return the room on the device."""
        with self.working() as root:
            return space_of(root)

    def stat(self, path: str) -> FileFact | None:
        """Return the facts of a file; None only if it is surely not there.

        A link, folder or pipe at its place counts as not there: it is not ours.
        """
        *folders, name = tree.parts_of(path)
        with self.working() as root:
            try:
                with tree.folder(root, folders) as handle:
                    facts = tree.regular(name, handle)
            except (FileNotFoundError, NotADirectoryError, FileExistsError):
                facts = None
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                facts = None
        if facts is None:
            # Only while the marker is readable does "not there" mean anything.
            self.check()
            return None
        return FileFact(facts.st_size)

    def part(self, download_id: int) -> PartFile:
        """Return the part file of a download; it need not be there yet."""
        return PartFile(self.root, self.working, download_id)

    def parts(self) -> list[PartFile]:
        """Return the part files that are there: only names that are ours."""
        with self.working() as root, tree.made_folder(root, PARTS) as (handle, _):
            names = os.listdir(handle)  # noqa: PTH208 - a handle, not a path
        stems = (name.removesuffix(PART_SUFFIX) for name in names if name.endswith(PART_SUFFIX))
        return [self.part(int(stem)) for stem in stems if stem.isascii() and stem.isdigit()]

    def finish(self, part: PartFile, path: str) -> None:
        """Give a whole, synced part its final name, and make sure that it lasts.

        On FAT the textbook order (sync, rename, sync the folder) loses files in a power cut: the
        file must be synced again under its new name.

        Raises:
            errors.DeviceTrouble: `name-taken` if something that is not ours has the name.
        """
        *folders, name = tree.parts_of(path)
        with (
            self.working() as root,
            tree.folder(root, PARTS) as parts,
            tree.made_folder(root, folders) as (handle, made),
        ):
            self._remember(root, made)
            try:
                tree.rename_new(part.path.name, parts, name, handle)
            except FileExistsError:
                raise self._taken(path) from None
            _sync_file(name, handle)
            os.fsync(handle)

    def sync(self, path: str) -> None:
        """Make sure that a file lasts under its name: for a finish that was interrupted."""
        *folders, name = tree.parts_of(path)
        with self.working() as root, tree.folder(root, folders) as handle:
            _sync_file(name, handle)
            os.fsync(handle)

    def remove(self, path: str, *, size: int) -> bool:
        """Delete a file of ours, and the folders we made that are empty then.

        Args:
            path: As the row has it.
            size: As the row has it; a file of another size is not ours any more and stays.

        Returns:
            Whether it was there and is gone.
        """
        *folders, name = tree.parts_of(path)
        there = self.stat(path)
        if there is None or there.size != size:
            return False
        with self.working() as root:
            with tree.folder(root, folders) as handle:
                os.unlink(name, dir_fd=handle)
                os.fsync(handle)
            self._prune(root, folders)
        return True

    def content_hash(self, path: str) -> str:
        """Read a file and return its xxh3-128 as 32 hex digits."""
        *folders, name = tree.parts_of(path)
        digest = xxhash.xxh3_128()
        with self.working() as root, tree.folder(root, folders) as handle:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
            with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
                while block := file.read(HASH_BLOCK):
                    digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def working(self) -> Iterator[int]:
        """Give the root's handle, and tell what goes wrong as a trouble of the device."""
        if self._root is None:
            raise missing(self.name, self.root)
        with self._told():
            yield self._root

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            trouble = device_trouble(error, name=self.name, path=self.root)
            if trouble.code == "missing":
                # Something below is gone: is it the device, or only that?
                self._check_marker()
                text = f"{self.name} has changed while it was written to: it is looked at again"
                raise DeviceTrouble("broken", text) from error
            raise trouble from error

    def _check_marker(self) -> None:
        marker = read_marker(self.root, name=self.name)
        if marker is None:
            raise DeviceTrouble(
                "no-marker",
                f"The folder {self.root} is there but is not {self.name}: plug it in, or put its "
                f"{OURS} folder back",
            )
        if marker.id != self.device_id:
            raise DeviceTrouble(
                "other-device",
                f"Another device ({marker.name or marker.id}) is at {self.root}, not {self.name}: "
                "nothing is written to it",
            )

    def _taken(self, path: str) -> DeviceTrouble:
        text = f"{path} is already on {self.name} and is not ours: move it away and retry"
        return DeviceTrouble("name-taken", text)

    def _remember(self, root: int, made: list[str]) -> None:
        if not made:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with tree.folder(root, (OURS,)) as ours:
            descriptor = os.open(MADE, flags, 0o644, dir_fd=ours)
            with open(descriptor, "ab") as file:  # noqa: PTH123 - a descriptor
                file.write("".join(f"{path}\n" for path in made).encode())

    def _prune(self, root: int, folders: list[str]) -> None:
        made = self._made(root)
        for depth in range(len(folders), 0, -1):
            if "/".join(folders[:depth]) not in made:
                return
            with tree.folder(root, folders[: depth - 1]) as parent:
                try:
                    os.rmdir(folders[depth - 1], dir_fd=parent)
                except OSError:
                    return  # something else is in it

    def _made(self, root: int) -> set[str]:
        with tree.folder(root, (OURS,)) as ours, suppress(FileNotFoundError):
            descriptor = os.open(MADE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=ours)
            with open(descriptor, encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
                return set(file.read().splitlines())
        return set()


def _sync_file(name: str, handle: int) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
