"""Inspects MP3 and AAC files of plain frames: each frame has a length, so all can be walked.

A frame count in the file (Xing, Info, VBRI) or a tag after the sound proves that the end is there.
Without either, only the running time can prove it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile
from sidecar.transfer.wholeness.tags import SoundRange, find_sound, is_tag

SYNC = re.compile(rb"\xff[\xe0-\xff]")
BLOCK = 1024 * 1024
MOST_JUNK = 4 * 1024 * 1024
MOST_BEFORE = 64 * 1024
HEAD = 4
ADTS_HEAD = 7
XING_HAS_FRAMES, XING_HAS_BYTES = 1, 2

_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
_ADTS_RATES = (
    *(96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000),
    7350,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, parsed from its header.

    Attributes:
        length: In bytes.
        kind: The properties that all frames of a stream share.
        kbits: Bit rate; None if the header has none.
    """

    length: int
    samples: int
    rate: int
    kind: tuple[int, ...]
    kbits: int | None = None


@dataclass(slots=True)
class FrameWalk:
    """The result of a walk over the frames.

    Attributes:
        first: The first frame, which begins at `first_at`.
        last_end: Where the last whole frame ends.
        has_part: Whether a part of another frame follows.
        rest: The first bytes of anything else that follows.
        junk: Bytes between frames that belong to none.
        kbits: The bit rates of all frames.
    """

    first: Frame | None = None
    first_at: int = 0
    frames: int = 0
    samples: int = 0
    last_end: int = 0
    has_part: bool = False
    rest: bytes = b""
    junk: int = 0
    kbits: set[int | None] = field(default_factory=set)

    @property
    def ends_in_a_tag(self) -> bool:
        """Whether a cut tag follows: whole tags are excluded before the walk."""
        return is_tag(self.rest)

    @property
    def seconds(self) -> float:
        """Running time of the whole frames."""
        return self.samples / self.first.rate if self.first else 0.0


@lru_cache(8192)
def parse_mpeg_frame(head: bytes) -> Frame | None:
    """Return the MPEG audio frame with this header of 4 bytes; None if it is no header."""
    if len(head) < HEAD or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - sync
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bitrate in {0, 15} or rate == 3:  # noqa: PLR2004 - reserved
        return None
    low = version != 3  # noqa: PLR2004 - MPEG 1
    table = _KBITS[2 if low else 1, min(layer, 2) if low else layer]
    kbits, padding = table[bitrate - 1], head[2] >> 1 & 1
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    kind = (version, layer, rate)
    if layer == 1:
        return Frame((12000 * kbits // hertz + padding) * 4, 384, hertz, kind, kbits)
    samples = 576 if low and layer == 3 else 1152  # noqa: PLR2004 - layer 3
    return Frame(samples // 8 * 1000 * kbits // hertz + padding, samples, hertz, kind, kbits)


def parse_adts_frame(head: bytes) -> Frame | None:
    """Return the AAC frame with this header of 7 bytes; None if it is no header."""
    if len(head) < ADTS_HEAD or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - sync
        return None
    rate = head[2] >> 2 & 15
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if rate >= len(_ADTS_RATES) or length < ADTS_HEAD:
        return None
    blocks = (head[6] & 3) + 1
    return Frame(length, 1024 * blocks, _ADTS_RATES[rate], (head[1], head[2]))


def inspect_mpeg(source: MediaFile) -> Evidence:
    """Inspect an MP3 file, or MPEG audio of another layer.

    Raises:
        CannotTell: It has no frames, or its structure is too unusual.
    """
    sound = find_sound(source)
    if sound.start >= sound.end:
        return Evidence(ending=Ending.MISSING, why="it ends within the tags at its beginning")
    walk = _walk(source, sound, parse_mpeg_frame, HEAD)
    counted = _count_in(source, walk)
    if counted is None or walk.first is None or walk.ends_in_a_tag:
        return _check_uncounted(walk, sound, is_dependable=len(walk.kbits) == 1)
    frames, size = counted
    seconds = frames * walk.first.samples / walk.first.rate
    return _check_counted(walk, sound, frames, size, declared=seconds or None)


def _check_counted(
    walk: FrameWalk, sound: SoundRange, frames: int, size: int, *, declared: float | None
) -> Evidence:
    """Compare the frames with the counts in the first frame, which itself is no sound."""
    if frames and walk.frames - 1 >= frames:
        why = f"it has all of its {frames} frames"
        return Evidence(ending=Ending.PRESENT, why=why, declared=declared, reached=walk.seconds)
    # Damaged frames are not in `walk.frames`, and some programs count the first one too.
    is_plausible = walk.junk or walk.frames >= frames
    if size and walk.first_at + size <= sound.end and not walk.has_part and is_plausible:
        why = f"it has all of its {size} bytes of sound"
        return Evidence(ending=Ending.PRESENT, why=why, reached=walk.seconds)
    if not frames:
        return _check_uncounted(walk, sound, is_dependable=False)
    why = f"has {max(0, walk.frames - 1)} of {frames} frames"
    if sound.has_tail:
        # Contradiction: the file was edited, or a part in the middle is missing.
        return Evidence(why=why, reached=walk.seconds, is_dependable=False, errors=1)
    return Evidence(ending=Ending.MISSING, why=why, declared=declared, reached=walk.seconds)


def inspect_adts(source: MediaFile) -> Evidence:
    """Inspect an AAC file of plain frames.

    Raises:
        CannotTell: It has no frames, or its structure is too unusual.
    """
    sound = find_sound(source)
    return _check_uncounted(
        _walk(source, sound, parse_adts_frame, ADTS_HEAD), sound, is_dependable=False
    )


def _check_uncounted(walk: FrameWalk, sound: SoundRange, *, is_dependable: bool) -> Evidence:
    seconds = walk.seconds
    if walk.ends_in_a_tag:
        why = "it ends within the tag after its last frame"
        return Evidence(ending=Ending.MISSING, why=why, reached=seconds)
    if sound.has_tail and not walk.has_part:
        why = "a tag follows its last frame"
        return Evidence(ending=Ending.PRESENT, why=why, reached=seconds)
    if walk.has_part and not sound.has_tail:
        why = "it ends within a frame"
        return Evidence(ending=Ending.MISSING, why=why, reached=seconds)
    if walk.rest:
        why = "bytes that are no sound follow its last frame"
        return Evidence(why=why, reached=seconds, is_dependable=False, errors=1)
    return Evidence(reached=seconds, is_dependable=is_dependable)


def _count_in(source: MediaFile, walk: FrameWalk) -> tuple[int, int] | None:
    """Return the numbers of frames and bytes that the first frame gives; None if it has none."""
    if walk.first is None:
        return None
    content = source.at(walk.first_at, walk.first.length)
    for begin in (36, 21, 13):
        if content[begin : begin + 4] in {b"Xing", b"Info"}:
            flags = int.from_bytes(content[begin + 4 : begin + 8])
            numbers = [int.from_bytes(content[begin + n : begin + n + 4]) for n in (8, 12)]
            frames = numbers.pop(0) if flags & XING_HAS_FRAMES else 0
            size = numbers.pop(0) if flags & XING_HAS_BYTES else 0
            return (frames, size) if frames or size else None
    if content[36:40] == b"VBRI":
        return int.from_bytes(content[50:54]), int.from_bytes(content[46:50])
    return None


def _walk(
    source: MediaFile, sound: SoundRange, frame_of: Callable[[bytes], Frame | None], head: int
) -> FrameWalk:
    walk = FrameWalk(last_end=sound.start)
    at, start, block = sound.start, 0, b""
    while at < sound.end:
        if at + head > start + len(block) or at < start:
            start, block = at, source.at(at, BLOCK)
        frame = frame_of(block[at - start : at - start + head])
        if frame is not None and walk.first is not None and frame.kind != walk.first.kind:
            frame = None
        if frame is None or (walk.first is None and not _is_first(source, at, frame, frame_of)):
            at = _next(source, at, sound.end, frame_of, walk)
            continue
        if walk.first is None:
            walk.first, walk.first_at = frame, at
        if at + frame.length > sound.end:
            walk.has_part = True
            break
        at += frame.length
        walk.frames += 1
        walk.samples += frame.samples
        walk.last_end = at
        walk.kbits.add(frame.kbits)
    if walk.first is None:
        raise CannotTell("it has no frames that can be read")
    if not walk.has_part:
        walk.rest = source.at(walk.last_end, max(0, min(16, sound.end - walk.last_end)))
    return walk


def _is_first(
    source: MediaFile, at: int, frame: Frame, frame_of: Callable[[bytes], Frame | None]
) -> bool:
    """Whether another frame follows, as the two sync bytes alone occur anywhere."""
    following = frame_of(source.at(at + frame.length, ADTS_HEAD)[: _header_size(frame_of)])
    return following is not None and following.kind == frame.kind


def _next(
    source: MediaFile, at: int, end: int, frame_of: Callable[[bytes], Frame | None], walk: FrameWalk
) -> int:
    """Return where the next frame begins that is followed by another; `end` if there is none."""
    began = at
    is_last = walk.frames and _is_part(source.at(at, min(HEAD, end - at)), end - at, frame_of)
    while at < end:
        block = source.at(at, min(BLOCK, end - at))
        for found in SYNC.finditer(block, 1):
            place = at + found.start()
            frame = frame_of(source.at(place, _header_size(frame_of)))
            if frame is None or (walk.first is not None and frame.kind != walk.first.kind):
                continue
            ends_file = place + frame.length == end
            if place + frame.length > end:
                continue
            if ends_file or _is_first(source, place, frame, frame_of):
                walk.junk += place - began
                return _find_bound(place, walk)
        walk.junk += len(block)
        began = at = at + max(1, len(block) - 1) if at + len(block) < end else end
        _find_bound(at, walk)
    walk.has_part = walk.has_part or bool(is_last)
    return end


def _is_part(rest: bytes, left: int, frame_of: Callable[[bytes], Frame | None]) -> bool:
    """Whether the last few bytes may be the beginning of a cut header."""
    return left < _header_size(frame_of) and rest[:1] == b"\xff"


def _find_bound(at: int, walk: FrameWalk) -> int:
    most = MOST_JUNK if walk.first is not None else MOST_BEFORE
    if walk.junk > most:
        raise CannotTell("too much in it is no sound")
    return at


def _header_size(frame_of: Callable[[bytes], Frame | None]) -> int:
    return ADTS_HEAD if frame_of is parse_adts_frame else HEAD
