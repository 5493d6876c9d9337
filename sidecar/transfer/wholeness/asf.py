"""Inspects ASF files (WMA, WMV): the header gives the length of the data."""

from __future__ import annotations

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
MOST_HEADER = 8 * 1024 * 1024
BROADCAST = 1
FACTS = 104


def inspect_asf(source: MediaFile) -> Evidence:
    """Inspect an ASF file.

    Raises:
        CannotTell: It is no ASF file, or its structure is too unusual.
    """
    size = _read_number(source.at(16, 8))
    if source.at(0, 16) != HEADER or size > MOST_HEADER:
        raise CannotTell("it is no ASF file")
    if size + 24 > source.size:
        return Evidence(ending=Ending.MISSING, why="it ends before its content begins")
    head = source.at(0, size)
    at = head.find(FILE)
    facts = head[at : at + FACTS] if at >= 0 else b""
    length = _read_number(source.at(size + 16, 8))
    if source.at(size, 16) != DATA or len(facts) < FACTS or facts[88] & BROADCAST or not length:
        return Evidence(why="it was written without a length")
    # The play duration in the header includes the preroll.
    declared = _read_number(facts[64:72]) / 1e7 - _read_number(facts[80:88]) / 1e3
    end = max(size + length, _read_number(facts[40:48]))
    declared_or_none = declared if declared > 0 else None
    if end > source.size:
        why = f"{end - source.size} bytes are missing of those it says it has"
        return Evidence(ending=Ending.MISSING, why=why, declared=declared_or_none)
    why = "it has all the bytes that it says it has"
    return Evidence(ending=Ending.PRESENT, why=why, declared=declared_or_none)


def _read_number(value: bytes) -> int:
    return int.from_bytes(value, "little")
