"""Inspects Ogg files (Vorbis, Opus, FLAC, Speex): pages are walked to the one marked as last."""

from __future__ import annotations

from dataclasses import dataclass, field

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile
from sidecar.transfer.wholeness.tags import find_sound

HEAD = 27
CONTINUED, FIRST, LAST = 1, 2, 4
MOST_JUNK = 256 * 1024
MOST_STREAMS = 64
OPUS_RATE = 48000
NO_GRANULE = 2**64 - 1


@dataclass(slots=True)
class OggStream:
    """A logical stream. `rate` is 0 if granules do not count samples; `skip` is the pre-skip."""

    rate: int
    skip: int
    granule: int = 0
    is_over: bool = False


@dataclass(slots=True)
class PageWalk:
    """The result of a walk over the pages.

    Attributes:
        before: Running time of earlier parts, as Ogg files may be concatenated.
    """

    before: float = 0.0
    streams: dict[int, OggStream] = field(default_factory=dict)
    has_sound: bool = False

    @property
    def seconds(self) -> float:
        """Running time of all parts."""
        lengths = [(s.granule - s.skip) / s.rate for s in self.streams.values() if s.rate]
        return self.before + max(0.0, *lengths, 0.0)


def inspect_ogg(source: MediaFile) -> Evidence:
    """Inspect an Ogg file.

    Raises:
        CannotTell: It has no pages, or its structure is too unusual.
    """
    sound = find_sound(source)
    walk, at = PageWalk(), sound.start
    while at < sound.end:
        head = source.at(at, HEAD)
        if head[:4] != b"OggS":
            if b"OggS".startswith(head[: sound.end - at]):
                return _missing_end(walk)
            at = _next(source, at, sound.end)
            continue
        lacing = source.at(at + HEAD, head[26]) if len(head) == HEAD else b""
        length = HEAD + len(lacing) + sum(lacing)
        if len(head) < HEAD or len(lacing) < head[26] or at + length > sound.end:
            return _missing_end(walk)
        _take(walk, head, source.at(at + HEAD + len(lacing), 80))
        at += length
    if not walk.streams:
        raise CannotTell("it has no pages that can be read")
    reached = walk.seconds if any(one.rate for one in walk.streams.values()) else None
    if all(one.is_over for one in walk.streams.values()):
        why = "its last page is marked as the last"
        return Evidence(ending=Ending.PRESENT, why=why, reached=reached)
    if sound.has_tail:
        why = "a tag follows its last page"
        return Evidence(ending=Ending.PRESENT, why=why, reached=reached)
    return Evidence(reached=reached, why="its last page is not marked as the last")


def _missing_end(walk: PageWalk) -> Evidence:
    return Evidence(ending=Ending.MISSING, why="it ends within a page", reached=walk.seconds)


def _take(walk: PageWalk, head: bytes, begin: bytes) -> None:
    flags, serial = head[5], int.from_bytes(head[14:18], "little")
    granule = int.from_bytes(head[6:14], "little")
    if flags & FIRST:
        if walk.has_sound:
            walk.before, walk.has_sound = walk.seconds, False
            walk.streams.clear()
        if len(walk.streams) >= MOST_STREAMS:
            raise CannotTell("it has too many streams")
        walk.streams[serial] = _stream(begin)
    stream = walk.streams.get(serial)
    if stream is None:
        return
    if not flags & FIRST and granule:
        walk.has_sound = True
    if granule != NO_GRANULE and granule < 1 << 63:
        stream.granule = max(stream.granule, granule)
    stream.is_over = stream.is_over or bool(flags & LAST)


def _stream(begin: bytes) -> OggStream:
    if begin.startswith(b"\x01vorbis"):
        return OggStream(int.from_bytes(begin[12:16], "little"), 0)
    if begin.startswith(b"OpusHead"):
        return OggStream(OPUS_RATE, int.from_bytes(begin[10:12], "little"))
    if begin.startswith(b"\x7fFLAC"):
        return OggStream(int.from_bytes(begin[27:30]) >> 4, 0)
    if begin.startswith(b"Speex   "):
        return OggStream(int.from_bytes(begin[36:40], "little"), 0)
    return OggStream(0, 0)


def _next(source: MediaFile, at: int, end: int) -> int:
    """Return where the next page begins; `end` if there is none."""
    most = min(MOST_JUNK, end - at)
    found = source.at(at, most).find(b"OggS", 1)
    if found < 0 and most < end - at:
        raise CannotTell("too much in it is no page")
    return at + found if found >= 0 else end
