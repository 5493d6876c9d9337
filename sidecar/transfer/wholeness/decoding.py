"""Finds out how far a file plays: ffmpeg decodes its sound and reads its video to the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from threading import Event
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.transfer.converting.probe import UNTRUSTED
from sidecar.transfer.converting.subprocess import ChildFailed, get_inherited_path, run

# Sound decodes a hundred times faster than it plays, also on a slow machine.
LIMIT_S = 120.0
LONGEST_LIMIT_S = 3600.0
PARTS = 10
BYTES_A_SECOND = 2 * 1024 * 1024
OUT_TIME = re.compile(rb"^out_time_us=(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What ffmpeg found.

    Attributes:
        seconds: Up to where the file plays.
        errors: Number of lines of error messages.
    """

    seconds: float
    errors: int


def decode(
    ffmpeg: str, file: BinaryIO, *, seconds: float, size: int, clock: Clock, stop: Event
) -> Decoded | None:
    """Decode a file to its end; None if ffmpeg cannot.

    It continues after errors, as complete files may be damaged in the middle. Video is only
    read, not decoded: that also proves that it is there, and decoding a film would take hours
    on a small machine.

    Args:
        ffmpeg: Path of the program.
        file: Open for reading.
        seconds: Approximate running time, for the time limit.
        size: Size in bytes, for the time limit.
        clock: For the time limit.
        stop: Ends it when set.

    Raises:
        errors.Stopped: `stop` was set.
    """
    command = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-nostats"]
    command += [
        "-threads",
        "1",
        "-err_detect",
        "crccheck",
        *UNTRUSTED,
        "-i",
        get_inherited_path(file),
    ]
    # V, not v: without covers, which would count as video without a length.
    command += ["-map", "0:a?", "-map", "0:V?", "-c:v", "copy", "-threads", "1"]
    command += ["-progress", "pipe:1", "-stats_period", "60", "-f", "null", "-"]
    limit_s = min(LIMIT_S + seconds / PARTS + size / BYTES_A_SECOND, LONGEST_LIMIT_S)
    try:
        said = run(command, files=[file], clock=clock, stop=stop, limit_s=limit_s)
    except ChildFailed:
        return None
    reached = OUT_TIME.findall(said.output)
    if said.code != 0 or not reached:
        return None
    return Decoded(int(reached[-1]) / 1e6, len(said.complaints.splitlines()))
