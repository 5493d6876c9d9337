"""Finds tags before and after the sound that belong to no container: ID3, APE, Lyrics3."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.transfer.wholeness.source import MediaFile

MOST_TAGS = 8
ID3V2_HEAD = 10
ID3V1 = 128
ID3V1_MORE = 227
APE_FOOT = 32
APE_HAS_HEAD = 1 << 31
LYRICS_FOOT = 15
FOOTER_FLAG = 0x10


@dataclass(frozen=True, slots=True)
class SoundRange:
    """The range of a file between the tags at its beginning and its end.

    Attributes:
        has_tail: Whether a tag follows the sound, which proves that the file's end is there.
    """

    start: int
    end: int
    has_tail: bool


def find_sound(source: MediaFile) -> SoundRange:
    """Return the range of the sound; it starts beyond the file's end if a tag reaches there."""
    start = _skip_id3(source)
    end = source.size
    for _ in range(MOST_TAGS):
        before = _find_tag_start(source, end)
        if before == end or before < start:
            break
        end = before
    return SoundRange(start, end, has_tail=end < source.size)


def is_tag(begin: bytes) -> bool:
    """Whether these bytes begin a tag; a tag that is still within the sound's range is cut."""
    return begin.startswith((b"TAG", b"APETAGEX", b"LYRICSBEGIN"))


def _skip_id3(source: MediaFile) -> int:
    at = 0
    for _ in range(MOST_TAGS):
        head = source.at(at, ID3V2_HEAD)
        if len(head) < ID3V2_HEAD or head[:3] != b"ID3":
            break
        at += ID3V2_HEAD + _decode_synchsafe(head[6:10])
        at += ID3V2_HEAD if head[5] & FOOTER_FLAG else 0
    return at


def _find_tag_start(source: MediaFile, end: int) -> int:
    """Return where the tag that ends at `end` begins; `end` if there is none."""
    if end >= ID3V1 and source.at(end - ID3V1, 3) == b"TAG":
        before = end - ID3V1
        more = before - ID3V1_MORE
        return more if more >= 0 and source.at(more, 4) == b"TAG+" else before
    foot = source.at(max(0, end - APE_FOOT), min(end, APE_FOOT))
    if len(foot) == APE_FOOT and foot[:8] == b"APETAGEX":
        size = int.from_bytes(foot[12:16], "little")
        has_head = int.from_bytes(foot[20:24], "little") & APE_HAS_HEAD
        return max(0, end - size - (APE_FOOT if has_head else 0)) if size >= APE_FOOT else end
    if foot.endswith(b"LYRICS200") and foot[-LYRICS_FOOT:-9].isdigit():
        return max(0, end - LYRICS_FOOT - int(foot[-LYRICS_FOOT:-9]))
    if foot[-ID3V2_HEAD:][:3] == b"3DI":
        return max(0, end - 2 * ID3V2_HEAD - _decode_synchsafe(foot[-4:]))
    return end


def _decode_synchsafe(number: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(reversed(number)))
