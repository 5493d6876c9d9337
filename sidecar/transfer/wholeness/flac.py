"""Inspects FLAC files: the number of samples is in the header, and each frame has its position."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile
from sidecar.transfer.wholeness.tags import find_sound

FRAME_SYNC = re.compile(rb"\xff[\xf8\xf9]")
MOST_BLOCKS = 128
STREAMINFO = 34
# A frame of two channels is rarely above 40 KiB; of eight, uncompressed, below this.
TAIL = 1024 * 1024
# Other bytes hardly ever look like a header, so the last match is usually the last frame.
MOST_CANDIDATES = 6
MOST_HEAD = 16
_SIZES = {1: 192, **{n: 576 << (n - 2) for n in range(2, 6)}, **{n: 1 << n for n in range(8, 16)}}


def _make_table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        table.append(value)
    return tuple(table)


_CRC8 = _make_table(0x07, 8)
_CRC16 = _make_table(0x8005, 16)


@dataclass(frozen=True, slots=True)
class Info:
    """The STREAMINFO block; `samples` is 0 if their number is not given."""

    block: int
    is_fixed: bool
    rate: int
    samples: int


def inspect_flac(source: MediaFile) -> Evidence:
    """Inspect a FLAC file.

    Raises:
        CannotTell: It is no FLAC file, or its structure is too unusual.
    """
    sound = find_sound(source)
    info, first = _read_metadata(source, sound.start)
    declared = info.samples / info.rate if info.samples else None
    if first >= sound.end:
        why = "it ends before its sound begins"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared, reached=0.0)
    start = max(first, sound.end - TAIL)
    ends_at, is_whole = _find_last_frame(source.at(start, sound.end - start), info)
    reached = ends_at / info.rate if ends_at is not None else None
    if not is_whole:
        why = "it ends within a frame"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared, reached=reached)
    if not info.samples:
        return Evidence(reached=reached)
    if (ends_at or 0) < info.samples:
        why = f"has {ends_at} of {info.samples} samples"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared, reached=reached)
    why = f"its last frame ends with sample {ends_at}"
    return Evidence(ending=Ending.PRESENT, why=why, declared=declared, reached=reached)


def _read_metadata(source: MediaFile, at: int) -> tuple[Info, int]:
    """Return the STREAMINFO block, and the offset of the first frame."""
    if source.at(at, 4) != b"fLaC":
        raise CannotTell("it is no FLAC file")
    at += 4
    info = None
    for _ in range(MOST_BLOCKS):
        head = source.at(at, 4)
        if len(head) < 4:  # noqa: PLR2004 - a block's header
            break
        length = int.from_bytes(head[1:])
        if head[0] & 0x7F == 0 and length >= STREAMINFO:
            info = _read_info(source.at(at + 4, STREAMINFO))
        at += 4 + length
        if head[0] & 0x80:
            break
    if info is None:
        raise CannotTell("it does not say what is in it")
    return info, at


def _read_info(block: bytes) -> Info:
    if len(block) < STREAMINFO:
        raise CannotTell("it ends at once")
    packed = int.from_bytes(block[10:18])
    smallest, largest = int.from_bytes(block[:2]), int.from_bytes(block[2:4])
    rate = packed >> 44
    if not rate:
        raise CannotTell("it does not say how fast it is")
    return Info(largest, smallest == largest, rate, packed & (1 << 36) - 1)


def _find_last_frame(tail: bytes, info: Info) -> tuple[int | None, bool]:
    """Return the sample after the last frame's, and whether that frame is whole.

    Its checksum covers the whole frame, so a cut frame hardly ever matches.
    """
    best = None
    places = [one.start() for one in FRAME_SYNC.finditer(tail)]
    tried = 0
    for place in reversed(places):
        ends_at = _read_frame_end(tail[place : place + MOST_HEAD], info)
        if ends_at is None:
            continue
        best = ends_at if best is None else best
        if _compute_crc(_CRC16, 16, tail[place:]) == 0:
            return ends_at, True
        tried += 1
        if tried >= MOST_CANDIDATES:
            break
    return best, False


def _read_frame_end(head: bytes, info: Info) -> int | None:
    """Return the sample after the frame with this header; None if it is no header."""
    coded, at = _read_coded_number(head)
    if coded is None or len(head) < at + 5:
        return None
    code = head[2] >> 4
    size = _SIZES.get(code)
    if code in {6, 7}:
        count = code - 5
        size = int.from_bytes(head[at : at + count]) + 1
        at += count
    at += {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    if size is None or len(head) <= at or _compute_crc(_CRC8, 8, head[: at + 1]) != 0:
        return None
    begins_at = coded if head[1] & 1 else coded * info.block
    return begins_at + size


def _read_coded_number(head: bytes) -> tuple[int | None, int]:
    """Return the number in a frame's header, coded like UTF-8, and where it ends."""
    if len(head) < 5:  # noqa: PLR2004 - the shortest
        return None, 0
    lead = head[4]
    ones = 8 - (lead ^ 0xFF).bit_length()
    if ones == 0:
        return lead, 5
    if ones in {1, 8} or len(head) < 4 + ones:
        return None, 0
    number = lead & (0x7F >> ones)
    for byte in head[5 : 4 + ones]:
        if byte & 0xC0 != 0x80:  # noqa: PLR2004 - as UTF-8 goes on
            return None, 0
        number = number << 6 | byte & 0x3F
    return number, 4 + ones


def _compute_crc(table: tuple[int, ...], bits: int, content: bytes) -> int:
    value, mask, shift = 0, (1 << bits) - 1, bits - 8
    for byte in content:
        value = (value << 8 & mask) ^ table[value >> shift ^ byte]
    return value
