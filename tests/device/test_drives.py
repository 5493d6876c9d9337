from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.device.drives import (
    find_allowed,
    find_unmounted,
    is_built_in,
    list_drives,
    list_folders,
)

LINE = "36 25 8:17 / {path} rw,nosuid shared:1 - {kind} /dev/sdb1 rw\n"


def test_drives_below_the_roots_are_listed_with_name_size_and_file_system(tmp_path: Path) -> None:
    media, mounts = tmp_path / "media", tmp_path / "mountinfo"
    stick, other = media / "ann" / "MY STICK", tmp_path / "home"
    share = media / "share"
    stick.mkdir(parents=True)
    share.mkdir()
    other.mkdir()
    lines = [
        (stick, "vfat"),
        (other, "ext4"),
        (media / "gone", "vfat"),
        (share, "nfs4"),
        (media, "tmpfs"),
    ]
    text = [LINE.format(path=str(p).replace(" ", "\\040"), kind=k) for p, k in lines]
    mounts.write_text("".join(text) + "broken\n")

    (found,) = list_drives([media], mounts)

    assert (found.name, found.kind, found.path) == ("MY STICK", "vfat", stick)
    assert found.total >= found.free > 0
    assert found.can_write
    assert list_drives([media], tmp_path / "none") == []


@pytest.mark.parametrize(
    ("kind", "read_by_udev", "known_as"),
    [
        (
            "fuseblk",
            "S:disk/by-label/STICK\nE:ID_FS_TYPE=exfat\nE:ID_FS_USAGE=filesystem\n",
            "exFAT",
        ),
        ("fuseblk", "E:ID_FS_TYPE=ntfs\n", "NTFS"),
        ("fuseblk", "E:ID_FS_TYPE=\n", ""),
        ("fuseblk", None, ""),
        ("fuseblk.ntfs-3g", None, "NTFS"),
        ("fuse.exfat", None, "exFAT"),
        ("vfat", "E:ID_FS_TYPE=exfat\n", "FAT32"),
    ],
)
def test_a_drive_on_fuse_has_the_name_of_its_file_system_or_none(
    tmp_path: Path, kind: str, read_by_udev: str | None, known_as: str
) -> None:
    stick, mounts, udev = tmp_path / "media" / "STICK", tmp_path / "mountinfo", tmp_path / "udev"
    stick.mkdir(parents=True)
    udev.mkdir()
    mounts.write_text(LINE.format(path=stick, kind=kind))
    if read_by_udev is not None:
        (udev / "b8:17").write_text(read_by_udev)

    (found,) = list_drives([stick.parent], mounts, udev)

    assert found.known_as == known_as


def test_only_folders_below_the_allowed_roots_are_allowed(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret"
    for one in (root / "b", root / "A", root / ".hidden" / "c", secret):
        one.mkdir(parents=True)
    (root / "link").symlink_to(secret)
    (root / "file").touch()

    assert find_allowed(root / "b", [root]) == root / "b"
    assert find_allowed(root, [root]) == root
    outside = (secret, root / "link", root / ".." / "secret", root / "file", root / "none")
    for refused in (*outside, root / ".hidden", root / ".hidden" / "c"):
        assert find_allowed(refused, [root]) is None
    assert [one.name for one in list_folders(root)] == ["A", "b"]
    assert list_folders(root / "none") == []


def test_a_folder_is_built_in_on_the_disk_of_the_system_and_not_where_that_is_unknown(
    tmp_path: Path,
) -> None:
    assert is_built_in(Path("/"))
    assert not is_built_in(Path("/proc"))
    assert not is_built_in(tmp_path / "gone")


@pytest.mark.parametrize(
    ("folder", "missing"),
    [
        ("/media/car", "/media/car"),
        ("/media/my stick/Music", "/media/my stick"),
        ("/media/there/Music", None),
        ("/media/commented", None),
        ("/srv/music", None),
    ],
)
def test_a_mount_point_of_which_fstab_has_a_drive_that_is_not_there_is_found(
    tmp_path: Path, folder: str, missing: str | None
) -> None:
    fstab, mounts = tmp_path / "fstab", tmp_path / "mounts"
    fstab.write_text(
        "# what is mounted\n\n"
        "UUID=1 / ext4 defaults 0 1\n"
        "LABEL=CAR /media/car exfat nofail 0 0\n"
        "LABEL=MINE /media/my\\040stick exfat nofail 0 0\n"
        "LABEL=THERE /media/there exfat nofail 0 0\n"
        "#LABEL=OLD /media/commented exfat nofail 0 0\n"
        "UUID=2 none swap sw 0 0\n"
    )
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:17 / /media/there rw - exfat /dev/sdb1 rw\n"
    )

    assert find_unmounted(Path(folder), fstab, mounts) == (Path(missing) if missing else None)
