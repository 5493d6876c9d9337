"""Inspects MPEG transport streams, which have no length: by their timestamps and last packets.

Only the beginning and the end are read. A cut within a frame shows in the last packet: the last one
of a frame is filled up with stuffing, one in its middle is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile

PACKET, TIMED_PACKET = 188, 192
SYNC = 0x47
READ = 4 * 1024 * 1024
WRAP = 1 << 33
TICKS = 90_000
# Timestamps give the start of the last frame; its duration is a guess.
GRAIN_S = 0.1
MOST_GAP = WRAP // 2
UNIT_HEAD = 14
# Stream ids of audio and video, and those that AC-3 and VC-1 use.
KINDS = frozenset({*range(0xC0, 0xF0), 0xBD, 0xFD})


@dataclass(slots=True)
class TransportStream:
    """The state of one stream at the end of the file.

    Attributes:
        left: Bytes that its last PES packet still lacks; None if that has no length.
        is_filled: Whether its last transport packet has stuffing.
    """

    left: int | None = None
    is_filled: bool = False


@dataclass(slots=True)
class Reading:
    """The timestamps and streams in a part of the file."""

    stamps: list[int] = field(default_factory=list)
    streams: dict[int, TransportStream] = field(default_factory=dict)


def find_packet_size(head: bytes) -> tuple[int, int] | None:
    """Return the packet size and the offset of the first sync byte; None if there are none."""
    for size, first in ((PACKET, 0), (TIMED_PACKET, 4)):
        places = range(first, first + 4 * size, size)
        if all(head[place : place + 1] == bytes([SYNC]) for place in places):
            return size, first
    return None


def inspect_transport(source: MediaFile) -> Evidence:
    """Inspect an MPEG transport stream.

    Raises:
        CannotTell: It is no transport stream, or has no timestamps.
    """
    found = find_packet_size(source.at(0, 1024))
    if found is None:
        raise CannotTell("it is no transport stream")
    size, first = found
    start = max(0, source.size - READ) // size * size
    begin = _read(source.at(0, READ), size, first)
    end = _read(source.at(start, source.size - start), size, first)
    if not begin.stamps or not end.stamps:
        raise CannotTell("it has no clock")
    reached = _measure_between(begin.stamps, end.stamps)
    if source.size % size:
        return Evidence(ending=Ending.MISSING, why="it ends within a packet", reached=reached)
    if any((one.left or 0) > 0 for one in end.streams.values()):
        return Evidence(ending=Ending.MISSING, why="it ends within a frame", reached=reached)
    open_ends = [one for one in end.streams.values() if one.left is None and not one.is_filled]
    return Evidence(reached=reached, grain=GRAIN_S, errors=len(open_ends))


def _measure_between(begin: list[int], end: list[int]) -> float:
    base = begin[0]
    low = min(_count_ticks(base, one) for one in begin)
    return (max(_count_ticks(base, one) for one in end) - low) / TICKS


def _count_ticks(base: int, stamp: int) -> int:
    """Return the ticks between two timestamps, which wrap around every 26 hours."""
    gap = (stamp - base) % WRAP
    return gap - WRAP if gap > MOST_GAP else gap


def _read(content: bytes, size: int, first: int) -> Reading:
    reading = Reading()
    for at in range(first, len(content) - PACKET + 1, size):
        packet = content[at : at + PACKET]
        if packet[0] != SYNC or not packet[3] & 0x10:
            continue
        skip = 4
        if packet[3] & 0x20:
            skip += 1 + packet[4]
        is_filled = bool(packet[3] & 0x20) and packet[4] != 0
        payload = packet[skip:]
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if packet[1] & 0x40:
            _begin(reading, pid, payload, is_filled=is_filled)
        elif pid in reading.streams:
            stream = reading.streams[pid]
            stream.is_filled = is_filled
            if stream.left is not None:
                stream.left -= len(payload)
    return reading


def _begin(reading: Reading, pid: int, payload: bytes, *, is_filled: bool) -> None:
    """Handle the beginning of a PES packet of audio or video."""
    if payload[:3] != b"\0\0\1" or len(payload) < UNIT_HEAD:
        return
    if payload[3] not in KINDS:
        return
    length = int.from_bytes(payload[4:6])
    left = length + 6 - len(payload) if length else None
    reading.streams[pid] = TransportStream(left, is_filled)
    if payload[7] & 0x80:
        stamp = payload[9:14]
        high, mid, low = stamp[0] >> 1 & 7, int.from_bytes(stamp[1:3]), int.from_bytes(stamp[3:5])
        reading.stamps.append(high << 30 | (mid >> 1) << 15 | low >> 1)
