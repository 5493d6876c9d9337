"""The formats of films, episodes and music videos on devices, and when such a file stays as it is.

    original        as Jellyfin has it
    1080p, 720p     H.264 and AAC in MP4, at most so large; only where the player needs it
    player          one of these, as the device's preset says

Decides and estimates; the converting is `transfer.converting`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.items.item import ItemType
from sidecar.messages import msg

FILMS = frozenset({ItemType.MOVIE, ItemType.EPISODE, ItemType.MUSIC_VIDEO, ItemType.VIDEO})
# A bitrate is an average: this much above the limit is still the limit.
LEEWAY = 1.05
# An encoder of older standards makes more bytes of the same picture.
MOST_GROWTH = 1.5
SOUND_KBITS = 160
CONTAINERS = frozenset({"mp4", "m4a", "m4v"})
SOUNDS = frozenset({"aac", "mp3"})
# 8 bits in a quarter of the colours: the only ones that each player's H.264 decoder knows.
PIXELS = frozenset({"yuv420p", "yuvj420p"})
MOST_LANGUAGES = 8

_LANGUAGES = re.compile(r"[a-z]{2,3}")
_LIST = r"([a-z]{2,3}(?:\.[a-z]{2,3})*)"
_NAME = re.compile(rf"h264-(1080p|720p)(?:-a\.{_LIST})?(?:-s\.{_LIST})?")


class FilmFormat(StrEnum):
    """The format of a device's films."""

    ORIGINAL = "original"
    FULL_HD = "1080p"
    HD = "720p"
    PLAYER = "player"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What a player with this picture takes, and what is made for it.

    Attributes:
        width, height: The largest picture.
        kbits: Bitrate of converted pictures, in kbit/s.
        most_kbits: Up to this a file that is right otherwise stays as it is.
    """

    width: int
    height: int
    kbits: int
    most_kbits: int


_LIMITS: Mapping[FilmFormat, PictureLimits] = MappingProxyType(
    {
        FilmFormat.FULL_HD: PictureLimits(width=1920, height=1080, kbits=5000, most_kbits=10_000),
        FilmFormat.HD: PictureLimits(width=1280, height=720, kbits=2500, most_kbits=5000),
    }
)


@dataclass(frozen=True, slots=True)
class FilmTarget:
    """A format to convert films to; never `original` or `player`.

    Attributes:
        audio: The languages of the sound that are kept; empty keeps all.
        subtitles: The languages of the subtitles that are kept; empty keeps all.
    """

    format: FilmFormat
    audio: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()

    @property
    def extension(self) -> str:
        """The extension of converted files."""
        return "mp4"

    @property
    def mime_type(self) -> str:
        """The MIME type of converted files."""
        return "video/mp4"

    @property
    def limits(self) -> PictureLimits:
        """The limits of the picture."""
        return _LIMITS[self.format]

    @property
    def name(self) -> str:
        """The name that is stored: "h264-720p-a.de.en-s.de"."""
        audio = f"-a.{'.'.join(self.audio)}" if self.audio else ""
        subtitles = f"-s.{'.'.join(self.subtitles)}" if self.subtitles else ""
        return f"h264-{self.format}{audio}{subtitles}"

    @property
    def title(self) -> str:
        """The name for people: "MP4 720p"."""
        return f"MP4 {self.format}"

    def estimate(self, *, seconds: float | None, source_size: int | None) -> int | None:
        """Estimate the size of a converted film; that of the original if this is not possible.

        A file within the limits may stay as it is, which its name and length do not tell: then
        it is the larger of both.
        """
        if not seconds or seconds <= 0:
            return source_size
        sounds = max(1, len(self.audio))
        likely = int(seconds * (self.limits.kbits + sounds * SOUND_KBITS) * 1000 / 8 * LEEWAY)
        if source_size is None:
            return likely
        if source_size * 8 / seconds > self.limits.most_kbits * 1000 * LEEWAY:
            return min(likely, source_size)
        return max(source_size, min(likely, int(source_size * MOST_GROWTH)))

    def work_bytes(self, likely: int) -> int:
        """Return the bytes that are needed beside source and result: the segments."""
        return likely


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmProperties:
    """The properties of a film's file.

    Attributes:
        containers: ffmpeg's names of the container.
        codec: ffmpeg's name of the picture's codec.
        pixels: ffmpeg's name of the pixel format.
        bitrate: Of the whole file, on average, in bit/s.
        sounds: ffmpeg's names of the sounds' codecs.
    """

    containers: frozenset[str]
    codec: str
    pixels: str
    width: int
    height: int
    bitrate: float
    sounds: tuple[str, ...]
    is_interlaced: bool = False


def choose_film_target(
    wanted: FilmFormat, audio: str | None, subtitles: str | None
) -> FilmTarget | None:
    """Return what the settings of a device ask for; None for the original.

    Raises:
        ValueError: The languages are none.
    """
    if wanted is FilmFormat.ORIGINAL:
        return None
    return FilmTarget(wanted, read_languages(audio), read_languages(subtitles))


def read_languages(text: str | None) -> tuple[str, ...]:
    """Parse languages such as "de, en".

    Raises:
        ValueError: They are no codes of languages, or too many.
    """
    words = (one.strip().lower() for one in (text or "").split(","))
    found = tuple(dict.fromkeys(one for one in words if one))
    is_valid = all(_LANGUAGES.fullmatch(one) for one in found)
    if not is_valid or len(found) > MOST_LANGUAGES:
        raise ValueError('must be codes of languages, such as "de, en"')
    return found


def read_film_target(name: str) -> FilmTarget | None:
    """Return the target that a stored name stands for; None if it is none of films."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    audio, subtitles = (
        tuple(found[number].split(".")) if found[number] else () for number in (2, 3)
    )
    return FilmTarget(FilmFormat(found[1]), audio, subtitles)


def is_picture_fitting(film: FilmProperties, target: FilmTarget) -> bool:
    """Whether the player takes the picture as it is."""
    limits = target.limits
    return (
        film.codec == "h264"
        and film.pixels in PIXELS
        and not film.is_interlaced
        and film.width <= limits.width
        and film.height <= limits.height
        and film.bitrate <= limits.most_kbits * 1000 * LEEWAY
    )


def explain_fitting(film: FilmProperties, target: FilmTarget) -> str | None:
    """Return why a file is not converted; None if the player does not take it as it is."""
    is_fitting = is_picture_fitting(film, target) and bool(film.containers & CONTAINERS)
    if not is_fitting or not set(film.sounds) <= SOUNDS:
        return None
    return msg("Kept as is: players of {format} play it", format=target.title)


def choose_kbits(film: FilmProperties, target: FilmTarget) -> int:
    """Return the bitrate of the converted picture in kbit/s: never far above the source's."""
    source = film.bitrate / 1000 * MOST_GROWTH - SOUND_KBITS
    return int(min(target.limits.kbits, max(source, 200)))
