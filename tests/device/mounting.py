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
    run("mount", *options)


def unmount(place: Path) -> None:
    """Take the newest mount away as pulling a stick does: whatever is open on it."""
    run("umount", "--lazy", place)


def mount_memory(place: Path, *, options: str = "size=4m") -> None:
    """Mount a fresh tmpfs."""
    mount("-t", "tmpfs", "-o", options, "tmpfs", str(place))


@contextmanager
def mounts_taken_down(place: Path) -> Iterator[Path]:
    """Give a mount point, and unmount whatever is still mounted there at the end."""
    place.mkdir()
    try:
        yield place
    finally:
        while os.path.ismount(place):
            unmount(place)


@contextmanager
def windows_disk(place: Path, image: Path) -> Iterator[None]:
    """Mount an NTFS of 64 MiB that takes only what Windows takes, and no case for another."""
    needs("mkntfs", "lowntfs-3g")
    image.write_bytes(b"")
    os.truncate(image, 64 * 1024 * 1024)
    run("mkntfs", "-q", "-F", "-f", image)
    run("lowntfs-3g", "-o", "windows_names,ignore_case", image, place)
    try:
        yield
    finally:
        run("umount", place)


@contextmanager
def exfat_disk(place: Path, image: Path) -> Iterator[None]:
    """Mount an exFAT of 64 MiB: no links, no exclusive rename."""
    needs("mkfs.exfat", "mount.exfat-fuse", "losetup")
    image.write_bytes(b"")
    os.truncate(image, 64 * 1024 * 1024)
    run("mkfs.exfat", image)
    with loop_device(image) as loop:
        run("mount.exfat-fuse", loop, place)
        try:
            yield
        finally:
            run("umount", place)


@contextmanager
def breakable_disk(place: Path, image: Path) -> Iterator[Path]:
    """Mount an ext4 of 16 MiB; gives the file to write to so that the kernel finds damage."""
    needs("mkfs.ext4", "losetup")
    image.write_bytes(b"")
    os.truncate(image, 16 * 1024 * 1024)
    run("mkfs.ext4", "-q", image)
    with loop_device(image) as loop:
        mount("-o", "errors=remount-ro", str(loop), str(place))
        try:
            yield Path("/sys/fs/ext4") / loop.name / "trigger_fs_error"
        finally:
            unmount(place)


@contextmanager
def loop_device(image: Path) -> Iterator[Path]:
    """Make an image a block device."""
    found = subprocess.run(
        ["losetup", "--find", "--show", image], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("needs a loop device")
    loop = Path(found.stdout.strip())
    try:
        yield loop
    finally:
        run("losetup", "--detach", loop)


def needs(*tools: str) -> None:
    """Skip the test where a program is not installed."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")


def run(*command: str | Path) -> None:
    """Run a program that must succeed."""
    subprocess.run(command, check=True, capture_output=True)
