"""Syncthing's `.stignore` in a device's root: reads it, and adds our line when a person asks.

The file belongs to the user. It is replaced atomically by one with one line more and the same
permissions; if somebody changes it at that moment, their change stays and nothing is written.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from sidecar.device import tree
from sidecar.device.own.marker import OURS
from sidecar.device.root import DeviceRoot
from sidecar.domain.syncthing.stignore import is_ignored, with_line
from sidecar.errors import DeviceError
from sidecar.messages import msg

NAME = ".stignore"
_DRAFT = "stignore.draft"
_LARGEST = 1024 * 1024
_USUAL_RIGHTS = 0o644


class IgnoreFile:
    """The file on one device. Every call raises `DeviceError` if the device cannot be used."""

    def __init__(self, anchor: DeviceRoot) -> None:
        self._anchor = anchor

    def is_there(self) -> bool:
        """Whether the file certainly excludes our folder from syncing.

        Raises:
            errors.DeviceError: `name-taken` if it is no regular text file.
        """
        self._anchor.check_place()
        with self._anchor.translate_errors() as root:
            content, _ = self._read(root)
        return is_ignored(content)

    def write(self) -> None:
        """Add our line, if it is not there.

        Raises:
            errors.DeviceError: `name-taken` if it is no regular text file, or is written to by
                somebody else just now.
        """
        self._anchor.check()
        with self._anchor.translate_errors() as root, tree.open_folder(root, (OURS,)) as ours:
            content, before = self._read(root)
            whole = with_line(content)
            if whole == content:
                return
            _write_draft(ours, whole, before)
            try:
                self._put(root, ours, before)
            except FileExistsError:
                with suppress(FileNotFoundError):
                    os.unlink(_DRAFT, dir_fd=ours)
                text = msg(
                    "{file} is being changed by something else: it was left alone; try again",
                    file=NAME,
                )
                raise DeviceError("name-taken", text) from None

    def _read(self, root: int) -> tuple[bytes, os.stat_result | None]:
        try:
            with os.fdopen(tree.open_file(NAME, root), "rb") as file:
                content = file.read(_LARGEST + 1)
                facts = os.fstat(file.fileno())
        except FileNotFoundError:
            return b"", None
        except FileExistsError:
            raise _unreadable_list() from None
        if len(content) > _LARGEST:
            raise _unreadable_list()
        return content, facts

    def _put(self, root: int, ours: int, before: os.stat_result | None) -> None:
        if before is None:
            tree.rename_new(_DRAFT, ours, NAME, root)
        else:
            now = tree.stat_regular(NAME, root)
            if now is None or _make_version(now) != _make_version(before):
                raise FileExistsError(NAME)
            os.replace(_DRAFT, NAME, src_dir_fd=ours, dst_dir_fd=root)
        tree.sync_file(NAME, root)
        os.fsync(root)


def _write_draft(ours: int, content: bytes, before: os.stat_result | None) -> None:
    descriptor = tree.open_draft(_DRAFT, ours)
    with os.fdopen(descriptor, "wb") as file:
        # FAT has no permissions, and only root may change a file's owner.
        with suppress(PermissionError):
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode) if before else _USUAL_RIGHTS)
        with suppress(PermissionError):
            if before is not None:
                os.fchown(descriptor, before.st_uid, before.st_gid)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _make_version(facts: os.stat_result) -> tuple[int, int, int]:
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _unreadable_list() -> DeviceError:
    text = msg(
        "{file} on the device is not a file that Syncthing could read: it was left alone", file=NAME
    )
    return DeviceError("name-taken", text)
