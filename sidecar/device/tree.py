"""File operations below one root by directory handles: no symlink is followed, no `..` leads out.

It does not know about devices; every error is the operating system's own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Sequence
from functools import cache

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a planted pipe must not wait for its other end.
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_RENAME_NOREPLACE = 1
# No file system that we know allows longer names, and no real library is deeper.
_LONGEST_NAME, _DEEPEST = 255, 40
_NO_PARTS = frozenset({"", ".", ".."})
# `openat2`: a whole path by one call, and no link on it is followed. One number on all machines.
_OPENAT2 = 437
_BENEATH_WITHOUT_LINKS = 0x08 | 0x04
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_NO_LINKS = _UNSUPPORTED | {errno.EPERM, errno.EMLINK}


def split_path(path: str) -> Sequence[str]:
    """Return the parts of a path below the root.

    Raises:
        ValueError: It leads out, is absolute or empty.
    """
    parts = path.split("/")
    if not _NO_PARTS.isdisjoint(parts) or "\0" in path:
        raise ValueError(f"not a path below the root: {path!r}")
    return parts


def is_place(path: str) -> bool:
    """Whether an untrusted path can be that of a file below the root."""
    try:
        parts = split_path(path)
        return len(parts) <= _DEEPEST and all(len(one.encode()) <= _LONGEST_NAME for one in parts)
    except ValueError:  # a lone surrogate
        return False


class open_folder:  # noqa: N801 - used like a function
    """Open a folder below the root, part by part; it is closed at the end.

    A class, as ten are opened for each file: with a generator it takes thrice as long.

    Raises:
        NotADirectoryError: A part is a link or a file.
    """

    __slots__ = ("_handle", "_parts", "_root")

    def __init__(self, root: int, parts: Sequence[str]) -> None:
        self._root = root
        self._parts = parts

    def __enter__(self) -> int:
        """Return its handle."""
        self._handle = _walk(self._root, self._parts)
        return self._handle

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        if self._handle != self._root:
            os.close(self._handle)


class _How(ctypes.Structure):
    """What `openat2` is told."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


_FOLDER_HOW = _How(FOLDER, 0, _BENEATH_WITHOUT_LINKS)


class HasBothNames(OSError):
    """A file has its new name and may still have the old one as well."""


class make_folder:  # noqa: N801 - used like a function
    """Open a folder, making what is missing; yield it and the paths that were made, topmost first.

    What was made is durable only after `sync_above`. A class: see `open_folder`.
    """

    __slots__ = ("_handle", "_made", "_parts", "_root")

    def __init__(self, root: int, parts: Sequence[str]) -> None:
        self._root = root
        self._parts = parts
        self._made: list[str] = []

    def __enter__(self) -> tuple[int, list[str]]:
        """Return its handle, and what was made."""
        self._handle = _walk(self._root, self._parts, self._make)
        return self._handle, self._made

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        if self._handle != self._root:
            os.close(self._handle)

    def _make(self, number: int, handle: int) -> None:
        try:
            os.mkdir(self._parts[number], 0o755, dir_fd=handle)
        except FileExistsError:
            return
        self._made.append("/".join(self._parts[: number + 1]))


def is_name_refused(error: OSError) -> bool:
    """Whether an error of making or renaming something says that its name cannot be used there."""
    return error.errno in {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}


def sync_above(root: int, paths: Sequence[str]) -> None:
    """Make these folders durable: sync each of their parent folders."""
    for path in paths:
        with open_folder(root, split_path(path)[:-1]) as above:
            os.fsync(above)


def stat_regular(name: str, handle: int) -> os.stat_result | None:
    """Return the facts of a regular file, None if nothing has this name.

    Raises:
        FileExistsError: Something else has the name: a folder, a link, a pipe.
    """
    try:
        facts = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        raise _not_regular_error(name)
    return facts


def open_file(name: str, handle: int, flags: int = os.O_RDONLY) -> int:
    """Open a regular file and return its descriptor.

    Raises:
        FileExistsError: Something else has the name: a folder, a link, a pipe.
    """
    try:
        descriptor = os.open(name, flags | _FILE, 0o644, dir_fd=handle)
    except OSError as error:
        # The errors for a link, a folder and a pipe without a reader.
        if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO} and _exists(name, handle):
            raise _not_regular_error(name) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular_error(name)
    return descriptor


def create_file(name: str, handle: int) -> int:
    """Make a regular file, open it for reading and writing and return its descriptor.

    Raises:
        FileExistsError: Something has the name.
    """
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FILE, 0o644, dir_fd=handle)


def open_draft(name: str, handle: int) -> int:
    """Make a file anew, open it for writing and return its descriptor.

    What has the name is removed before, not written through: it may be another name of a file that
    has to stay, as after a crash within `rename_new`.
    """
    try:
        return create_file(name, handle)
    except FileExistsError:
        os.unlink(name, dir_fd=handle)
        return create_file(name, handle)


def sync_file(name: str, handle: int) -> None:
    """Sync a regular file, opened by its current name."""
    descriptor = open_file(name, handle)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_same_file(one: str, folder: int, other: str, other_folder: int) -> bool:
    """Whether two names are one and the same file, and not two links to it."""
    facts, others = stat_regular(one, folder), stat_regular(other, other_folder)
    if facts is None or others is None:
        return False
    return os.path.samestat(facts, others) and facts.st_nlink == 1


def rename_new(old: str, old_folder: int, new: str, new_folder: int) -> None:
    """Rename a file to a name that is not in use.

    Raises:
        FileExistsError: Something has the name; nothing was changed.
        HasBothNames: Neither of the two could be taken away.
    """
    code = _renameat2(old_folder, old, new_folder, new)
    if code == 0:
        return
    if code not in _UNSUPPORTED:
        raise OSError(code, os.strerror(code), new)
    _rename_without_kernel_help(old, old_folder, new, new_folder)


def _rename_without_kernel_help(old: str, old_folder: int, new: str, new_folder: int) -> None:
    """Rename by a hard link, which replaces nothing; without links, check and then rename."""
    try:
        os.link(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        try:
            os.unlink(old, dir_fd=old_folder)
        except OSError as error:
            try:
                os.unlink(new, dir_fd=new_folder)
            except OSError:
                raise HasBothNames(error.errno, error.strerror, new) from error
            raise
        return
    if _exists(new, new_folder):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    os.rename(old, new, src_dir_fd=old_folder, dst_dir_fd=new_folder)


def _walk(root: int, parts: Sequence[str], make: Callable[[int, int], object] | None = None) -> int:
    """Return the handle of a folder, which is the root's own if there are no parts."""
    if len(parts) > 1 and (found := _open_at_once(root, parts)) is not None:
        return found
    here = root
    for number, part in enumerate(parts):
        try:
            try:
                deeper = os.open(part, FOLDER, dir_fd=here)
            except FileNotFoundError:
                if make is None:
                    raise
                make(number, here)
                deeper = os.open(part, FOLDER, dir_fd=here)
        finally:
            if here != root:
                os.close(here)
        here = deeper
    return here


def _open_at_once(root: int, parts: Sequence[str]) -> int | None:
    """Return the handle of a folder; None where the kernel cannot, or `_walk` finds out why not."""
    path = os.fsencode("/".join(parts))
    size = ctypes.sizeof(_FOLDER_HOW)
    handle: int = _load_libc().syscall(_OPENAT2, root, path, ctypes.byref(_FOLDER_HOW), size)
    return handle if handle >= 0 else None


def _exists(name: str, handle: int) -> bool:
    try:
        os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _not_regular_error(name: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "not a regular file", name)


@cache
def _load_libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _renameat2(old_folder: int, old: str, new_folder: int, new: str) -> int:
    call = getattr(_load_libc(), "renameat2", None)
    if call is None:
        return errno.ENOSYS
    names = os.fsencode(old), os.fsencode(new)
    failed = call(old_folder, names[0], new_folder, names[1], _RENAME_NOREPLACE)
    return ctypes.get_errno() if failed else 0
