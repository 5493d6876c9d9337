"""Inspects Matroska and WebM files: the segment has a length, and its elements are walked."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile

EBML, SEGMENT, INFO = 0x1A45DFA3, 0x18538067, 0x1549A966
SCALE, DURATION, VOID = 0x2AD7B1, 0x4489, 0xEC
LONGEST_HEADER = 12
MOST_ELEMENTS = 2_000_000
MOST_INFO = 64 * 1024
USUAL_SCALE = 1_000_000


@dataclass(frozen=True, slots=True)
class Element:
    """An element. `size` is None if it is not given."""

    number: int
    start: int
    size: int | None


@dataclass(slots=True)
class Times:
    """The running time in the Info element: `ticks` of `scale` nanoseconds."""

    scale: int = USUAL_SCALE
    ticks: float = 0.0

    @property
    def declared(self) -> float | None:
        """Running time in seconds; None if it is not given."""
        return self.ticks * self.scale / 1e9 or None


def inspect_matroska(source: MediaFile) -> Evidence:
    """Inspect a Matroska file.

    Raises:
        CannotTell: It is no Matroska file, or its structure is too unusual.
    """
    head = _read_element(source, 0)
    if head is None or head.number != EBML or head.size is None:
        raise CannotTell("it is no Matroska file")
    segment = _read_element(source, head.start + head.size)
    while segment is not None and segment.number == VOID and segment.size is not None:
        segment = _read_element(source, segment.start + segment.size)
    if segment is None or segment.number != SEGMENT:
        return Evidence(ending=Ending.MISSING, why="it ends before its content begins")
    times = Times()
    is_cut = _walk(source, segment, times)
    if segment.size is None:
        if is_cut:
            why = "it ends within an element"
            return Evidence(ending=Ending.MISSING, why=why, declared=times.declared)
        return Evidence(declared=times.declared, why="it was written without a length")
    end = segment.start + segment.size
    if end > source.size or is_cut:
        why = f"{max(0, end - source.size)} bytes are missing of those it says it has"
        return Evidence(ending=Ending.MISSING, why=why, declared=times.declared)
    why = "it has all the bytes that it says it has"
    return Evidence(ending=Ending.PRESENT, why=why, declared=times.declared)


def _walk(source: MediaFile, segment: Element, times: Times) -> bool:
    """Walk the elements of the segment; return whether one reaches beyond the file's end."""
    at = segment.start
    end = source.size if segment.size is None else min(source.size, at + segment.size)
    for _ in range(MOST_ELEMENTS):
        if at >= end:
            return False
        one = _read_element(source, at)
        if one is None:
            return True
        if one.size is None:
            # Without a size, its children are walked as if they were the segment's.
            at = one.start
            continue
        if one.start + one.size > source.size:
            return True
        if one.number == INFO:
            _read_info(source.at(one.start, min(one.size, MOST_INFO)), times)
        at = one.start + one.size
        source.check()
    raise CannotTell("it has too many elements")


def _read_info(content: bytes, times: Times) -> None:
    at = 0
    while at < len(content):
        found = _read_header(content[at : at + 16])
        number, size, skip = found or (0, None, 0)
        if size is None:
            return
        value = content[at + skip : at + skip + size]
        if number == SCALE:
            times.scale = int.from_bytes(value) or USUAL_SCALE
        elif number == DURATION and size in {4, 8} and len(value) == size:
            (ticks,) = struct.unpack(">f" if size == 4 else ">d", value)  # noqa: PLR2004 - bytes
            times.ticks = ticks if 0 < ticks < 1e15 else 0.0  # noqa: PLR2004 - nan is not
        at += skip + size


def _read_element(source: MediaFile, at: int) -> Element | None:
    """Return the element at an offset; None if the file ends within its header.

    Raises:
        CannotTell: There is no element at this offset.
    """
    head = source.at(at, LONGEST_HEADER)
    found = _read_header(head)
    if found is None:
        if len(head) < LONGEST_HEADER:
            return None
        raise CannotTell("it has bytes that are no element")
    number, size, skip = found
    return Element(number, at + skip, size)


def _read_header(head: bytes) -> tuple[int, int | None, int] | None:
    """Return an element's number, its size, and the length of its header."""
    if not head or not head[0] >> 4:
        return None
    width = 9 - head[0].bit_length()
    if len(head) <= width or not head[width]:
        return None
    long = 9 - head[width].bit_length()
    raw = head[width : width + long]
    if len(raw) < long:
        return None
    size = int.from_bytes(raw) & (1 << 7 * long) - 1
    is_open = size == (1 << 7 * long) - 1
    return int.from_bytes(head[:width]), None if is_open else size, width + long
