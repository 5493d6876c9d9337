"""Chooses the inspection for a file, by its content rather than its name, and runs it."""

from __future__ import annotations

import struct
from collections.abc import Callable

from sidecar.domain.transfers.wholeness import Evidence
from sidecar.transfer.wholeness.asf import HEADER as ASF
from sidecar.transfer.wholeness.asf import inspect_asf
from sidecar.transfer.wholeness.chunks import inspect_aiff, inspect_avi, inspect_wav
from sidecar.transfer.wholeness.flac import inspect_flac
from sidecar.transfer.wholeness.frames import (
    inspect_adts,
    inspect_mpeg,
    parse_adts_frame,
    parse_mpeg_frame,
)
from sidecar.transfer.wholeness.lossless import inspect_tta, inspect_wavpack
from sidecar.transfer.wholeness.matroska import inspect_matroska
from sidecar.transfer.wholeness.mp4 import KNOWN, inspect_mp4
from sidecar.transfer.wholeness.ogg import inspect_ogg
from sidecar.transfer.wholeness.source import CannotTell, MediaFile
from sidecar.transfer.wholeness.tags import find_sound
from sidecar.transfer.wholeness.transport import find_packet_size, inspect_transport

Inspect = Callable[[MediaFile], Evidence]
_BY_BEGIN: dict[bytes, dict[bytes, Inspect]] = {
    b"RIFF": {b"WAVE": inspect_wav, b"AVI ": inspect_avi},
    b"RF64": {b"WAVE": inspect_wav},
    b"FORM": {b"AIFF": inspect_aiff, b"AIFC": inspect_aiff},
    b"\x1a\x45\xdf\xa3": {b"": inspect_matroska},
    ASF[:4]: {b"": inspect_asf},
}
# Kinds that may begin with a tag.
_BY_MARK: dict[bytes, Inspect] = {
    b"fLaC": inspect_flac,
    b"OggS": inspect_ogg,
    b"wvpk": inspect_wavpack,
    b"TTA1": inspect_tta,
}
# Kinds whose frames may begin after other bytes: then the name decides.
_BY_NAME: dict[str, Inspect] = {
    "mp3": inspect_mpeg,
    "mp2": inspect_mpeg,
    "mpa": inspect_mpeg,
    "aac": inspect_adts,
    "adts": inspect_adts,
}


def inspect(source: MediaFile, container: str) -> Evidence:
    """Return the evidence of a file's structure; empty if its kind is unknown or too unusual.

    Args:
        source: The file.
        container: The server's name for its container, or its extension; several are separated
            by commas.

    Raises:
        errors.Stopped: The inspection was asked to stop.
        OSError: The file cannot be read.
    """
    try:
        found = _choose_inspection(source, container)
        return found(source) if found is not None else Evidence()
    except CannotTell as why:
        return Evidence(why=str(why))
    except (ValueError, LookupError, ArithmeticError, struct.error):
        # Every field of an untrusted file may have any value; that must not crash.
        return Evidence(why="its structure is odd")


def _choose_inspection(source: MediaFile, container: str) -> Inspect | None:
    head = source.at(0, 16)
    if head[4:8] in KNOWN:
        return inspect_mp4
    by_begin = _BY_BEGIN.get(head[:4])
    found = by_begin.get(head[8:12]) or by_begin.get(b"") if by_begin else None
    if found is not None:
        return found
    if find_packet_size(source.at(0, 1024)) is not None:
        return inspect_transport
    return _choose_sound_inspection(source, container)


def _choose_sound_inspection(source: MediaFile, container: str) -> Inspect | None:
    start = find_sound(source).start
    head = source.at(start, 8)
    if head[:4] in _BY_MARK:
        return _BY_MARK[head[:4]]
    for frame_of, count, inspection in (
        (parse_adts_frame, 7, inspect_adts),
        (parse_mpeg_frame, 4, inspect_mpeg),
    ):
        frame = frame_of(head[:count])
        following = frame and frame_of(source.at(start + frame.length, count))
        if frame and following and frame.kind == following.kind:
            return inspection
    names = container.lower().replace(".", "").split(",")
    return next((_BY_NAME[one] for one in names if one in _BY_NAME), None)
