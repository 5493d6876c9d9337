"""What the tests of the device have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sidecar.device.folder import DeviceFolder
from sidecar.device.own.parts import PartFile

STICK = "6f2b7c1e-3d43-4c5a-9a51-0b8f6d1c2e3a"
OTHER = "00000000-1111-2222-3333-444444444444"
NAME = "Car stick"


def made(root: Path, device_id: str = STICK) -> DeviceFolder:
    """Make a folder a device, and attach it."""
    folder = DeviceFolder.create(root, device_id=device_id, name=NAME)
    folder.attach()
    return folder


def filled(folder: DeviceFolder, download_id: int, body: bytes) -> PartFile:
    """Write a whole part file."""
    part = folder.part(download_id)
    with part.open() as file:
        file.write(body)
    return part


def everything(root: Path) -> dict[str, bytes | str]:
    """Return all that is below a folder, the sidecar's own folder left out; links not followed."""
    found: dict[str, bytes | str] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] == ".sidecar":
            continue
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = "folder" if path.is_dir() else "other"
    return found


def remove(folder: DeviceFolder, path: str, *, size: int) -> bool:
    """Remove a file that is as it came, as far as its time tells."""
    later = datetime.max.replace(tzinfo=UTC)
    return folder.remove(path, size=size, content_hash=None, completed_at=later)
