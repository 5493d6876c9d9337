"""What ffmpeg brings over besides the sound: chapters, and covers that only it takes apart."""

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
    """Return the cover in a file that only ffmpeg takes apart: as a baseline JPEG.

    A cover that cannot be read is no reason to leave the music away: then there is none.

    Args:
        ffmpeg: The program.
        file: Open for reading.
        found: What is in it.
        pixels: The largest edge; a smaller picture stays as small as it is.
        clock: For the time limit.
        stop: Ends it when set.

    Raises:
        transfer.converting.child.ChildFailed: ffmpeg took too long.
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
    """Yield an open file, without a name, that tells ffmpeg the chapters."""
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
