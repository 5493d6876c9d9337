"""Chapters for ffmpeg, and covers that only ffmpeg can extract."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import BinaryIO

from sidecar.clock import Clock
from sidecar.transfer.converting.probe import UNTRUSTED, Chapter, ProbedSound
from sidecar.transfer.converting.subprocess import get_inherited_path, run

LARGEST_COVER = 4 * 1024 * 1024
COVER_WITHIN_S = 60.0


def extract_cover(
    ffmpeg: str, file: BinaryIO, found: ProbedSound, *, pixels: int, clock: Clock, stop: Event
) -> bytes | None:
    """Extract the cover of a file with ffmpeg, as a baseline JPEG.

    Returns None if there is none or it cannot be read: the music is converted without it.

    Args:
        ffmpeg: Path of the program.
        file: Open for reading.
        found: What ffprobe found in the file.
        pixels: Longest edge; smaller pictures are not enlarged.
        clock: For the time limit.
        stop: Ends it when set.

    Raises:
        ChildFailed: ffmpeg could not be started, or took too long.
        errors.Stopped: `stop` was set.
    """
    if found.picture is None:
        return None
    scaled = f"scale='min({pixels},iw)':'min({pixels},ih)':force_original_aspect_ratio=decrease"
    command = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", *UNTRUSTED]
    command += ["-i", get_inherited_path(file), "-map", f"0:{found.picture}", "-c:v", "mjpeg"]
    command += ["-q:v", "3", "-vf", scaled, "-pix_fmt", "yuvj420p"]
    command += ["-frames:v", "1", "-f", "image2pipe", "pipe:1"]
    said = run(command, files=[file], clock=clock, stop=stop, limit_s=COVER_WITHIN_S)
    fits = said.code == 0 and 0 < len(said.output) <= LARGEST_COVER
    return said.output if fits else None


@contextmanager
def open_chapters_file(chapters: Iterable[Chapter]) -> Iterator[BinaryIO]:
    """Yield an open temporary file that lists the chapters for ffmpeg."""
    with tempfile.TemporaryFile() as file:
        file.write("\n".join(_render_lines(chapters)).encode())
        file.flush()
        yield file


def _render_lines(chapters: Iterable[Chapter]) -> Iterator[str]:
    yield ";FFMETADATA1"
    for one in chapters:
        yield "[CHAPTER]"
        yield "TIMEBASE=1/1000"
        yield f"START={one.start}"
        yield f"END={max(one.end, one.start)}"
        yield f"title={_escape(one.title)}"
    yield ""


def _escape(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode().replace("\r", "")
    return "".join(f"\\{one}" if one in "=;#\\\n" else one for one in clean)
