"""Finds the logs that a music player left on a device, and reads them line by line.

A log is never changed, moved or deleted. However large a file or a line is, only a little of it is
in memory at a time.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sidecar.device.errors import as_device_error
from sidecar.device.folder import DeviceFolder
from sidecar.domain.player_logs.parsing import LONGEST_LINE, LogKind

SCROBBLER = ".scrobbler.log"
PLAYBACK = ".rockbox/playback.log"
OLDER = ".rockbox/playback_{:04d}.log"
MOST_OLDER = 9999
# Ten million plays; the rest is not read.
LARGEST = 1024 * 1024 * 1024
_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log on a device."""

    path: str
    kind: LogKind
    size: int


def find_logs(folder: DeviceFolder) -> list[LogFile]:
    """Return the logs on a device, oldest first, those of playback before the scrobbler's.

    Raises:
        errors.DeviceError: The device cannot be used.
    """
    found = []
    for number in range(1, MOST_OLDER + 1):
        older = _log(folder, OLDER.format(number), LogKind.PLAYBACK)
        if not older:
            break
        found += older
    found += _log(folder, PLAYBACK, LogKind.PLAYBACK)
    return found + _log(folder, SCROBBLER, LogKind.SCROBBLER)


def read_lines(folder: DeviceFolder, log: LogFile, *, most: int = LARGEST) -> Iterator[bytes]:
    """Read the lines of a log, with their line ends; long ones are cut.

    Args:
        folder: The device.
        log: The log; what was appended since it was found is not read.
        most: The most bytes to read.

    Raises:
        errors.DeviceError: It cannot be read.
    """
    with (
        as_device_error(folder.name),
        folder.open(log.path) as raw,
        io.BufferedReader(raw, _BLOCK) as file,  # type: ignore[type-var]  # raw is unbuffered
    ):
        left = min(log.size, most)
        while left > 0 and (line := file.readline(min(LONGEST_LINE + 1, left))):
            left -= len(line)
            yield line
            left -= _skip_rest(file, line, left)


def _skip_rest(file: BinaryIO, line: bytes, left: int) -> int:
    skipped = 0
    while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
        line = file.readline(min(LONGEST_LINE + 1, left - skipped))
        skipped += len(line)
    return skipped


def _log(folder: DeviceFolder, path: str, kind: LogKind) -> list[LogFile]:
    facts = folder.stat(path)
    return [] if facts is None else [LogFile(path, kind, facts.size)]
