"""The audio formats of devices, and when a file is not converted.

    original    as Jellyfin has it
    opus, mp3, aac    converted here, at a bitrate; never larger than the original

Music and audiobooks only; `films` has the formats of what has a picture. Decides and estimates; the
converting is `transfer.converting`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from sidecar.domain.formats.films import FILMS, FilmTarget, read_film_target
from sidecar.domain.items.item import ItemType
from sidecar.messages import msg

ORIGINAL = "original"
# As Jellyfin has it, with missing and broken tags completed.
TAGGED = "original-tagged"
MUSIC = frozenset({ItemType.AUDIO, ItemType.AUDIO_BOOK})
# Bytes besides the audio: tags and a cover, as most files have them.
AROUND_THE_SOUND = 128 * 1024
# A bitrate is an average: this much above the target is still the target.
LEEWAY = 1.05
MOST_SAMPLES, CD_SAMPLES = 48_000, 44_100
LOSSLESS = re.compile(
    r"flac|alac|wavpack|ape|tta|tak|mlp|truehd|wmalossless|shorten|als|ralf|mp4als"
    r"|(pcm|dsd)_\w+"
)
LOSSY_EXTENSIONS = frozenset({"mp3", "opus", "ogg", "oga", "m4a", "m4b", "aac", "wma", "mpc"})

_BITRATE = re.compile(r"(\d{1,4}) ?k(bit/s|bps)?", re.IGNORECASE)


class Format(StrEnum):
    """The format of a device's music."""

    ORIGINAL = ORIGINAL
    OPUS = "opus"
    MP3 = "mp3"
    AAC = "aac"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCodec:
    """The properties of a format.

    Attributes:
        extension: Of its files.
        encoder: ffmpeg's name of it.
        found_as: ffmpeg's name of the encoder's output.
        usual, least, most: Bitrates in kbit/s.
    """

    extension: str
    mime_type: str
    encoder: str
    found_as: str
    usual: int
    least: int
    most: int


CODECS: Mapping[Format, TargetCodec] = MappingProxyType(
    {
        Format.OPUS: TargetCodec(
            extension="opus",
            mime_type="audio/ogg",
            encoder="libopus",
            found_as="opus",
            usual=128,
            least=32,
            most=256,
        ),
        Format.MP3: TargetCodec(
            extension="mp3",
            mime_type="audio/mpeg",
            encoder="libmp3lame",
            found_as="mp3",
            usual=192,
            least=64,
            most=320,
        ),
        Format.AAC: TargetCodec(
            extension="m4a",
            mime_type="audio/mp4",
            encoder="aac",
            found_as="aac",
            usual=160,
            least=64,
            most=320,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """A format to convert to; never `original`.

    Attributes:
        kbits: The bitrate in kbit/s.
    """

    format: Format
    kbits: int

    @property
    def codec(self) -> TargetCodec:
        """The properties of the format."""
        return CODECS[self.format]

    @property
    def name(self) -> str:
        """The name that is stored: "opus-128k"."""
        return f"{self.format}-{self.kbits}k"

    @property
    def title(self) -> str:
        """The name for people: "Opus 128k"."""
        return f"{_TITLES[self.format]} {self.kbits}k"

    @property
    def extension(self) -> str:
        """The extension of converted files."""
        return self.codec.extension

    @property
    def mime_type(self) -> str:
        """The MIME type of converted files."""
        return self.codec.mime_type

    def estimate(self, *, seconds: float | None, source_size: int | None) -> int | None:
        """Estimate the size of a converted file; that of the original if this is not possible.

        Never more than the original: a larger result is discarded.
        """
        if not seconds or seconds <= 0:
            return source_size
        likely = int(seconds * self.kbits * 1000 / 8 * LEEWAY) + AROUND_THE_SOUND
        return likely if source_size is None else min(likely, source_size)

    def work_bytes(self, _likely: int) -> int:
        """Return the bytes that are needed beside source and result: none."""
        return 0


AnyTarget = Target | FilmTarget

_TITLES = {Format.OPUS: "Opus", Format.MP3: "MP3", Format.AAC: "AAC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioProperties:
    """The audio properties of a file.

    Attributes:
        codec: ffmpeg's name of it.
        bitrate: Of the audio, on average, in bit/s; None if unknown.
        seconds: Its length.
        size: Bytes of the file.
        rate: Samples a second; 0 if unknown.
    """

    codec: str
    bitrate: float | None
    seconds: float
    channels: int
    size: int
    rate: int = 0

    @property
    def is_lossless(self) -> bool:
        """Whether the codec is lossless."""
        return LOSSLESS.fullmatch(self.codec) is not None


def choose_target(wanted: Format, bitrate: str | None) -> Target | None:
    """Return what the settings of a device ask for; None for the original.

    Raises:
        ValueError: It is no bitrate, or not one for this format.
    """
    if wanted is Format.ORIGINAL:
        return None
    codec = CODECS[wanted]
    kbits = codec.usual if bitrate is None else read_bitrate(bitrate)
    if not codec.least <= kbits <= codec.most:
        raise ValueError(
            f"must be from {codec.least}k to {codec.most}k for {_TITLES[wanted]}"
            f" (usual: {codec.usual}k)"
        )
    return Target(wanted, kbits)


def read_bitrate(text: str) -> int:
    """Parse a bitrate such as "128k"; return kbit/s.

    Raises:
        ValueError: It is no bitrate.
    """
    found = _BITRATE.fullmatch(text.strip())
    if found is None:
        raise ValueError('must be a bitrate such as "128k"')
    return int(found[1])


# Asked several times for each file, and hardly ever of another format.
@lru_cache(maxsize=64)
def read_any_target(name: str) -> AnyTarget | None:
    """Return the target of music or films that a stored name stands for; None for the original."""
    return read_film_target(name) or read_target(name)


def read_target(name: str) -> Target | None:
    """Return the target of music that a stored name stands for; None if it is none."""
    wanted, _, bitrate = name.partition("-")
    if wanted not in {one.value for one in CODECS} or _BITRATE.fullmatch(bitrate) is None:
        return None
    return Target(Format(wanted), read_bitrate(bitrate))


def name_for(
    target: Target | None,
    item_type: str,
    *,
    film: FilmTarget | None = None,
    completes_tags: bool = False,
) -> str:
    """Return the name of an item's format: only music and films are ever converted."""
    if item_type in FILMS:
        return film.name if film is not None else ORIGINAL
    if item_type not in MUSIC:
        return ORIGINAL
    if target is not None:
        return target.name
    return TAGGED if completes_tags else ORIGINAL


def is_small_enough(target: Target, *, extension: str, size: int, seconds: float | None) -> bool:
    """Whether `explain_unconverted` would leave a file alone, by its name, size and length."""
    if extension not in LOSSY_EXTENSIONS or not seconds:
        return False
    return size * 8 / seconds <= target.kbits * 1000 * LEEWAY


def explain_unconverted(sound: AudioProperties, target: Target) -> str | None:
    """Return why a file is not converted at all; None if it is."""
    if sound.is_lossless or sound.bitrate is None:
        return None
    if sound.bitrate <= target.kbits * 1000 * LEEWAY:
        has = round(sound.bitrate / 1000)
        return msg(
            "Kept as is: already {has} kbit/s, and {format} would not be smaller",
            has=has,
            format=target.title,
        )
    return None


def sample_rate(sound: AudioProperties) -> int | None:
    """Return the samples a second that a sound is converted to; None leaves them as they are.

    More than 48 kHz is inaudible, and many players refuse it in these formats.
    """
    if sound.rate <= MOST_SAMPLES:
        return None
    return CD_SAMPLES if sound.rate % CD_SAMPLES == 0 else MOST_SAMPLES


def explain_not_smaller(target: Target) -> str:
    """Return the note for a file that did not become smaller."""
    return msg("Kept as is: {format} would not be smaller", format=target.title)


def explain_not_converted(target: AnyTarget, why: str) -> str:
    """Return the note for a file that could not be converted.

    Args:
        target: What it was to become.
        why: Half a sentence: "it has no sound".
    """
    return msg(
        "Kept as is: could not be converted to {format} ({why})",
        format=target.title,
        why=why,
    )
