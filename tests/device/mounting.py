"""Real small file systems for the tests that need one to fill up, go away or break."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


def mount(*options: str) -> None:
    """Mount something."""
    subprocess.run(["mount", *options], check=True, capture_output=True)


def unmount(place: Path) -> None:
    """Take the newest mount away as pulling a stick does: whatever is open on it."""
    subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)


def mount_memory(place: Path, *, options: str = "size=4m") -> None:
    """Mount a fresh tmpfs."""
    mount("-t", "tmpfs", "-o", options, "tmpfs", str(place))


@contextmanager
def mounts_taken_down(place: Path) -> Iterator[Path]:
    """Give a mount point, and unmount whatever is still mounted there at the end."""
    place.mkdir()
    yield place
    while os.path.ismount(place):
        unmount(place)


@contextmanager
def breakable_disk(place: Path, image: Path) -> Iterator[Path]:
    """Mount an ext4 of 16 MiB; gives the file to write to so that the kernel finds damage."""
    for tool in ("mkfs.ext4", "losetup"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    image.write_bytes(b"")
    os.truncate(image, 16 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    found = subprocess.run(
        ["losetup", "--find", "--show", image], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("needs a loop device")
    loop = Path(found.stdout.strip())
    try:
        mount("-o", "errors=remount-ro", str(loop), str(place))
        trigger = Path("/sys/fs/ext4") / loop.name / "trigger_fs_error"
        yield trigger
    finally:
        unmount(place)
        subprocess.run(["losetup", "--detach", loop], check=True, capture_output=True)
