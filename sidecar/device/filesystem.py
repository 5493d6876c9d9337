"""What kind of file system a folder lies on, as far as it limits what we may write there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sidecar.domain.space.space import Space

FAT_LARGEST_FILE = 2**32 - 1
_USUAL_BLOCK = 4096
_MOUNTS = Path("/proc/self/mountinfo")
_FAT = frozenset({"vfat", "msdos"})
# A rename there is one transaction: after a power cut a file has its old name or its new one.
_JOURNALLED = frozenset({"ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "tmpfs"})


@dataclass(frozen=True, slots=True)
class FileSystem:
    """Its type as the kernel names it; `unknown` if it cannot be told."""

    kind: str

    @property
    def largest_file(self) -> int | None:
        """The most that one file may hold, in bytes; None means no limit worth knowing."""
        return FAT_LARGEST_FILE if self.kind in _FAT else None

    @property
    def renames_at_once(self) -> bool:
        """Whether no power cut can leave a renamed file under both names."""
        return self.kind in _JOURNALLED


def read_file_system(handle: int) -> FileSystem:
    """Return the type of the file system that an open folder lies on."""
    device = os.fstat(handle).st_dev
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return FileSystem("unknown")
    return FileSystem(find_kind(mounts, f"{os.major(device)}:{os.minor(device)}"))


def find_kind(mounts: str, device: str) -> str:
    """Find the type of `major:minor` in the text of `/proc/self/mountinfo`."""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if after and before.split()[2:3] == [device]:
            return after.split()[0]
    return "unknown"


def read_space(handle: int, kind: FileSystem) -> Space:
    """Return the room of the file system that an open folder lies on.

    One that can hold no more files, however small, has no room.
    """
    facts = os.fstatvfs(handle)
    block = facts.f_frsize or facts.f_bsize or _USUAL_BLOCK
    takes_no_more_files = facts.f_files > 0 and facts.f_favail == 0
    return Space(
        total=facts.f_blocks * block,
        free=0 if takes_no_more_files else facts.f_bavail * block,
        block=block,
        largest_file=kind.largest_file,
    )
