"""Inspects WavPack and True Audio files, which have sample counts and the length of each block."""

from __future__ import annotations

from sidecar.domain.transfers.wholeness import Ending, Evidence
from sidecar.transfer.wholeness.source import CannotTell, MediaFile
from sidecar.transfer.wholeness.tags import find_sound, is_tag

WAVPACK_HEAD = 32
WAVPACK_RATES = (
    *(6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000),
    *(88200, 96000, 192000),
)
OPEN = 0xFFFFFFFF
TTA_HEAD = 22
MOST_FRAMES = 1_000_000


def inspect_wavpack(source: MediaFile) -> Evidence:
    """Inspect a WavPack file by walking its blocks.

    Raises:
        CannotTell: It has bytes that are no block, or took too long.
    """
    sound = find_sound(source)
    at, total, done, rate = sound.start, 0, 0, 0
    while at < sound.end:
        head = source.at(at, WAVPACK_HEAD)
        if is_tag(head):
            return Evidence(ending=Ending.MISSING, why="it ends within the tag after its sound")
        if len(head) < WAVPACK_HEAD:
            return Evidence(ending=Ending.MISSING, why="it ends within a block")
        if head[:4] != b"wvpk":
            raise CannotTell("it has bytes that are no block")
        size, all_samples, index, samples, flags = (
            int.from_bytes(head[n : n + 4], "little") for n in (4, 12, 16, 20, 24)
        )
        at += 8 + size
        if at > sound.end:
            return Evidence(ending=Ending.MISSING, why="it ends within a block")
        total = total or all_samples
        done = max(done, index + samples)
        code = flags >> 23 & 15
        rate = WAVPACK_RATES[code] if code < len(WAVPACK_RATES) else 0
        source.check()
    return _judge_samples(done, 0 if total == OPEN else total, rate)


def inspect_tta(source: MediaFile) -> Evidence:
    """Inspect a True Audio file by its table of frame lengths.

    Raises:
        CannotTell: It is no True Audio file, or has too many frames.
    """
    sound = find_sound(source)
    head = source.at(sound.start, TTA_HEAD)
    rate, total = (int.from_bytes(head[n : n + 4], "little") for n in (10, 14))
    frame = rate * 256 // 245
    if len(head) < TTA_HEAD or not frame:
        raise CannotTell("it is no True Audio file")
    count = -(-total // frame)
    if count > MOST_FRAMES:
        raise CannotTell("it has too many frames")
    at = sound.start + TTA_HEAD
    table = source.at(at, 4 * count)
    sizes = sum(int.from_bytes(table[n : n + 4], "little") for n in range(0, len(table), 4))
    lacks = at + 4 * count + 4 + sizes - sound.end
    if lacks > 0:
        why = f"{lacks} bytes are missing of those it says it has"
        return Evidence(ending=Ending.MISSING, why=why, declared=total / rate)
    if lacks < 0 and is_tag(source.at(sound.end + lacks, 16)):
        return Evidence(ending=Ending.MISSING, why="it ends within the tag after its sound")
    return _judge_samples(total, total, rate)


def _judge_samples(done: int, total: int, rate: int) -> Evidence:
    reached = done / rate if rate else None
    declared = total / rate if rate and total else None
    if not total:
        return Evidence(reached=reached, why="it does not say how long it is")
    if done < total:
        why = f"has {done} of {total} samples"
        return Evidence(ending=Ending.MISSING, why=why, reached=reached, declared=declared)
    why = f"it has all of its {total} samples"
    return Evidence(ending=Ending.PRESENT, why=why, reached=reached, declared=declared)
