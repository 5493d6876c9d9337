"""Writes tags into an MP4 file that ffmpeg cannot write: ReplayGain, MusicBrainz ids and the like.

    ftyp  mdat …  moov ─ udta ─ meta ─ ilst ─ ©nam ©ART … ---- ---- ◀── put here

Only at the end of a file whose `moov` comes last, as ffmpeg has just written it: nothing else
moves, so no offset changes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from itertools import pairwise
from typing import BinaryIO

from sidecar.messages import msg

HEADER = 8
# A twelve hour book has an index of some 8 MB.
LARGEST_INDEX = 64 * 1024 * 1024
WAY = ((b"moov", HEADER), (b"udta", HEADER), (b"meta", HEADER + 4), (b"ilst", HEADER))
UTF_8 = 1
# Those that ffmpeg writes itself, in the file's own way.
KNOWN = frozenset(
    {
        "title",
        "artist",
        "album_artist",
        "composer",
        "album",
        "date",
        "comment",
        "genre",
        "copyright",
        "grouping",
        "lyrics",
        "description",
        "synopsis",
        "show",
        "compilation",
        "track",
        "disc",
    }
)


class NotOurMp4(ValueError):
    """The file is not put together as ffmpeg does it."""


def add(file: BinaryIO, tags: Mapping[str, str]) -> None:
    """Add those tags that ffmpeg left out.

    Args:
        file: Unbuffered, for reading and writing; just made by ffmpeg.
        tags: All that the file should have.

    Raises:
        NotOurMp4: It is put together in another way; nothing was changed.
    """
    further = {name: value for name, value in tags.items() if name not in KNOWN}
    if not further:
        return
    start, index = _index(file)
    added = b"".join(_freeform(name, value) for name, value in further.items())
    places = _places(index)
    last = places[-1]
    end = last + _size(index, last)
    index[end:end] = added
    for place in places:
        struct.pack_into(">I", index, place, _size(index, place) + len(added))
    file.seek(start)
    left = memoryview(index)
    while left:
        left = left[os.write(file.fileno(), left) :]


def _index(file: BinaryIO) -> tuple[int, bytearray]:
    """Return where `moov` starts, and all of it."""
    size = os.fstat(file.fileno()).st_size
    at = 0
    while at + HEADER <= size:
        head = os.pread(file.fileno(), 16, at)
        length, name = struct.unpack_from(">I4s", head)
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, HEADER)
        if name == b"moov" and at + length == size and HEADER < length <= LARGEST_INDEX:
            return at, bytearray(os.pread(file.fileno(), length, at))
        if length < HEADER:
            break
        at += length
    raise NotOurMp4(msg("its index is not at its end"))


def _places(index: bytearray) -> list[int]:
    """Return where each box on the way to the tags begins."""
    places = [0]
    for (_, inside), (name, _) in pairwise(WAY):
        end = places[-1] + _size(index, places[-1])
        at = places[-1] + inside
        while at + HEADER <= end and index[at + 4 : at + HEADER] != name:
            at += max(HEADER, _size(index, at))
        if at + HEADER > end:
            raise NotOurMp4(msg("it has no place for tags"))
        places.append(at)
    return places


def _size(index: bytearray, at: int) -> int:
    size: int = struct.unpack_from(">I", index, at)[0]
    return size


def _freeform(name: str, value: str) -> bytes:
    return _box(
        b"----",
        _box(b"mean", bytes(4) + b"com.apple.iTunes"),
        _box(b"name", bytes(4) + name.encode("utf-8", "replace")),
        _box(b"data", struct.pack(">II", UTF_8, 0) + value.encode("utf-8", "replace")),
    )


def _box(name: bytes, *inside: bytes) -> bytes:
    content = b"".join(inside)
    return struct.pack(">I4s", HEADER + len(content), name) + content
