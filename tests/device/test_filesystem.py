from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.device.filesystem import (
    FileSystem,
    database_risk,
    file_system_at,
    find_kind,
    kind_at,
    read_file_system,
    read_space,
)
from sidecar.device.own.marker import open_root
from tests.device.mounting import mount_memory, needs_root

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
29 22 8:17 / /media/car\\040stick rw,nosuid shared:7 - vfat /dev/sdb1 rw,uid=1000
30 22 0:41 / /media/player rw - fuseblk /dev/sdc1 rw,user_id=0
31 22 0:42 / /media/short
"""


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ("254:0", "ext4"),
        ("8:17", "vfat"),
        ("0:41", "fuseblk"),
        ("8:1", "unknown"),
        ("0:42", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_type_is_found_among_the_mounts(device: str, kind: str) -> None:
    assert find_kind(MOUNTS, device) == kind


@pytest.mark.parametrize(
    ("kind", "largest", "at_once"),
    [
        ("vfat", 2**32 - 1, False),
        ("msdos", 2**32 - 1, False),
        ("exfat", None, False),
        ("fuseblk", None, False),
        ("unknown", None, False),
        ("ext4", None, True),
        ("btrfs", None, True),
    ],
)
def test_what_is_not_known_to_be_safe_is_not_taken_for_safe(
    kind: str, largest: int | None, at_once: bool
) -> None:
    assert FileSystem(kind).largest_file == largest
    assert FileSystem(kind).renames_at_once is at_once
    assert FileSystem(kind).tells_times_exactly is at_once


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/media/car stick", "vfat"),
        ("/media/car stick/Music", "vfat"),
        ("/media/car stick 2", "ext4"),
        ("/media/player/a", "fuseblk"),
        ("/media/short", "ext4"),
        ("/", "ext4"),
    ],
)
def test_the_type_is_found_by_the_place(path: str, kind: str) -> None:
    assert kind_at(MOUNTS, path) == kind


@pytest.mark.parametrize(
    ("kind", "is_remote"),
    [
        *((one, True) for one in ("nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph")),
        *((f"fuse.{one}", True) for one in ("sshfs", "rclone", "s3fs", "shfs", "mergerfs")),
        *((one, False) for one in ("ext4", "btrfs", "xfs", "zfs", "vfat", "fuseblk", "unknown")),
        *((f"fuse.{one}", False) for one in ("ntfs-3g", "gocryptfs")),
        *((one, False) for one in ("overlay", "tmpfs")),
        ("fuse", True),
    ],
)
def test_a_database_on_another_machine_is_a_danger_that_is_named(
    tmp_path: Path, kind: str, is_remote: bool
) -> None:
    mounts, folder = tmp_path / "mountinfo", tmp_path / "data"
    folder.mkdir()
    mounts.write_text(f"40 22 0:99999 / {folder} rw,relatime - {kind} nas:/export rw\n")

    risk = database_risk(folder, mounts)

    assert file_system_at(folder, mounts).kind == kind
    assert (risk is not None) is is_remote
    if risk is not None:
        assert f"{folder} lies on a {kind} file system" in risk
        assert "server.data_dir" in risk


def test_a_folder_that_is_not_there_is_no_danger(tmp_path: Path) -> None:
    assert database_risk(tmp_path / "none") is None


@needs_root
def test_the_room_is_that_of_the_file_system_of_the_folder(mount_point: Path) -> None:
    mount_memory(mount_point, options="size=4m")
    with open_root(mount_point) as handle:
        kind = read_file_system(handle)
        before = read_space(handle, kind)
        (mount_point / "film").write_bytes(bytes(1_000_000))
        after = read_space(handle, kind)

    assert kind == FileSystem("tmpfs")
    assert before.total == before.free == 4 * 1024 * 1024
    assert before.free - after.free == -(-1_000_000 // before.block) * before.block
