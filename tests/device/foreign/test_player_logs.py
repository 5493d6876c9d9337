from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.device.folder import DeviceFolder
from sidecar.device.foreign.player_logs import LogFile, find_logs, read_lines
from sidecar.domain.player_logs.parsing import LONGEST_LINE, LogKind
from sidecar.errors import DeviceError


def test_all_logs_of_a_player_are_found_oldest_first(folder: DeviceFolder, root: Path) -> None:
    (root / ".rockbox").mkdir()
    for name in ("playback.log", "playback_0001.log", "playback_0002.log", "playback_0004.log"):
        (root / ".rockbox" / name).write_bytes(b"x")
    (root / ".scrobbler.log").write_bytes(b"xy")

    assert [(one.path, one.size) for one in find_logs(folder)] == [
        (".rockbox/playback_0001.log", 1),
        (".rockbox/playback_0002.log", 1),
        (".rockbox/playback.log", 1),
        (".scrobbler.log", 2),
    ]


def test_a_device_without_a_player_has_none(folder: DeviceFolder) -> None:
    assert find_logs(folder) == []


def test_a_link_is_no_log(folder: DeviceFolder, root: Path, outside: Path) -> None:
    (root / ".scrobbler.log").symlink_to(outside / "precious")

    assert find_logs(folder) == []


def test_lines_come_whole_and_what_is_far_too_long_is_cut(folder: DeviceFolder, root: Path) -> None:
    (root / ".scrobbler.log").write_bytes(b"a\n" + b"b" * (3 * LONGEST_LINE) + b"\nc\nd")
    [log] = find_logs(folder)

    assert [len(one) for one in read_lines(folder, log)] == [2, LONGEST_LINE + 1, 2, 1]


def test_what_is_written_meanwhile_is_not_read(folder: DeviceFolder, root: Path) -> None:
    (root / ".scrobbler.log").write_bytes(b"a\nb\n")
    [log] = find_logs(folder)
    (root / ".scrobbler.log").write_bytes(b"a\nb\nc\nd\n")

    assert list(read_lines(folder, log)) == [b"a\n", b"b\n"]


def test_a_log_that_went_away_is_a_trouble_of_the_device(folder: DeviceFolder) -> None:
    with pytest.raises(DeviceError):
        list(read_lines(folder, LogFile(".scrobbler.log", LogKind.SCROBBLER, 9)))


def test_a_log_without_end_is_read_to_a_bound(folder: DeviceFolder, root: Path) -> None:
    (root / ".scrobbler.log").write_bytes(b"a\n" * 100)
    [log] = find_logs(folder)

    assert len(list(read_lines(folder, log, most=50))) == 25
