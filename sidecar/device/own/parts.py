"""Part files: the unfinished files of downloads, in `.sidecar/parts` on their device.

17.part         what has been fetched of download 17
17.converted    what it is being converted into
17.original     the original of a converted file, where originals are kept
17.film         which segments of a film are converted and whole
17.film-3       the fourth of them
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sidecar.device import tree
from sidecar.device.own.marker import OURS, PARTS
from sidecar.device.root import DeviceRoot

FETCHED = ".part"
CONVERTED = ".converted"
ORIGINAL = ".original"
FILM = ".film"
_SEGMENT = re.compile(r"\.film-(0|[1-9]\d{0,5})")
_LONGEST_ID = 18  # digits of a download's id
_STAT_BLOCK = 512  # what `st_blocks` counts, whatever the file system's blocks are


@dataclass(frozen=True, slots=True)
class PartFile:
    """The part file of one download.

    Only a regular file without further hard links counts: a link, a pipe or a hard link that was
    planted here is removed, never written through.

    Attributes:
        anchor: The device.
        suffix: Which of the download's part files it is.
    """

    anchor: DeviceRoot
    download_id: int
    suffix: str = FETCHED

    @property
    def path(self) -> Path:
        """Its path, for engines that write through another program."""
        return self.anchor.root.joinpath(*PARTS, self.name)

    @property
    def name(self) -> str:
        """Its name in the parts folder."""
        return f"{self.download_id}{self.suffix}"

    def open(self) -> BinaryIO:
        """Open it unbuffered for reading and writing; it is made if it is not there.

        Raises:
            errors.DeviceError: It cannot be made.
        """
        with self.anchor.translate_errors() as root, open_parts_folder(root) as parts:
            try:
                # A fresh one needs no look.
                descriptor = tree.create_file(self.name, parts)
            except FileExistsError:
                self._clear_away(parts)
                descriptor = tree.open_file(self.name, parts, os.O_RDWR | os.O_CREAT)
        return os.fdopen(descriptor, "r+b", buffering=0)

    def size(self) -> int | None:
        """Return its size in bytes; None if it is certainly not there."""
        facts = None
        with (
            self.anchor.translate_errors() as root,
            suppress(FileNotFoundError),
            tree.open_folder(root, PARTS) as parts,
        ):
            facts = self._stat(parts)
        if facts is None:
            self.anchor.check_place()
            return None
        return facts.st_size

    def read_allocated(self) -> int:
        """Return the bytes that it takes on the disk, preallocated ones included."""
        with (
            self.anchor.translate_errors() as root,
            suppress(FileNotFoundError),
            tree.open_folder(root, PARTS) as parts,
        ):
            facts = self._stat(parts)
            return facts.st_blocks * _STAT_BLOCK if facts is not None else 0
        return 0

    def remove(self) -> None:
        """Delete whatever has its name, unless it is a folder; nothing happens if there is none."""
        with (
            self.anchor.translate_errors() as root,
            suppress(FileNotFoundError, IsADirectoryError),
            tree.open_folder(root, PARTS) as parts,
        ):
            # Removing one name of a file with several leaves the file as it is.
            os.unlink(self.name, dir_fd=parts)

    def rename_to(self, other: PartFile) -> None:
        """Replace another part file of the same download by this one, durably.

        Raises:
            errors.DeviceError: It cannot be renamed.
        """
        with self.anchor.translate_errors() as root, open_parts_folder(root) as parts:
            os.rename(self.name, other.name, src_dir_fd=parts, dst_dir_fd=parts)
            os.fsync(parts)

    def _stat(self, parts: int) -> os.stat_result | None:
        try:
            facts = tree.stat_regular(self.name, parts)
        except FileExistsError:
            return None
        return facts if facts is not None and facts.st_nlink <= 1 else None

    def _clear_away(self, parts: int) -> None:
        try:
            facts = tree.stat_regular(self.name, parts)
        except FileExistsError:
            pass
        else:
            if facts is None or facts.st_nlink <= 1:
                return
        with suppress(FileNotFoundError):
            try:
                os.unlink(self.name, dir_fd=parts)
            except IsADirectoryError:
                os.rmdir(self.name, dir_fd=parts)


@dataclass(frozen=True, slots=True)
class FilmParts:
    """The converted segments of a film, and the record of those that are whole."""

    anchor: DeviceRoot
    download_id: int

    @property
    def record(self) -> PartFile:
        """The file that says which segments are whole."""
        return PartFile(self.anchor, self.download_id, FILM)

    def segment(self, number: int) -> PartFile:
        """Return the file of a segment; it need not be there yet."""
        return PartFile(self.anchor, self.download_id, f"{FILM}-{number}")

    def read_allocated(self) -> int:
        """Return the bytes that they take on the disk."""
        if self.record.size() is None:
            return 0
        return sum(one.read_allocated() for one in self._list())

    def clear(self) -> None:
        """Delete them all; the record first, so that it never names a segment that is gone."""
        self.record.remove()
        for one in self._list():
            one.remove()

    def _list(self) -> list[PartFile]:
        with self.anchor.translate_errors() as root, open_parts_folder(root) as parts:
            found = list_part_names(parts)
        return [
            PartFile(self.anchor, download_id, suffix)
            for download_id, suffix in found
            if download_id == self.download_id and is_of_film(suffix)
        ]


def is_of_film(suffix: str) -> bool:
    """Whether a part file belongs to the segments of a film."""
    return suffix == FILM or _SEGMENT.fullmatch(suffix) is not None


class open_parts_folder:  # noqa: N801 - used like a function
    """Open the parts folder; it is made if it is missing. A class: see `open_folder`."""

    __slots__ = ("_handle", "_root")

    def __init__(self, root: int) -> None:
        self._root = root

    def __enter__(self) -> int:
        """Return its handle."""
        try:
            self._handle = tree.open_folder(self._root, PARTS).__enter__()
        except FileNotFoundError:
            # Never the folder above it: without that the device is not ours.
            with tree.open_folder(self._root, (OURS,)) as ours:
                self._handle, _ = tree.make_folder(ours, PARTS[1:]).__enter__()
        return self._handle

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        os.close(self._handle)


def list_part_names(parts: int) -> list[tuple[int, str]]:
    """Return id and suffix of each part file in an open folder; other names are ignored."""
    found: list[tuple[int, str]] = []
    for name in os.listdir(parts):
        stem, dot, ending = name.rpartition(".")
        is_number = stem.isdecimal() and len(stem) <= _LONGEST_ID
        is_ours = is_number and stem == str(int(stem))
        suffix = dot + ending
        is_known = suffix in {FETCHED, CONVERTED, ORIGINAL} or is_of_film(suffix)
        if is_ours and is_known:
            found.append((int(stem), suffix))
    return sorted(found)
