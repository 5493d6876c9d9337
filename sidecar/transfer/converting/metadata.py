"""Makes what goes around the sound: tags and chapters as ffmpeg reads them, and the cover."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, BinaryIO

from mutagen.flac import Picture

from sidecar.clock import Clock
from sidecar.transfer.converting.probe import UNTRUSTED, Chapter, ProbedSound
from sidecar.transfer.converting.subprocess import get_inherited_path, run

AS_IT_IS = {"mjpeg": "image/jpeg", "png": "image/png"}
LARGEST_COVER = 1024 * 1024
WIDEST_COVER = 1000
COVER_WITHIN_S = 60.0
FRONT_COVER = 3


@dataclass(frozen=True, slots=True)
class CoverPicture:
    """A picture that every player knows."""

    content: bytes
    mime_type: str


def extract_cover(
    ffmpeg: str, file: BinaryIO, found: ProbedSound, *, clock: Clock, stop: Event
) -> CoverPicture | None:
    """Return the cover in a file: as it is if that will do, else as a JPEG of usual size.

    A cover that cannot be read is no reason to leave the music away: then there is none.

    Raises:
        transfer.converting.child.ChildFailed: ffmpeg took too long.
        errors.Stopped: `stop` was set.
    """
    if found.picture is None:
        return None
    scaled = f"scale='min({WIDEST_COVER},iw)':-2"
    mime_type = AS_IT_IS.get(found.picture_codec)
    ways = [("image/jpeg", ["-c:v", "mjpeg", "-q:v", "3", "-vf", scaled, "-pix_fmt", "yuvj420p"])]
    if mime_type is not None:
        ways.insert(0, (mime_type, ["-c:v", "copy"]))
    for mime, how in ways:
        command = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", *UNTRUSTED]
        command += ["-i", get_inherited_path(file), "-map", f"0:{found.picture}", *how]
        command += ["-frames:v", "1", "-f", "image2pipe", "pipe:1"]
        said = run(command, files=[file], clock=clock, stop=stop, limit_s=COVER_WITHIN_S)
        if said.code == 0 and 0 < len(said.output) <= LARGEST_COVER:
            return CoverPicture(said.output, mime)
    return None


def make_picture_block(cover: CoverPicture) -> str:
    """Return a cover as Ogg files carry it: FLAC's picture block, in base64.

    Its size in pixels is left open, as the format allows.
    """
    picture: Any = Picture()  # type: ignore[no-untyped-call]  # it has no annotations
    picture.type, picture.mime, picture.data = FRONT_COVER, cover.mime_type, cover.content
    block: bytes = picture.write()
    return base64.b64encode(block).decode("ascii")


@contextmanager
def open_metadata_file(tags: Mapping[str, str], chapters: Iterable[Chapter]) -> Iterator[BinaryIO]:
    """Yield an open file, without a name, that tells ffmpeg the tags and chapters."""
    with open_unnamed_file("\n".join(_render_lines(tags, chapters)).encode()) as file:
        yield file


@contextmanager
def open_unnamed_file(content: bytes) -> Iterator[BinaryIO]:
    """Yield an open file, without a name, that holds this."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file


def _render_lines(tags: Mapping[str, str], chapters: Iterable[Chapter]) -> Iterator[str]:
    yield ";FFMETADATA1"
    for name, value in tags.items():
        yield f"{_escape(name)}={_escape(value)}"
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
