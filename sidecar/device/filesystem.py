"""Finds the type of file system that a folder lies on, as far as it limits what we may write."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sidecar.domain.space.space import Space
from sidecar.messages import msg

FAT_LARGEST_FILE = 2**32 - 1
_USUAL_BLOCK = 4096
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MOUNTS = Path("/proc/self/mountinfo")
_FAT = frozenset({"vfat", "msdos"})
# A rename there is one transaction: after a power cut a file has its old name or its new one.
_JOURNALLED = frozenset({"ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "tmpfs"})
# Files of another machine: locks do not hold there, and what one side maps the other does not see.
_OF_OTHER_MACHINES = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "9p", "afs", "coda", "davfs"}
    | {"ceph", "glusterfs", "lustre", "beegfs", "ocfs2", "gfs2", "orangefs", "pvfs2", "gpfs"}
    | {"virtiofs", "vboxsf", "prl_fs", "vmhgfs"}
)
# Of the file systems in user space only these are known to lie on a disk of this machine.
_LOCAL_FUSE = frozenset(
    {"ntfs", "ntfs-3g", "exfat", "ext4", "fuse2fs", "zfs", "gocryptfs", "encfs", "cryfs", "bindfs"}
    | {"fuse-overlayfs", "lxcfs", "portal"}
)


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

    @property
    def is_of_another_machine(self) -> bool:
        """Whether files lie, or may lie, on another machine than this one."""
        name, dot, program = self.kind.partition(".")
        if name == "fuse":
            return not dot or program not in _LOCAL_FUSE
        return self.kind in _OF_OTHER_MACHINES


def file_system_at(folder: Path, mounts: Path = _MOUNTS) -> FileSystem:
    """Return the type of the file system that a folder lies on.

    Raises:
        OSError: The folder is not there.
    """
    device = folder.stat().st_dev
    try:
        text = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return FileSystem("unknown")
    kind = find_kind(text, f"{os.major(device)}:{os.minor(device)}")
    # Some file systems give their folders other numbers than the kernel gives the mount.
    return FileSystem(kind if kind != "unknown" else kind_at(text, str(folder.resolve())))


def database_risk(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return a warning if the database in a folder lies on another machine; None if all is well."""
    try:
        found = file_system_at(folder, mounts)
    except OSError:
        return None
    if not found.is_of_another_machine:
        return None
    return msg(
        "{folder} lies on a {kind} file system, on another machine than this one or shared with "
        "it: the database may be damaged there. Set server.data_dir to a folder on a disk of this "
        "machine; the devices may stay where they are",
        folder=folder,
        kind=found.kind,
    )


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


def kind_at(mounts: str, path: str) -> str:
    """Find the type of the mount that a path lies on in the text of `/proc/self/mountinfo`."""
    found, deepest = "unknown", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        words = before.split()
        if not after or len(words) < 5:  # noqa: PLR2004 - the fifth is where it is mounted
            continue
        point = _ESCAPED.sub(lambda one: chr(int(one[1], 8)), words[4])
        is_on = path == point or path.startswith(f"{point.rstrip('/')}/")
        # The last of two mounts on one folder hides the other.
        if is_on and len(point) >= deepest:
            found, deepest = after.split()[0], len(point)
    return found


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
