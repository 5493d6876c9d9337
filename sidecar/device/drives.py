"""Finds the mounted drives that a device may be on, and lists folders for choosing one.

Nothing outside the allowed roots is listed, whatever a link there points to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sidecar.device.filesystem import FileSystem

# Where systems mount removable drives; a folder of one's own may also be in the home folder.
MOUNT_ROOTS = tuple(map(Path, ("/media", "/mnt", "/run/media")))
_MOUNTS = Path("/proc/self/mountinfo")
_FSTAB = Path("/etc/fstab")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MOST_FOLDERS = 500
_LEAST_WORDS = 5
# What udev has read from each disk, for everybody to read.
_UDEV = Path("/run/udev/data")
_TYPE = re.compile(r"^E:ID_FS_TYPE=([\w.-]+)$", re.MULTILINE)
# What people call file systems that the kernel calls something else.
_KNOWN_AS = {
    "vfat": "FAT32",
    "exfat": "exFAT",
    "ntfs": "NTFS",
    "ntfs3": "NTFS",
    "ntfs-3g": "NTFS",
}


@dataclass(frozen=True, slots=True)
class Drive:
    """A mounted drive.

    Attributes:
        name: The last part of its path, which is its label on most systems.
        kind: The kernel's name of its file system; empty where it is not known.
        can_write: Whether the sidecar may write there.
    """

    path: Path
    name: str
    kind: str
    total: int
    free: int
    can_write: bool

    @property
    def known_as(self) -> str:
        """What people call its file system."""
        return _KNOWN_AS.get(self.kind, self.kind)


def default_roots() -> tuple[Path, ...]:
    """Return the folders in which devices may be chosen on the page."""
    return (*MOUNT_ROOTS, Path.home())


def list_drives(
    roots: Iterable[Path] = MOUNT_ROOTS, mounts: Path = _MOUNTS, udev: Path = _UDEV
) -> Sequence[Drive]:
    """Return the drives that are mounted below the roots, by name; none of another machine."""
    try:
        text = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        words = before.split()
        if not after or len(words) < _LEAST_WORDS:
            continue
        path = _unescaped(words[4])
        kind = after.split()[0]
        # Asking another machine for its size may take for ever.
        if FileSystem(kind).is_of_another_machine:
            continue
        if any(root in path.parents for root in roots):
            found[path] = _find_real_kind(kind, words[2], udev)
    drives = (_read_drive(path, kind) for path, kind in found.items())
    return sorted((one for one in drives if one is not None), key=lambda one: one.name.casefold())


def find_unmounted(folder: Path, fstab: Path = _FSTAB, mounts: Path = _MOUNTS) -> Path | None:
    """Return where a drive of a folder should be that is not mounted now, as `fstab` says."""
    try:
        lines = [one.split() for one in fstab.read_text(errors="replace").splitlines()]
        mounted = [one.split() for one in mounts.read_text(errors="replace").splitlines()]
    except OSError:
        return None
    named = {
        _unescaped(one[1])
        for one in lines
        if len(one) > 1 and not one[0].startswith("#") and one[1].startswith("/")
    }
    there = {_unescaped(one[4]) for one in mounted if len(one) >= _LEAST_WORDS}
    missing = (one for one in named - there if folder == one or one in folder.parents)
    return max(missing, key=lambda one: len(one.parts), default=None)


def _unescaped(text: str) -> Path:
    return Path(_ESCAPED.sub(lambda one: chr(int(one[1], 8)), text))


def is_built_in(folder: Path) -> bool:
    """Whether a folder is on the disk of the system or of the home folder: nobody takes it out."""
    try:
        return folder.stat().st_dev in {one.stat().st_dev for one in (Path("/"), Path.home())}
    except (OSError, RuntimeError):
        return False


@dataclass(frozen=True, slots=True)
class DevicePlaces:
    """Where devices can be on this machine.

    Attributes:
        roots: Returns the folders in which devices may be chosen.
        drives: Returns the mounted drives.
        is_built_in: Whether a folder is on a disk that nobody takes out.
        mounts: Where drives are mounted.
    """

    roots: Callable[[], Iterable[Path]] = default_roots
    drives: Callable[[], Sequence[Drive]] = list_drives
    is_built_in: Callable[[Path], bool] = is_built_in
    mounts: Sequence[Path] = MOUNT_ROOTS

    def has_no_drive(self, folder: Path) -> bool:
        """Whether a folder is where drives are mounted, and yet on a disk nobody takes out."""
        return any(one in folder.parents for one in self.mounts) and self.is_built_in(folder)

    def at(self, folder: Path) -> Drive | None:
        """Return the drive or the disk that a folder is on; None if it is not there."""
        above = [one for one in self.drives() if folder.is_relative_to(one.path)]
        return max(above, key=lambda one: len(one.path.parts), default=_read_drive(folder, ""))


def _find_real_kind(kind: str, number: str, udev: Path) -> str:
    """Return what a file system is behind FUSE; empty where nobody says so.

    Args:
        kind: What the kernel calls it: `fuseblk`, or with the program's name after a dot.
        number: The `major:minor` of its disk.
        udev: Where udev keeps what it has read.
    """
    base, _, program = kind.partition(".")
    if base not in {"fuse", "fuseblk"}:
        return kind
    try:
        found = _TYPE.search((udev / f"b{number}").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return found[1] if found else program


def _read_drive(path: Path, kind: str) -> Drive | None:
    try:
        facts = os.statvfs(path)
    except (OSError, ValueError):
        return None
    block = facts.f_frsize or facts.f_bsize
    return Drive(
        path=path,
        name=path.name,
        kind=kind,
        total=facts.f_blocks * block,
        free=facts.f_bavail * block,
        can_write=os.access(path, os.W_OK | os.X_OK),
    )


def find_allowed(path: Path, roots: Iterable[Path]) -> Path | None:
    """Return the real path of a folder that is below an allowed root and not hidden; else None.

    In hidden folders are the settings and keys of other programs.
    """
    try:
        real = path.resolve(strict=True)
        is_folder = real.is_dir()
    except (OSError, RuntimeError, ValueError):
        return None
    tops = [root.resolve() for root in roots]
    inside = [real.relative_to(top) for top in tops if real.is_relative_to(top)]
    is_shown = any(not any(part.startswith(".") for part in one.parts) for one in inside)
    return real if is_folder and is_shown else None


def list_folders(folder: Path) -> Sequence[Path]:
    """Return the folders in a folder, without hidden ones and links, by name."""
    try:
        with os.scandir(folder) as entries:
            names = [
                one.name
                for one in islice(entries, 10 * _MOST_FOLDERS)
                if not one.name.startswith(".") and one.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    return [folder / name for name in sorted(names, key=str.casefold)[:_MOST_FOLDERS]]
