"""Creates the sidecar's own files and folders so that only its user can read them.

Works whatever the umask is. Not for files on devices: other users may read those.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_folder(path: Path) -> None:
    """Create a folder if it does not exist, and remove the permissions of others.

    Raises:
        OSError: It cannot be created.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_others_out(path)


def keep_others_out(path: Path) -> None:
    """Remove the permissions of everybody but the owner from a file or folder.

    Does nothing if this is not allowed (another owner) or not supported (the file system).
    """
    with suppress(OSError):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & OTHERS and not path.is_symlink():
            path.chmod(mode & ~OTHERS)


def write(path: Path, body: bytes) -> None:
    """Write a new file that only its owner can read.

    Raises:
        OSError: It cannot be written, or exists already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
