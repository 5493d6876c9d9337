"""Walks below one root by directory handles: no symlink is followed, no `..` leads out.

Knows nothing of devices; every error is the operating system's own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
RENAME_NOREPLACE = 1
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def parts_of(path: str) -> Sequence[str]:
    """Return the parts of a path below the root.

    Raises:
        ValueError: It leads out, is absolute or empty: never one of ours.
    """
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise ValueError(f"not a path below the root: {path!r}")
    return parts


@contextmanager
def folder(root: int, parts: Sequence[str]) -> Iterator[int]:
    """Open a folder below the root, part by part, and close it again."""
    handle = os.open(".", FOLDER, dir_fd=root)
    try:
        for part in parts:
            deeper = os.open(part, FOLDER, dir_fd=handle)
            os.close(handle)
            handle = deeper
        yield handle
    finally:
        os.close(handle)


@contextmanager
def made_folder(root: int, parts: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Open a folder, making what is missing; yields it and the paths that were made.

    Each folder that gets a new one inside is synced.
    """
    made: list[str] = []
    handle = os.open(".", FOLDER, dir_fd=root)
    try:
        for number, part in enumerate(parts):
            try:
                os.mkdir(part, 0o755, dir_fd=handle)
            except FileExistsError:
                pass
            else:
                made.append("/".join(parts[: number + 1]))
                os.fsync(handle)
            deeper = os.open(part, FOLDER, dir_fd=handle)
            os.close(handle)
            handle = deeper
        yield handle, made
    finally:
        os.close(handle)


def regular(name: str, handle: int) -> os.stat_result | None:
    """Return the facts of a regular file, None if nothing has this name.

    Raises:
        FileExistsError: Something else has the name: a folder, a link, a pipe.
    """
    try:
        facts = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        raise FileExistsError(errno.EEXIST, "not a regular file", name)
    return facts


def rename_new(old: str, old_folder: int, new: str, new_folder: int) -> None:
    """Rename a file to a name that nothing has.

    Raises:
        FileExistsError: Something has the name; nothing was changed.
    """
    code = _renameat2(old_folder, old.encode(), new_folder, new.encode(), RENAME_NOREPLACE)
    if code == 0:
        return
    if code not in _UNSUPPORTED:
        raise OSError(code, os.strerror(code), new)
    # A file system without the exclusive rename (FUSE, old FAT): look, then rename.
    try:
        os.stat(new, dir_fd=new_folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder)
        return
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)


def _renameat2(old_folder: int, old: bytes, new_folder: int, new: bytes, flags: int) -> int:
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return errno.ENOSYS
    return 0 if call(old_folder, old, new_folder, new, flags) == 0 else ctypes.get_errno()
