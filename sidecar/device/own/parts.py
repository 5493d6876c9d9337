"""Part files: what a download has so far, hidden on the device that its file will be on.

17.part         what has been fetched
17.converted    what is being made of it, on a device that takes another format
17.original     what was fetched, after its file was made of it, where that is wanted
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sidecar.device import tree
from sidecar.device.own.marker import OURS, PARTS
from sidecar.device.root import DeviceRoot

FETCHED = ".part"
CONVERTED = ".converted"
ORIGINAL = ".original"
_LONGEST_ID = 18  # digits that a row's id may have
_STAT_BLOCK = 512  # what `st_blocks` counts, whatever the file system's blocks are


@dataclass(frozen=True, slots=True)
class PartFile:
    """The part file of one download.

    Only a regular file that has no other name counts: a link, a pipe or a second name of somebody's
    file that was planted here is taken away, never written through.

    Attributes:
        anchor: The device.
        suffix: Which of the download's part files it is.
    """

    anchor: DeviceRoot
    download_id: int
    suffix: str = FETCHED

    @property
    def path(self) -> Path:
        """Where it is: for engines that write through another program."""
        return self.anchor.root.joinpath(*PARTS, self.name)

    @property
    def name(self) -> str:
        """Its name in the folder of the parts."""
        return f"{self.download_id}{self.suffix}"

    def open(self) -> BinaryIO:
        """Open it unbuffered for reading and writing; it is made if it is not there.

        Raises:
            errors.DeviceError: It cannot be made.
        """
        with self.anchor.translate_errors() as root, open_parts_folder(root) as parts:
            self._clear_away(parts)
            descriptor = tree.open_file(self.name, parts, os.O_RDWR | os.O_CREAT)
        return os.fdopen(descriptor, "r+b", buffering=0)

    def size(self) -> int | None:
        """Return its bytes, None if there is surely none."""
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
        """Return the bytes that it takes on the disk, those set aside for it included."""
        with (
            self.anchor.translate_errors() as root,
            suppress(FileNotFoundError),
            tree.open_folder(root, PARTS) as parts,
        ):
            facts = self._stat(parts)
            return facts.st_blocks * _STAT_BLOCK if facts is not None else 0
        return 0

    def remove(self) -> None:
        """Delete it, or whatever has its name but a folder; nothing happens if there is none."""
        with (
            self.anchor.translate_errors() as root,
            suppress(FileNotFoundError, IsADirectoryError),
            tree.open_folder(root, PARTS) as parts,
        ):
            # Taking one name away never harms a file that has another.
            os.unlink(self.name, dir_fd=parts)

    def rename_to(self, other: PartFile) -> None:
        """Take the name of another part file of the same download, for good; that one is gone.

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
        if self._stat(parts) is not None:
            return
        with suppress(FileNotFoundError):
            try:
                os.unlink(self.name, dir_fd=parts)
            except IsADirectoryError:
                os.rmdir(self.name, dir_fd=parts)


@contextmanager
def open_parts_folder(root: int) -> Iterator[int]:
    """Open the folder of the parts; it is made if a device of ours has none."""
    with tree.open_folder(root, (OURS,)) as ours, tree.make_folder(ours, PARTS[1:]) as (parts, _):
        yield parts


def list_part_names(parts: int) -> list[tuple[int, str]]:
    """Return whose part files are in an open folder, and which; other names are passed over."""
    found: list[tuple[int, str]] = []
    for name in os.listdir(parts):
        stem, dot, ending = name.rpartition(".")
        is_number = stem.isdecimal() and len(stem) <= _LONGEST_ID
        is_ours = is_number and stem == str(int(stem))
        if is_ours and dot + ending in {FETCHED, CONVERTED, ORIGINAL}:
            found.append((int(stem), dot + ending))
    return sorted(found)
