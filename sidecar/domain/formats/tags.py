"""Tags as values, under the same names for all kinds of files.

    file ─▶ `collected` ─▶ `completed` by Jellyfin's metadata ─▶ `written` for a kind of file

    track 1/12                  ⇄  track 1, tracktotal 12
    replaygain_… -6.50 dB       ⇄  R128_… -2944          (Opus has no other)

All values of a field are kept. What cannot be read as a number, a date or a gain stays as it is.
Tags are untrusted: how many there are, and how long they are, is bounded here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from sidecar.domain.formats.lyrics import without_word_times
from sidecar.domain.formats.tag_fields import BY_NAME, TOTALS, FieldKind, TagSystem, canonical

MOST_TAGS = 256
LONGEST_VALUE = 64 * 1024
MOST_IN_ALL = 512 * 1024
SEPARATOR = "; "

Tags = dict[str, tuple[str, ...]]

# Opus refers to -23 LUFS, ReplayGain 2.0 to -18.
LOUDER_BY_DB = 5.0
STEPS_PER_DB = 256
_GAINS = {
    "r128_track_gain": "replaygain_track_gain",
    "r128_album_gain": "replaygain_album_gain",
}
_LEAST_STEP, _MOST_STEP = -(2**15), 2**15 - 1

# Tags about the old file, not the music; and those that are carried over in another way.
_NOT_OF_THE_MUSIC = re.compile(
    r"encoder|encoded_by|encodedby|encoder_options|encodersettings|encoding|major_brand"
    r"|minor_version|compatible_brands|creation_time|handler_name|vendor_id"
    r"|metadata_block_picture|coverart(mime)?|cover art \(.*|id3v2_priv\..*"
    r"|chapter\d+(name|url)?|itunsmpb|itunnorm|itunes_cddb_.*|itunpgap|wm/picture|wm/encoding\w+"
    r"|isvbr|wm/mediaprimaryclassid|wmfsdkversion|wmfsdkneeded|devicconformancetemplate"
    r"|gapless_playback|waveformatextensible_channel_mask|duration|bps|tlen|number_of_\w+"
    r"|_statistics_.*|timecode|replaygain_reference_loudness|replaygain_algorithm"
    r"|mp3gain_\w+"
)
_LYRICS_OF_FFMPEG = re.compile(r"lyrics-[a-z]{3}")
_NUMBER = re.compile(r"(\d{1,5})(?: ?(?:/|of) ?(\d{1,5})?)?", re.IGNORECASE)
_TOTAL = re.compile(r"\d{1,5}")
_DATE = re.compile(r"(\d{4})(?:[-./](\d{1,2})(?:[-./](\d{1,2})(?:[T ].*)?)?)?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_GAIN = re.compile(r"([+-]? ?(?:\d{1,3}(?:\.\d{0,6})?|\.\d{1,6})) ?(db|lu|lufs)?", re.IGNORECASE)
_PLAIN_GAIN = re.compile(r"[+-]?\d{1,3}\.\d{1,6} dB")
_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}")
_NO = frozenset({"0", "no", "false", "n", ""})
# Characters that are used as a minus.
_MINUS = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-"))


def collected(found: Iterable[tuple[str, str]]) -> Tags:
    """Normalise the tags of a file: our names, one spelling of values.

    Args:
        found: Names and values in the file's order; a name may occur more than once.
    """
    named: dict[str, dict[str, list[str]]] = {}
    for name, value in _limit(found):
        named.setdefault(canonical(name), {}).setdefault(name, []).append(value)
    tags: Tags = {}
    for field, spellings in named.items():
        for number, (spelling, values) in enumerate(
            sorted(spellings.items(), key=lambda one: one[0] != field)
        ):
            _take(tags, field, spelling, values, is_first=number == 0)
    _from_r128(tags)
    return {name: values for name, values in _in_form(tags).items() if values}


def written(
    tags: Mapping[str, Sequence[str]],
    system: TagSystem,
    *,
    separator: str = SEPARATOR,
    knows_words: bool = False,
) -> Tags:
    """Convert tags for a tag system.

    Args:
        tags: Normalised ones.
        system: The tag system; ID3v2.3 has one value for each field.
        separator: Joins several values where only one is possible.
        knows_words: Whether the player supports lyrics with a time for each word.
    """
    ready: Tags = {name: tuple(values) for name, values in tags.items()}
    if not knows_words and "lyrics" in ready:
        ready["lyrics"] = tuple(map(without_word_times, ready["lyrics"]))
    if system is not TagSystem.VORBIS:
        for number, total in TOTALS.items():
            totals, numbers = ready.get(total, ()), ready.get(number, ("0",))
            # The number "A1" of a vinyl record cannot have a total.
            if totals and numbers[0].isdigit():
                ready[number] = (f"{numbers[0]}/{totals[0]}",)
                del ready[total]
    if system is TagSystem.ID3_23:
        ready = {name: _joined(name, values, separator) for name, values in ready.items()}
    return ready


def gain_steps(text: str) -> int | None:
    """Convert a gain to Opus' units; None if it cannot be read."""
    gain = read_gain(text)
    if gain is None:
        return None
    return min(max(round((gain - LOUDER_BY_DB) * STEPS_PER_DB), _LEAST_STEP), _MOST_STEP)


def read_gain(text: str) -> float | None:
    """Parse decibels in any spelling: "-7,89 dB", "\u2212.50 dB", "+3 LU"."""
    found = _GAIN.fullmatch(_plain(text).translate(_MINUS).replace(",", "."))
    return None if found is None else float(found[1].replace(" ", ""))


def to_r128(tags: Mapping[str, Sequence[str]]) -> Tags:
    """Convert gains for Opus: RFC 7845 allows R128 gains only, and no peaks.

    A gain that cannot be read stays, with its peak.
    """
    ready: Tags = {name: tuple(values) for name, values in tags.items()}
    for r128, gain in _GAINS.items():
        steps = gain_steps(ready[gain][0]) if gain in ready else None
        if steps is not None:
            ready[r128] = (str(steps),)
            del ready[gain]
            ready.pop(gain.replace("_gain", "_peak"), None)
    return ready


def _limit(found: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    room, left = MOST_IN_ALL, MOST_TAGS
    # A NUL separates values, also where a format has another way for that.
    apart = ((key, one) for key, value in found for one in value.split("\0"))
    for key, value in apart:
        name = " ".join(key.replace("\0", "").lower().split())
        name = "lyrics" if _LYRICS_OF_FFMPEG.fullmatch(name) else name
        text = _clean(value)
        fits = len(text) <= min(LONGEST_VALUE, room)
        if not name or not text or not fits or _NOT_OF_THE_MUSIC.fullmatch(name):
            continue
        if left > 0:
            room -= len(text)
            left -= 1
            yield name, text


def _clean(value: str) -> str:
    whole = value.encode("utf-8", "replace").decode().replace("\0", "")
    return whole.replace("\r\n", "\n").replace("\r", "\n").strip()


def _take(tags: Tags, field: str, spelling: str, values: list[str], *, is_first: bool) -> None:
    """Add the values of a field under one of its names; a second name adds only new values."""
    there = tags.get(field, ())
    if is_first:
        tags[field] = tuple(dict.fromkeys(values))
    elif BY_NAME[field].kind is FieldKind.LYRICS:
        tags[field] = tuple(dict.fromkeys([*there, *values]))
    elif not all(any(old.startswith(one) for old in there) for one in values):
        tags[spelling] = tuple(dict.fromkeys(values))


def _in_form(tags: Tags) -> Tags:
    formed = dict(tags)
    for name, values in tags.items():
        kind = BY_NAME[name].kind if name in BY_NAME else FieldKind.TEXT
        match kind:
            case FieldKind.NUMBER:
                _split_number(formed, name, values[0])
            case FieldKind.TOTAL:
                formed[name] = _total(formed[name])
            case FieldKind.DATE:
                formed[name] = tuple(filter(None, map(_date, values)))
            case FieldKind.FLAG:
                formed[name] = () if values[0].casefold() in _NO else ("1",)
            case FieldKind.GAIN:
                formed[name] = tuple(map(_gain, values[:1]))
            case FieldKind.PEAK | FieldKind.INTEGER:
                formed[name] = tuple(map(_amount, values[:1]))
            case _:
                pass
    return formed


def _split_number(tags: Tags, name: str, value: str) -> None:
    found = _NUMBER.fullmatch(_plain(value))
    if found is None:
        tags[name] = (value,)
        return
    number, total = int(found[1]), int(found[2] or 0)
    tags[name] = (str(number),) if number else ()
    if total and not _total(tags.get(TOTALS[name], ())):
        tags[TOTALS[name]] = (str(total),)


def _total(values: Sequence[str]) -> tuple[str, ...]:
    found = _TOTAL.fullmatch(_plain(values[0])) if values else None
    return (str(int(found[0])),) if found is not None and int(found[0]) else ()


def _date(text: str) -> str:
    """Return the valid part of a date: "2005-00-00" is a year; other texts stay."""
    plain = _plain(text)
    found = _COMPACT_DATE.fullmatch(plain) or _DATE.fullmatch(plain)
    if found is None:
        return "" if plain.strip("0") == "" else text
    year, month, day = (int(one or 0) for one in found.groups())
    if not year:
        return ""
    if not 1 <= month <= 12:  # noqa: PLR2004 - months
        return f"{year:04}"
    return f"{year:04}-{month:02}-{day:02}" if 1 <= day <= 31 else f"{year:04}-{month:02}"  # noqa: PLR2004 - days


def _gain(text: str) -> str:
    gain = read_gain(text)
    return text if gain is None or _PLAIN_GAIN.fullmatch(text) else f"{gain:+.2f} dB"


def _amount(text: str) -> str:
    plain = _plain(text).replace(",", ".")
    return plain if _AMOUNT.fullmatch(plain) else text


def _joined(name: str, values: Sequence[str], separator: str) -> tuple[str, ...]:
    kind = BY_NAME[name].kind if name in BY_NAME else FieldKind.TEXT
    if kind in {FieldKind.LYRICS, FieldKind.PERSON} or len(values) < 2:  # noqa: PLR2004 - several
        return tuple(values)
    return (separator.join(values),)


def _from_r128(tags: Tags) -> None:
    for r128, gain in _GAINS.items():
        told = tags.get(r128)
        if told is None:
            continue
        steps = _plain(told[0]).translate(_MINUS)
        if re.fullmatch(r"[+-]?\d{1,6}", steps):
            del tags[r128]
            tags.setdefault(gain, (f"{int(steps) / STEPS_PER_DB + LOUDER_BY_DB:.2f} dB",))


def _plain(text: str) -> str:
    """Return a text with ASCII digits, minus signs and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())
