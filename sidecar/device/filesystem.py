"""Finds the type and the free space of the file system of a folder."""

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
# A rename is atomic there: after a power cut a file has its old name or its new one.
_JOURNALLED = frozenset({"ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "tmpfs"})
# Network and shared file systems: locks and shared memory do not work there as on a local disk.
_OF_OTHER_MACHINES = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "9p", "afs", "coda", "davfs"}
    | {"ceph", "glusterfs", "lustre", "beegfs", "ocfs2", "gfs2", "orangefs", "pvfs2", "gpfs"}
    | {"virtiofs", "vboxsf", "prl_fs", "vmhgfs"}
)
# Of the FUSE file systems only these are known to be local.
_LOCAL_FUSE = frozenset(
    {"ntfs", "ntfs-3g", "exfat", "ext4", "fuse2fs", "zfs", "gocryptfs", "encfs", "cryfs", "bindfs"}
    | {"fuse-overlayfs", "lxcfs", "portal"}
)


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A file system; `kind` is the kernel's name of its type, `unknown` if it was not found."""

    kind: str

    @property
    def largest_file(self) -> int | None:
        """The most that one file may hold, in bytes; None means no practical limit."""
        return FAT_LARGEST_FILE if self.kind in _FAT else None

    @property
    def renames_at_once(self) -> bool:
        """Whether no power cut can leave a renamed file under both names."""
        return self.kind in _JOURNALLED

    @property
    def keeps_numbers(self) -> bool:
        """Whether a file keeps its inode number as long as it is there; FAT makes them up."""
        return self.kind in _JOURNALLED

    @property
    def tells_times_exactly(self) -> bool:
        """Whether a file that is written twice has another time after it; FAT counts by 2 s."""
        return self.kind in _JOURNALLED

    @property
    def is_of_another_machine(self) -> bool:
        """Whether the files are, or may be, on another machine."""
        name, dot, program = self.kind.partition(".")
        if name == "fuse":
            return not dot or program not in _LOCAL_FUSE
        return self.kind in _OF_OTHER_MACHINES


def file_system_at(folder: Path, mounts: Path = _MOUNTS) -> FileSystem:
    """Return the file system of a folder.

    Raises:
        OSError: The folder is not there.
    """
    device = folder.stat().st_dev
    try:
        text = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return FileSystem("unknown")
    kind = find_kind(text, f"{os.major(device)}:{os.minor(device)}")
    # Some file systems (btrfs) give folders another device number than their mount has.
    return FileSystem(kind if kind != "unknown" else kind_at(text, str(folder.resolve())))


def database_risk(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return a warning if a folder for the database is on another machine; else None."""
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
    """Return the file system of an open folder."""
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
    """Find the type of the mount that contains a path in the text of `/proc/self/mountinfo`."""
    found, deepest = "unknown", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        words = before.split()
        if not after or len(words) < 5:  # noqa: PLR2004 - the fifth is where it is mounted
            continue
        point = _ESCAPED.sub(lambda one: chr(int(one[1], 8)), words[4])
        is_on = path == point or path.startswith(f"{point.rstrip('/')}/")
        # Of two mounts on one folder the later one hides the other.
        if is_on and len(point) >= deepest:
            found, deepest = after.split()[0], len(point)
    return found


def read_space(handle: int, kind: FileSystem) -> Space:
    """Return the size and the free space of the file system of an open folder.

    Without free inodes the free space is 0.
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
