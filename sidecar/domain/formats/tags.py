"""Converts tags from one format to another: nothing that a player shows is lost.

    track 1/12                  ⇄  track 1, tracktotal 12
    replaygain_… -6.50 dB       ⇄  R128_… -2944          (Opus knows no other)

Tags are untrusted: how many there are, and how long they are, is bounded here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from sidecar.domain.formats.formats import Format

MOST_TAGS = 256
LONGEST_VALUE = 64 * 1024
MOST_IN_ALL = 512 * 1024

# Opus refers to -23 LUFS, ReplayGain 2.0 to -18.
LOUDER_BY_DB = 5.0
STEPS_PER_DB = 256
_GAINS = {
    "r128_track_gain": "replaygain_track_gain",
    "r128_album_gain": "replaygain_album_gain",
}
_LEAST_STEP, _MOST_STEP = -(2**15), 2**15 - 1

# What tells about the old file, not about the music; and what is brought over in another way.
_NOT_OF_THE_MUSIC = re.compile(
    r"encoder|encoded_by|encoder_options|encoding|major_brand|minor_version|compatible_brands"
    r"|creation_time|handler_name|vendor_id|metadata_block_picture|coverart(mime)?"
    r"|id3v2_priv\..*|chapter\d+(name|url)?|itunsmpb|itunnorm|itunes_cddb_.*|itunpgap"
    r"|gapless_playback|waveformatextensible_channel_mask|duration|bps|tlen|number_of_\w+"
    r"|_statistics_.*|timecode|replaygain_reference_loudness"
)
_TOTALS = {
    "track": ("tracktotal", "totaltracks"),
    "disc": ("disctotal", "totaldiscs"),
}
_GAIN = re.compile(r"([+-]?\d{1,3}(\.\d{1,6})?) *(db)?", re.IGNORECASE)


def convert_tags(found: Mapping[str, str], wanted: Format) -> dict[str, str]:
    """Return the tags that a converted file gets.

    Args:
        found: Of the original, as ffmpeg names them, in any case.
        wanted: What the file becomes; its habits decide about numbers and gains.
    """
    tags = _limit(found)
    _merge_numbers(tags)
    if wanted is Format.OPUS:
        _split_numbers(tags)
        _to_r128(tags)
    else:
        _from_r128(tags)
    return tags


def _limit(found: Mapping[str, str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    room = MOST_IN_ALL
    for key, value in found.items():
        name = key.strip().lower()
        text = value.replace("\0", "").strip()
        fits = len(text) <= min(LONGEST_VALUE, room)
        if not name or not text or not fits or _NOT_OF_THE_MUSIC.fullmatch(name):
            continue
        if len(tags) < MOST_TAGS:
            tags.setdefault(name, text)
            room -= len(text)
    return tags


def _merge_numbers(tags: dict[str, str]) -> None:
    """Write "1/12", however the original wrote it."""
    for number, names in _TOTALS.items():
        totals = [tags.pop(name) for name in names if name in tags]
        if totals and number in tags and "/" not in tags[number]:
            tags[number] = f"{tags[number]}/{totals[0]}"


def _split_numbers(tags: dict[str, str]) -> None:
    for number, (total, _) in _TOTALS.items():
        first, slash, rest = tags.get(number, "").partition("/")
        if slash:
            tags[number] = first.strip()
            tags[total] = rest.strip()


def _to_r128(tags: dict[str, str]) -> None:
    """RFC 7845 wants gains of one kind only, and no peaks."""
    for r128, gain in _GAINS.items():
        told = _GAIN.fullmatch(tags.get(gain, ""))
        if told is not None and r128 not in tags:
            steps = round((float(told[1]) - LOUDER_BY_DB) * STEPS_PER_DB)
            tags[r128] = str(min(max(steps, _LEAST_STEP), _MOST_STEP))
    for name in [one for one in tags if one.startswith("replaygain_")]:
        del tags[name]


def _from_r128(tags: dict[str, str]) -> None:
    for r128, gain in _GAINS.items():
        told = tags.pop(r128, None)
        if told is None or gain in tags:
            continue
        with suppress(ValueError):
            tags[gain] = f"{int(told) / STEPS_PER_DB + LOUDER_BY_DB:.2f} dB"
