from __future__ import annotations

import pytest

from sidecar.domain.syncthing.stignore import build_line, is_ignored, with_line


@pytest.mark.parametrize(
    ("lines", "ignored"),
    [
        (b"", False),
        (b"/.sidecar\n", True),
        (b"*.tmp\r\n.sidecar\r\n", True),
        (b"(?d)(?i)/.sidecar/\n", True),
        (b"**/.sidecar", True),
        (b"// /.sidecar\n", False),
        (b"/.sidecar.old\n", False),
        (b"!*.flac\n/.sidecar\n", False),
        (b"#include ours.txt\n/.sidecar\n", False),
        (b"/.sidecar\n!*.flac\n*\n", True),
        (b"/Car/.sidecar\n", False),
    ],
)
def test_only_what_surely_keeps_our_folder_at_home_counts(lines: bytes, *, ignored: bool) -> None:
    assert is_ignored(lines) is ignored


@pytest.mark.parametrize(
    ("lines", "ignored"),
    [
        (b"/Sticks/Car/.sidecar\n", True),
        (b"Sticks/Car/.sidecar/**\n", True),
        (b".sidecar\n", True),
        (b"/.sidecar\n", False),
        (b"/Sticks/.sidecar\n", False),
    ],
)
def test_a_device_below_syncthings_folder_has_a_line_of_its_own(
    lines: bytes, *, ignored: bool
) -> None:
    assert build_line("Sticks/Car/") == "/Sticks/Car/.sidecar"
    assert is_ignored(lines, "Sticks/Car/") is ignored


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"/.sidecar\n"),
        (b"*.tmp\n", b"*.tmp\n/.sidecar\n"),
        (b"// mine\n*.tmp", b"// mine\n*.tmp\n/.sidecar\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n/.sidecar\r\n"),
        (b"a\r\nb", b"a\r\nb\r\n/.sidecar\r\n"),
        (b"\xff\xfe odd\n", b"\xff\xfe odd\n/.sidecar\n"),
        (b"a\n!*.flac\n*\n", b"a\n/.sidecar\n!*.flac\n*\n"),
        (b"#include them\n", b"/.sidecar\n#include them\n"),
        (b"a\n.sidecar\n", b"a\n.sidecar\n"),
    ],
)
def test_a_persons_lines_stay_as_they_are(before: bytes, after: bytes) -> None:
    assert with_line(before) == after
    assert is_ignored(after)
    assert with_line(after) == after
