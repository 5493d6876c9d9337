"""Reads and replaces the bookmark files and the database's changelog of a music player.

They are the player's: one is replaced in whole only, and only if it still is as it was read. A
crash at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from threading import Lock

from sidecar.device import tree
from sidecar.device.own.marker import OURS
from sidecar.device.root import DeviceRoot
from sidecar.domain.player_logs.bookmarks import ENDING
from sidecar.errors import DeviceError
from sidecar.messages import msg

_DRAFT = "player.draft"
_MOST_NAMES = 20_000
_MOST_FILES = 2000


@dataclass(frozen=True, slots=True)
class PlayerFile:
    """A file of the player: its path below the root, its bytes, its date."""

    path: str
    content: bytes
    changed_at: datetime


class PlayerFiles:
    """The player's files on one device. Every call raises `DeviceError` if it cannot be used."""

    def __init__(self, anchor: DeviceRoot, shaping: Lock) -> None:
        """Prepare.

        Args:
            anchor: The root of the device.
            shaping: Held while folders must stay.
        """
        self._anchor = anchor
        self._shaping = shaping

    def bookmark_files(self, folders: Iterable[str]) -> list[str]:
        """Return the paths of the bookmark files in these folders; "" is the root."""
        return list(islice(self._bookmark_files(folders), _MOST_FILES))

    def _bookmark_files(self, folders: Iterable[str]) -> Iterator[str]:
        with self._anchor.translate_errors() as root:
            for folder in folders:
                parts = tree.split_path(folder) if folder else ()
                try:
                    with tree.open_folder(root, parts) as handle, os.scandir(handle) as entries:
                        names = [one.name for one in islice(entries, _MOST_NAMES)]
                except (FileNotFoundError, NotADirectoryError):
                    continue
                above = f"{folder}/" if folder else ""
                for name in sorted(names):
                    path = f"{above}{name}"
                    if name.casefold().endswith(ENDING) and tree.is_place(path):
                        yield path

    def read(self, path: str, *, most: int) -> PlayerFile | None:
        """Return a file; None if it is not there, or larger than this many bytes."""
        *folders, name = tree.split_path(path)
        with self._anchor.translate_errors() as root:
            try:
                with (
                    tree.open_folder(root, folders) as handle,
                    os.fdopen(tree.open_file(name, handle), "rb") as file,
                ):
                    content = file.read(most + 1)
                    told = os.fstat(file.fileno()).st_mtime
            except (FileNotFoundError, NotADirectoryError, FileExistsError):
                return None
        if len(content) > most:
            return None
        try:
            changed_at = datetime.fromtimestamp(told, UTC)
        except (OverflowError, ValueError, OSError):
            changed_at = datetime.fromtimestamp(0, UTC)
        return PlayerFile(path, content, changed_at)

    def is_there(self, path: str) -> bool:
        """Whether anything has this name; also what cannot be read."""
        *folders, name = tree.split_path(path)
        with self._anchor.translate_errors() as root:
            try:
                with tree.open_folder(root, folders) as handle:
                    os.stat(name, dir_fd=handle, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def replace(self, path: str, before: bytes | None, content: bytes) -> None:
        """Replace a file durably: written beside it, synced, renamed.

        Args:
            path: Of the file; its folder is there.
            before: What it was when it was read; None if there was none.
            content: The new file.

        Raises:
            errors.DeviceError: It is not as it was read; nothing was changed.
        """
        *folders, name = tree.split_path(path)
        self._anchor.check()
        with (
            self._anchor.translate_errors() as root,
            tree.open_folder(root, (OURS,)) as ours,
            self._shaping,
            tree.open_folder(root, folders) as handle,
        ):
            descriptor = tree.open_draft(_DRAFT, ours)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            if _content_of(name, handle, most=len(before or b"") + 1) != before:
                os.unlink(_DRAFT, dir_fd=ours)
                raise _changed(path)
            if before is None:
                try:
                    tree.rename_new(_DRAFT, ours, name, handle)
                except FileExistsError:
                    raise _changed(path) from None
            else:
                os.replace(_DRAFT, name, src_dir_fd=ours, dst_dir_fd=handle)
            if not self._anchor.file_system.renames_at_once:
                os.fsync(ours)
            # On FAT a renamed file lasts only once it is synced again.
            tree.sync_file(name, handle)
            os.fsync(handle)


def _content_of(name: str, handle: int, *, most: int) -> bytes | None:
    with (
        suppress(FileNotFoundError, FileExistsError),
        os.fdopen(tree.open_file(name, handle), "rb") as file,
    ):
        return file.read(most)
    return None


def _changed(path: str) -> DeviceError:
    text = msg("{path} has changed meanwhile: it is left alone", path=path)
    return DeviceError("changed", text)
