"""Inspects WAV, AIFF and AVI files, which consist of chunks with a length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile

MOST_CHUNKS = 100_000
HEAD = 8
COMMON = 18
IN_DS64 = 0xFFFFFFFF
OPEN = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000})


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk; `start` is where its content begins."""

    kind: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Where its content ends, without a padding byte."""
        return self.start + self.size


def inspect_wav(source: MediaFile) -> Evidence:
    """Inspect a WAV or RF64 file.

    Raises:
        CannotTell: Its structure is too unusual.
    """
    rate, long_data = 0, None
    for one in _walk_chunks(source, 12, source.size, "little"):
        if one.kind == b"fmt ":
            rate = int.from_bytes(source.at(one.start, 16)[8:12], "little")
        elif one.kind == b"ds64":
            long_data = int.from_bytes(source.at(one.start, 16)[8:16], "little")
        elif one.kind == b"data":
            is_long = one.size == IN_DS64 and long_data is not None
            size = long_data if is_long and long_data is not None else one.size
            return _inspect_wav(source, Chunk(one.kind, one.start, size), rate, is_open=not is_long)
    return Evidence(ending=Ending.MISSING, why="it ends before its sound begins")


def _inspect_wav(source: MediaFile, data: Chunk, rate: int, *, is_open: bool) -> Evidence:
    there = max(0, min(data.end, source.size) - data.start)
    if is_open and data.size in OPEN:
        reached = (source.size - data.start) / rate if rate else None
        return Evidence(reached=reached, why="it was written without a length")
    declared = data.size / rate if rate else None
    reached = there / rate if rate else None
    riff = int.from_bytes(source.at(4, 4), "little") + 8
    is_open_riff = source.at(0, 4) != b"RIFF" or riff - 8 in OPEN
    # The padding byte may be missing at the very end.
    spare = 1 if data.size & 1 and data.end == source.size else 0
    if data.end > source.size or (not is_open_riff and riff > source.size + spare):
        lacks = max(data.end, 0 if is_open_riff else riff) - source.size
        why = f"{lacks} bytes are missing of those it says it has"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared, reached=reached)
    why = "it has all the bytes that it says it has"
    return Evidence(ending=Ending.PRESENT, why=why, declared=declared, reached=reached)


def inspect_aiff(source: MediaFile) -> Evidence:
    """Inspect an AIFF file.

    Raises:
        CannotTell: Its structure is too unusual.
    """
    form = int.from_bytes(source.at(4, 4)) + 8
    declared, has_sound, spare = None, False, 0
    for one in _walk_chunks(source, 12, source.size, "big"):
        if one.kind == b"COMM":
            declared = _read_aiff_seconds(source.at(one.start, COMMON))
        has_sound = has_sound or one.kind == b"SSND"
        spare = 1 if one.size & 1 and one.end == source.size else 0
    if form > source.size + spare or not has_sound:
        why = f"{max(0, form - source.size)} bytes are missing of those it says it has"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared)
    why = "it has all the bytes that it says it has"
    return Evidence(ending=Ending.PRESENT, why=why, declared=declared)


def _read_aiff_seconds(common: bytes) -> float | None:
    """Return the duration; the sample rate is a float of ten bytes."""
    if len(common) < COMMON:
        return None
    frames = int.from_bytes(common[2:6])
    exponent = (int.from_bytes(common[8:10]) & 0x7FFF) - 16383 - 63
    if exponent not in range(-127, 0):
        return None
    rate = int.from_bytes(common[10:18]) * 2.0**exponent
    return frames / rate if rate >= 1 else None


def inspect_avi(source: MediaFile) -> Evidence:
    """Inspect an AVI file; a long one has several RIFF lists.

    Raises:
        CannotTell: Its structure is too unusual.
    """
    declared = _read_avi_seconds(source)
    end = 0
    for one in _walk_chunks(source, 0, source.size, "little"):
        if one.kind != b"RIFF":
            break
        if one.size in OPEN:
            return Evidence(declared=declared, why="it was written without a length")
        end = one.end
    if end > source.size:
        why = f"{end - source.size} bytes are missing of those it says it has"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared)
    why = "it has all the bytes that it says it has"
    return Evidence(ending=Ending.PRESENT, why=why, declared=declared)


def _read_avi_seconds(source: MediaFile) -> float | None:
    """Return the duration: the number of frames times the duration of each."""
    head = source.at(0, 4096)
    at = head.find(b"avih")
    if at < 0:
        return None
    each = int.from_bytes(head[at + 8 : at + 12], "little")
    frames = int.from_bytes(head[at + 24 : at + 28], "little")
    long = head.find(b"dmlh")
    if long > 0:
        frames = max(frames, int.from_bytes(head[long + 8 : long + 12], "little"))
    return frames * each / 1e6 or None


def _walk_chunks(source: MediaFile, at: int, end: int, order: str) -> Iterator[Chunk]:
    for _ in range(MOST_CHUNKS):
        head = source.at(at, HEAD)
        if at >= end or len(head) < HEAD:
            return
        size = int.from_bytes(head[4:], "little" if order == "little" else "big")
        one = Chunk(head[:4], at + 8, size)
        yield one
        at = one.end + (size & 1)
        source.check()
    raise CannotTell("it has too many chunks")
