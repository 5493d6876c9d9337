"""Part files: what a download has so far, hidden on the device that its file will be on."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sidecar.device import tree
from sidecar.device.marker import OURS

PARTS = (OURS, "parts")
PART_SUFFIX = ".part"


@dataclass(frozen=True, slots=True)
class PartFile:
    """The part file of one download."""

    root: Path
    working: Callable[[], AbstractContextManager[int]]
    download_id: int

    @property
    def path(self) -> Path:
        """Where it is: for engines that write through another program."""
        return self.root.joinpath(*PARTS, self._name)

    def open(self) -> BinaryIO:
        """Open it unbuffered for reading and writing; it is made if it is not there."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with self.working() as root, tree.made_folder(root, PARTS) as (handle, _):
            # A link, pipe or folder planted here is nothing of ours: never written through.
            tree.regular(self._name, handle)
            descriptor = os.open(self._name, flags, 0o644, dir_fd=handle)
        return open(descriptor, "r+b", buffering=0)  # noqa: PTH123 - a descriptor

    def size(self) -> int | None:
        """Return its bytes, None if there is none."""
        with self.working() as root, tree.made_folder(root, PARTS) as (handle, _):
            facts = tree.regular(self._name, handle)
        return None if facts is None else facts.st_size

    def remove(self) -> None:
        """Delete it; nothing happens if there is none."""
        with self.working() as root, tree.made_folder(root, PARTS) as (handle, _):
            if tree.regular(self._name, handle) is not None:
                os.unlink(self._name, dir_fd=handle)

    @property
    def _name(self) -> str:
        return f"{self.download_id}{PART_SUFFIX}"
