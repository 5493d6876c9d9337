"""Inspects MP4, M4A, M4B and MOV files: boxes are walked, and the index gives the last chunk.

The index (`moov`) may come first: then a cut file looks whole, except that chunks of the index lie
beyond its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile

MOST_BOXES = 200_000
MOST_INDEX = 24 * 1024 * 1024
MOST_TRACKS = 256
WIDE = 8
KNOWN = frozenset(
    {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"udta", b"uuid", b"meta", b"pnot"}
    | {b"moof", b"mfra", b"sidx", b"styp", b"ssix", b"prft", b"emsg", b"pdin"}
)


@dataclass(slots=True)
class Top:
    """The top-level boxes of a file; `index` is the content of `moov`."""

    index: bytes | None = None
    kinds: list[bytes] = field(default_factory=list)
    is_cut: bool = False


def inspect_mp4(source: MediaFile) -> Evidence:
    """Inspect an MP4 file or a similar one.

    Raises:
        CannotTell: Its structure is too unusual.
    """
    top = _walk(source)
    if top.index is None:
        return Evidence(ending=Ending.MISSING, why="its index (moov) is missing")
    declared, end = _read_seconds(top.index), _find_last_byte(top.index)
    if top.is_cut:
        why = f"it ends within its box {top.kinds[-1].decode('ascii', 'replace')}"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared)
    if end > source.size:
        why = f"its index reaches {end - source.size} bytes beyond its end"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared)
    if b"moof" in top.kinds:
        if b"mfra" in top.kinds:
            why = "the index of its fragments is there"
            return Evidence(ending=Ending.PRESENT, why=why, declared=declared)
        return Evidence(declared=declared, why="its fragments do not tell which is the last")
    if not end:
        raise CannotTell("its index leads to nothing")
    why = "all that its index leads to is there"
    return Evidence(ending=Ending.PRESENT, why=why, declared=declared)


def _walk(source: MediaFile) -> Top:
    top, at = Top(), 0
    for _ in range(MOST_BOXES):
        if at >= source.size:
            return top
        head = source.at(at, 16)
        kind, size, skip = head[4:8], int.from_bytes(head[:4]), 8
        if size == 1 and len(head) == 16:  # noqa: PLR2004 - a long header
            size, skip = int.from_bytes(head[8:]), 16
        elif size == 0 and kind in KNOWN:
            size = source.size - at
        if len(head) < 8 or size < skip or not kind.isascii():  # noqa: PLR2004 - a short header
            return top
        if at + size > source.size:
            top.is_cut = kind in KNOWN
            top.kinds.append(kind)
            return top
        top.kinds.append(kind)
        if kind == b"moov" and top.index is None:
            if size > MOST_INDEX:
                raise CannotTell("its index is too long")
            top.index = source.at(at + skip, size - skip)
        at += size
        source.check()
    raise CannotTell("it has too many boxes")


def _walk_boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the boxes inside a box, as kind and content."""
    at = 0
    while at + 8 <= len(content):
        size, skip = int.from_bytes(content[at : at + 4]), 8
        if size == 1:
            size, skip = int.from_bytes(content[at + 8 : at + 16]), 16
        if size < skip or at + size > len(content):
            return
        yield content[at + 4 : at + 8], content[at + skip : at + size]
        at += size


def _find(content: bytes, *path: bytes) -> bytes:
    for kind in path:
        content = next((inner for found, inner in _walk_boxes(content) if found == kind), b"")
    return content


def _read_seconds(index: bytes) -> float | None:
    """Return the running time; a fragmented file has it in `mehd`, or not at all."""
    head = _find(index, b"mvhd")
    scale, ticks = _scale_and_ticks(head)
    if scale and not ticks:
        more = _find(index, b"mvex", b"mehd")
        ticks = int.from_bytes(more[4:12] if more[:1] == b"\1" else more[4:8])
    return ticks / scale if scale and ticks else None


def _scale_and_ticks(head: bytes) -> tuple[int, int]:
    if head[:1] == b"\1":
        scale, ticks, unknown = head[20:24], head[24:32], 2**64 - 1
    else:
        scale, ticks, unknown = head[12:16], head[16:20], 2**32 - 1
    number = int.from_bytes(ticks)
    return int.from_bytes(scale), 0 if number == unknown else number


def _find_last_byte(index: bytes) -> int:
    """Return where the last chunk in the index ends; 0 if it has none."""
    tracks = [inner for kind, inner in _walk_boxes(index) if kind == b"trak"]
    if len(tracks) > MOST_TRACKS:
        raise CannotTell("it has too many tracks")
    return max(
        (_find_track_end(_find(one, b"mdia", b"minf", b"stbl")) for one in tracks), default=0
    )


def _find_track_end(table: bytes) -> int:
    parts = dict(_walk_boxes(table))
    width, chunks = (WIDE, parts[b"co64"]) if b"co64" in parts else (4, parts.get(b"stco", b""))
    count = min(int.from_bytes(chunks[4:8]), (len(chunks) - 8) // width)
    if count <= 0:
        return 0
    offsets = struct.unpack_from(f">{count}{'Q' if width == WIDE else 'I'}", chunks, 8)
    last = max(range(count), key=offsets.__getitem__)
    return int(offsets[last]) + _compute_chunk_size(parts, last, count)


def _compute_chunk_size(parts: dict[bytes, bytes], chunk: int, count: int) -> int:
    """Return the size of a chunk in bytes: never too much, but possibly too little."""
    runs = _read_runs(parts.get(b"stsc", b""))
    before = here = 0
    for number, (first, samples) in enumerate(runs):
        following = runs[number + 1][0] if number + 1 < len(runs) else count
        if first <= chunk < following:
            before += (chunk - first) * samples
            here = samples
            break
        before += max(0, following - first) * samples
    sizes = parts.get(b"stsz", b"")
    each, total = int.from_bytes(sizes[4:8]), int.from_bytes(sizes[8:12])
    here = max(0, min(here, total - before))
    if each:
        # For PCM sound old files count single bytes as samples: then this is too little.
        return each * here
    start = 12 + 4 * before
    found = sizes[start : start + 4 * here]
    return sum(struct.unpack(f">{len(found) // 4}I", found[: len(found) // 4 * 4]))


def _read_runs(table: bytes) -> list[tuple[int, int]]:
    """Return pairs of a first chunk (from 0) and the samples in each chunk from there on."""
    count = min(int.from_bytes(table[4:8]), (len(table) - 8) // 12)
    if count <= 0:
        return []
    numbers = struct.unpack_from(f">{count * 3}I", table, 8)
    pairs = zip(numbers[::3], numbers[1::3], strict=True)
    return [(first - 1, samples) for first, samples in pairs]
