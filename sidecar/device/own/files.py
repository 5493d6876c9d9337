"""Small generated files on a device: the index page, the manifest, playlists, covers, lyrics.

    .sidecar/own.json     what we made: path, size, hash, and what it was made of

A file is replaced or removed only if it still is as we wrote it: others' files, and those that
somebody has changed since, stay. Files are replaced atomically; the same bytes are not written
again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from threading import Lock

import xxhash

from sidecar.bounded_json import read_json
from sidecar.device import tree
from sidecar.device.own import created_folders
from sidecar.device.own.marker import OURS
from sidecar.device.root import DeviceRoot
from sidecar.domain.space.space import round_to_blocks
from sidecar.errors import DeviceError
from sidecar.messages import msg

_RECORD = "own.json"
_DRAFT = "own.draft"
_BLOCK = 1024 * 1024
# A hundred thousand files with some text each; a larger record is not ours.
_LARGEST, _MOST_VALUES = 32 * 1024 * 1024, 600_000
_LONGEST_HASH = 64
_MOST_NAMES = 100_000
# We write no file as large: one that is need not be hashed to know that it is not ours.
_LARGEST_OWN = 256 * 1024 * 1024
_NO_FILE = 2**63


@dataclass(frozen=True, slots=True)
class _Made:
    """A file as we wrote it; while it is replaced, `hashes` has the old and the new one.

    Attributes:
        made_of: Names what it was made of, if that was said; empty while it is replaced.
    """

    size: int
    hashes: tuple[str, ...]
    made_of: str = ""


class OwnFiles:
    """The generated files of one device. Safe for many threads.

    Every call raises `DeviceError` if the device cannot be used.
    """

    def __init__(self, anchor: DeviceRoot, shaping: Lock) -> None:
        """Prepare.

        Args:
            anchor: The device.
            shaping: Held while folders are made and pruned.
        """
        self._anchor = anchor
        self._shaping = shaping
        self._lock = Lock()
        self._record: dict[str, _Made] | None = None

    def put(
        self, path: str, content: bytes, *, over: bytes | None = None, made_of: str = ""
    ) -> bool:
        """Write a file if it does not have these bytes already.

        Args:
            path: Below the root; missing folders are made.
            content: The whole file.
            over: What somebody made of the file, and what may be replaced if it still is that.
            made_of: Names what the content was made of, for `is_made_of`.

        Returns:
            Whether anything was written.

        Raises:
            errors.DeviceError: `name-taken` if something that is not ours has the name.
        """
        *folders, name = tree.split_path(path)
        wanted = _digest(content)
        self._anchor.check_place()
        with (
            self._lock,
            self._anchor.translate_errors() as root,
            self._make_folder(root, folders, path) as handle,
        ):
            record = self._read_known(root)
            there = self._read_size(name, handle, path)
            known = record.get(path, _Made(0, ()))
            made = _Made(len(content), (wanted,), made_of)
            is_same = there == len(content) and known.hashes[-1:] == (wanted,)
            if is_same and over in {None, content}:
                if known.made_of != made_of:
                    self._note(root, record | {path: made})
                return False
            if there is not None:
                may_go = known.hashes if over is None else (*known.hashes, _digest(over))
                if _hash_of(name, handle) not in may_go:
                    raise _name_taken(path)
            self._note(root, record | {path: _Made(len(content), (*known.hashes[-1:], wanted))})
            with tree.open_folder(root, (OURS,)) as ours:
                _write(ours, _DRAFT, content)
                self._rename(ours, name, handle, path, is_new=there is None)
            os.fsync(handle)
            self._note(root, record | {path: made})
        return True

    def is_made_of(self, path: str, made_of: str) -> bool:
        """Whether a file is there as `put` left it, as far as its size tells, and of just that."""
        *folders, name = tree.split_path(path)
        self._anchor.check_place()
        with self._lock, self._anchor.translate_errors() as root:
            known = self._read_known(root).get(path)
            if known is None or known.made_of != made_of:
                return False
            with (
                suppress(FileNotFoundError, FileExistsError, NotADirectoryError),
                tree.open_folder(root, folders) as handle,
            ):
                facts = tree.stat_regular(name, handle)
                return facts is not None and facts.st_size == known.size
            return False

    def remove(self, path: str) -> bool:
        """Remove a file if it is ours, and the folders we made that are empty then.

        Returns:
            Whether it was there and is gone.
        """
        *folders, name = tree.split_path(path)
        self._anchor.check_place()
        with self._lock, self._anchor.translate_errors() as root:
            record = self._read_known(root)
            known = record.get(path)
            if known is None:
                return False
            is_gone = False
            with suppress(FileNotFoundError, FileExistsError, NotADirectoryError), self._shaping:
                with tree.open_folder(root, folders) as handle:
                    is_gone = _is_removed(name, handle, known)
                created_folders.prune(root, folders)
            self._note(root, {there: one for there, one in record.items() if there != path})
            return is_gone

    def strangers(self, folder: str) -> Sequence[str]:
        """Return the paths of everything in a folder that is no generated file; "" is the root.

        Folders and downloads are among them.
        """
        with self._lock, self._anchor.translate_errors() as root:
            ours = self._read_known(root)
            parts = tree.split_path(folder) if folder else ()
            try:
                with tree.open_folder(root, parts) as handle, os.scandir(handle) as entries:
                    names = [one.name for one in islice(entries, _MOST_NAMES)]
            except (FileNotFoundError, NotADirectoryError):
                return []
        above = f"{folder}/" if folder else ""
        return [path for path in (f"{above}{name}" for name in sorted(names)) if path not in ours]

    def names(self) -> Sequence[str]:
        """Return the paths of all generated files."""
        with self._lock, self._anchor.translate_errors() as root:
            return list(self._read_known(root))

    def count_bytes(self, block: int) -> int:
        """Return the bytes that the files take on a file system with blocks of this size."""
        with self._lock, self._anchor.translate_errors() as root:
            return sum(round_to_blocks(one.size, block) for one in self._read_known(root).values())

    @contextmanager
    def _make_folder(self, root: int, folders: Sequence[str], path: str) -> Iterator[int]:
        """Open a folder, making what is missing; it is not pruned meanwhile."""
        with self._shaping, ExitStack() as opened:
            try:
                handle, fresh = opened.enter_context(tree.make_folder(root, folders))
            except OSError as error:
                raise _explain_name(error, path) from None
            created_folders.remember_folder(root, fresh)
            tree.sync_above(root, fresh)
            yield handle

    def _read_known(self, root: int) -> dict[str, _Made]:
        if self._record is None:
            self._record = _read(root)
        return self._record

    def _note(self, root: int, record: dict[str, _Made]) -> None:
        self._record = None
        told = {
            path: {"size": one.size, "hashes": one.hashes}
            | ({"made_of": one.made_of} if one.made_of else {})
            for path, one in record.items()
        }
        with tree.open_folder(root, (OURS,)) as ours:
            _write(ours, f"{_RECORD}.draft", json.dumps(told, indent=1).encode())
            os.replace(f"{_RECORD}.draft", _RECORD, src_dir_fd=ours, dst_dir_fd=ours)
            os.fsync(ours)
        self._record = record

    def _read_size(self, name: str, handle: int, path: str) -> int | None:
        try:
            facts = tree.stat_regular(name, handle)
        except OSError as error:
            raise _explain_name(error, path) from None
        return None if facts is None else facts.st_size

    def _rename(self, ours: int, name: str, handle: int, path: str, *, is_new: bool) -> None:
        if not is_new:
            os.replace(_DRAFT, name, src_dir_fd=ours, dst_dir_fd=handle)
        else:
            try:
                tree.rename_new(_DRAFT, ours, name, handle)
            except OSError as error:
                raise _explain_name(error, path) from None
        # On FAT a renamed file lasts only once it is synced again.
        tree.sync_file(name, handle)


def _read(root: int) -> dict[str, _Made]:
    """Read the record; one that is lost or damaged means that no file is known to be ours.

    The content is untrusted: entries that cannot be ours are ignored.
    """
    try:
        with (
            tree.open_folder(root, (OURS,)) as ours,
            os.fdopen(tree.open_file(_RECORD, ours), "rb") as file,
        ):
            content = file.read(_LARGEST + 1)
        told = read_json(content, most_bytes=_LARGEST, most_values=_MOST_VALUES)
    except (FileNotFoundError, FileExistsError, NotADirectoryError, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {path: made for path, one in told.items() if tree.is_place(path) and (made := _one(one))}


def _one(told: object) -> _Made | None:
    """Parse the entry of one file; None if we would not write such an entry."""
    if not isinstance(told, dict):
        return None
    size, hashes = told.get("size"), told.get("hashes")
    if type(size) is not int or not 0 <= size < _NO_FILE or not isinstance(hashes, list):
        return None
    made_of = told.get("made_of", "")
    if not all(isinstance(one, str) and len(one) <= _LONGEST_HASH for one in (made_of, *hashes)):
        return None
    return _Made(size, tuple(hashes), made_of)


def _is_removed(name: str, handle: int, known: _Made) -> bool:
    """Remove a file that still is as we wrote it; return whether it is gone."""
    if _hash_of(name, handle) not in known.hashes:
        return False
    os.unlink(name, dir_fd=handle)
    os.fsync(handle)
    return True


def _write(ours: int, name: str, content: bytes) -> None:
    descriptor = tree.open_draft(name, ours)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _digest(content: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(content)


def _hash_of(name: str, handle: int) -> str:
    digest = xxhash.xxh3_128()
    with os.fdopen(tree.open_file(name, handle), "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size > _LARGEST_OWN:
            return ""
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _explain_name(error: OSError, path: str) -> DeviceError:
    """Return what is told of an error that is about a name; raise any other."""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return _name_taken(path)
    if not tree.is_name_refused(error):
        raise error
    return DeviceError("name-taken", msg("The device does not take the name {path}", path=path))


def _name_taken(path: str) -> DeviceError:
    text = msg("Another file has the name {path}: it is left alone", path=path)
    return DeviceError("name-taken", text)
