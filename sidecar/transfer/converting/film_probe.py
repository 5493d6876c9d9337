"""Reads the properties of a film with ffprobe, and chooses the sounds and subtitles to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, BinaryIO

from babel.core import get_global

from sidecar.bounded_json import read_json
from sidecar.clock import Clock
from sidecar.domain.formats.films import FilmProperties
from sidecar.messages import msg
from sidecar.transfer.converting.probe import (
    CONTAINERS,
    LOOK_WITHIN_S,
    MOST_VALUES,
    ONLY_FILES,
)
from sidecar.transfer.converting.subprocess import MOST_SAID, ChildFailed, get_inherited_path, run

UNTRUSTED_FILM = (*ONLY_FILES, "-format_whitelist", f"{CONTAINERS},mpeg,flv")
# Subtitles that are pictures (Blu-ray, DVD) have no place in MP4.
AS_TEXT = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
MOST_STREAMS = 32


@dataclass(frozen=True, slots=True)
class FilmStream:
    """A sound or subtitles in a film.

    Attributes:
        index: Among all streams of the file.
        codec: ffmpeg's name of it.
        language: As in the file; empty if unknown.
    """

    index: int
    codec: str
    language: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedFilm:
    """What ffprobe found in a film.

    Attributes:
        seconds: Its length.
        picture: Index of the picture's stream.
        picture_seconds: Length of the picture.
    """

    properties: FilmProperties
    seconds: float
    picture: int
    picture_seconds: float
    sounds: tuple[FilmStream, ...]
    subtitles: tuple[FilmStream, ...]


def probe_film(ffprobe: str, file: BinaryIO, *, size: int, clock: Clock, stop: Event) -> ProbedFilm:
    """Return the properties of a film.

    Raises:
        ChildFailed: It has no picture or no known length, or cannot be read.
        errors.Stopped: `stop` was set.
    """
    command = [ffprobe, "-hide_banner", "-loglevel", "error", *UNTRUSTED_FILM]
    command += ["-show_format", "-show_streams", "-of", "json", get_inherited_path(file)]
    said = run(command, files=[file], clock=clock, stop=stop, limit_s=LOOK_WITHIN_S)
    unreadable = ChildFailed(msg("it cannot be read as a film"))
    if said.code != 0:
        raise unreadable
    try:
        told = read_json(said.output, most_bytes=MOST_SAID, most_values=MOST_VALUES)
        found = parse_film(told, size)
    except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError):
        raise unreadable from None
    if found is None:
        raise unreadable
    return found


def parse_film(told: Any, size: int) -> ProbedFilm | None:  # noqa: ANN401 - JSON is anything
    """Parse ffprobe's answer about a file; None if it has no picture or no length."""
    container = told["format"]
    streams = [one for one in told["streams"] if isinstance(one, dict)]
    pictures = [
        one
        for one in streams
        if one.get("codec_type") == "video" and not one.get("disposition", {}).get("attached_pic")
    ]
    seconds = _read_seconds(container.get("duration"))
    if not pictures or seconds is None:
        return None
    picture = pictures[0]
    tagged = _read_time(_read_tag(picture, "DURATION"))
    sounds = tuple(_read_stream(one) for one in streams if one.get("codec_type") == "audio")
    texts = tuple(_read_stream(one) for one in streams if one.get("codec_type") == "subtitle")
    return ProbedFilm(
        properties=FilmProperties(
            containers=frozenset(str(container.get("format_name", "")).split(",")),
            codec=str(picture.get("codec_name", "")),
            pixels=str(picture.get("pix_fmt", "")),
            width=int(picture["width"]),
            height=int(picture["height"]),
            bitrate=size * 8 / seconds,
            sounds=tuple(one.codec for one in sounds),
            is_interlaced=str(picture.get("field_order", "")) in {"tt", "bb", "tb", "bt"},
        ),
        seconds=seconds,
        picture=int(picture["index"]),
        picture_seconds=_read_seconds(picture.get("duration")) or tagged or seconds,
        sounds=sounds,
        subtitles=tuple(one for one in texts if one.codec in AS_TEXT),
    )


def choose_sounds(found: ProbedFilm, languages: Sequence[str]) -> tuple[FilmStream, ...]:
    """Return the sounds in these languages; all without languages, never none if there is one."""
    matching = _in_languages(found.sounds, languages)
    usual = [one for one in found.sounds if one.is_default] or found.sounds
    return matching or tuple(usual[:1])


def choose_subtitles(found: ProbedFilm, languages: Sequence[str]) -> tuple[FilmStream, ...]:
    """Return the subtitles in these languages; all without languages."""
    return _in_languages(found.subtitles, languages)


def _in_languages(
    streams: Sequence[FilmStream], languages: Sequence[str]
) -> tuple[FilmStream, ...]:
    wanted = {_shorten(one) for one in languages}
    matching = (one for one in streams if not wanted or _shorten(one.language) in wanted)
    return tuple(matching)[:MOST_STREAMS]


def _shorten(language: str) -> str:
    """Return the shortest code of a language: "de" for "ger", "deu" and "de-AT"."""
    first = language.strip().lower().replace("_", "-").partition("-")[0]
    return str(get_global("language_aliases").get(first, first))


def _read_stream(told: Mapping[str, Any]) -> FilmStream:
    return FilmStream(
        int(told["index"]),
        str(told.get("codec_name", "")),
        _read_tag(told, "language"),
        bool(told.get("disposition", {}).get("default")),
    )


def _read_tag(told: Mapping[str, Any], name: str) -> str:
    tags = told.get("tags", {}).items()
    # Of Matroska: DURATION or DURATION-eng.
    return next((str(value) for key, value in tags if str(key).partition("-")[0] == name), "")


def _read_time(text: str) -> float | None:
    """Parse "01:42:07.123000000"."""
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return _read_seconds(int(hours) * 3600 + int(minutes) * 60 + float(seconds))
    except ValueError:
        return None


def _read_seconds(told: object) -> float | None:
    try:
        number = float(str(told))
    except ValueError:
        return None
    return number if 0 < number < 1e7 else None  # noqa: PLR2004 - longer than any film; nan is not
