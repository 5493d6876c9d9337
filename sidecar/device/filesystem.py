"""What kind of file system a folder lies on, as far as it limits what we may write there."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.domain.space import Space

FAT_LARGEST_FILE = 2**32 - 1
_FAT = {"vfat", "msdos", "fat", "umsdos", "fuseblk.fat"}


def space_of(handle: int) -> Space:
    """Return the room of the file system that an open folder lies on."""
    facts = os.fstatvfs(handle)
    block = facts.f_frsize or facts.f_bsize or 4096
    kind = _kind(os.fstat(handle).st_dev)
    return Space(
        total=facts.f_blocks * block,
        free=facts.f_bavail * block,
        block=block,
        largest_file=FAT_LARGEST_FILE if kind in _FAT else None,
    )


def _kind(device: int) -> str:
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown"
    for line in lines.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2] == wanted:
            return after.split()[0]
    return "unknown"
