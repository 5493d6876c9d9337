"""The folders on a device that we made, one path a line: only these are ever pruned.

It is written without a sync: after a lost or torn line only an empty folder stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from sidecar.device import tree
from sidecar.device.own.marker import OURS

MADE = "made.txt"
_DRAFT = f"{MADE}.draft"
# Tens of thousands of folders; the rest is ignored.
_LARGEST = 8 * 1024 * 1024


def remember_folder(root: int, paths: Iterable[str]) -> None:
    """Note that these folders are ours."""
    # The leading line end separates these from a line that a power cut tore.
    lines = "".join(f"\n{path}" for path in paths)
    if lines:
        with tree.open_folder(root, (OURS,)) as ours:
            _write(tree.open_file(MADE, ours, os.O_WRONLY | os.O_CREAT | os.O_APPEND), f"{lines}\n")


def prune(root: int, folders: Sequence[str]) -> None:
    """Remove the folder and those above it, as far as they are empty and ours."""
    made = _read_list(root)
    gone: set[str] = set()
    for depth in range(len(folders), 0, -1):
        path = "/".join(folders[:depth])
        if path not in made or not _is_removed(root, folders[:depth]):
            break
        gone.add(path)
    if gone:
        left = "".join(f"{path}\n" for path in made if path not in gone)
        with tree.open_folder(root, (OURS,)) as ours:
            _write(tree.open_draft(_DRAFT, ours), left)
            os.replace(_DRAFT, MADE, src_dir_fd=ours, dst_dir_fd=ours)


def _is_removed(root: int, folders: Sequence[str]) -> bool:
    with tree.open_folder(root, folders[:-1]) as above:
        try:
            os.rmdir(folders[-1], dir_fd=above)
        except OSError:
            return False  # something is in it, or it is in use
        os.fsync(above)
    return True


def _read_list(root: int) -> list[str]:
    with (
        suppress(FileNotFoundError),
        tree.open_folder(root, (OURS,)) as ours,
        os.fdopen(tree.open_file(MADE, ours), "rb") as file,
    ):
        lines = file.read(_LARGEST).decode("utf-8", "replace").split("\n")
        return list(dict.fromkeys(filter(tree.is_place, lines)))
    return []


def _write(descriptor: int, text: str) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
