"""Files and folders of our own, which nobody else on the machine may read, whatever the umask.

Not those on devices: they are for others.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_folder(path: Path) -> None:
    """Make a folder if there is none, and keep others out of it.

    Raises:
        OSError: It cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_others_out(path)


def keep_others_out(path: Path) -> None:
    """Take the rights to a file or folder from everybody but its owner.

    What belongs to somebody else, or lies where there are no rights, stays as it is.
    """
    with suppress(OSError):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & OTHERS and not path.is_symlink():
            path.chmod(mode & ~OTHERS)


def write(path: Path, body: bytes) -> None:
    """Write a new file.

    Raises:
        OSError: It cannot be written, or is there already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
