"""Reads properties, tags and chapters of a sound file with ffprobe, which opens no other file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, BinaryIO

from sidecar.bounded_json import read_json
from sidecar.clock import Clock
from sidecar.domain.formats.formats import AudioProperties
from sidecar.messages import msg
from sidecar.transfer.converting.subprocess import (
    MOST_SAID,
    ChildFailed,
    ChildOutput,
    get_inherited_path,
    run,
)

LOOK_WITHIN_S = 60.0
MOST_CHAPTERS = 2000
MOST_VALUES = 300_000
# Without playlists and similar formats, which would make ffmpeg open other files.
CONTAINERS = (
    "aac,ac3,aiff,alac,ape,asf,au,caf,dsf,dts,eac3,flac,iff,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpc,mpc8,ogg,opus,tak,tta,w64,wav,wv,avi,mpegts,shn,truehd"
)
ONLY_FILES = ("-protocol_whitelist", "file,pipe")
UNTRUSTED = (*ONLY_FILES, "-format_whitelist", CONTAINERS)
# Plain frames, without a reliable length in the file: the one in an MP3 may be wrong.
WITHOUT_LENGTH = frozenset({"mp3", "aac", "ac3", "eac3", "dts", "truehd"})
COUNT_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter; times in milliseconds."""

    start: int
    end: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedSound:
    """What ffprobe found in a file.

    Attributes:
        tags: Tags of the file and of its sound, with ffmpeg's names.
        picture: Index of the stream that is the cover; None if there is none.
    """

    sound: AudioProperties
    tags: Mapping[str, str] = field(default_factory=dict)
    chapters: tuple[Chapter, ...] = ()
    picture: int | None = None


def probe_sound(
    ffprobe: str, file: BinaryIO, *, size: int, clock: Clock, stop: Event
) -> ProbedSound:
    """Return the properties of a file.

    Args:
        ffprobe: Path of the program.
        file: Open for reading.
        size: Its size in bytes.
        clock: For the time limit.
        stop: Ends it when set.

    Raises:
        ChildFailed: It is no sound file or a broken one, or ffprobe failed.
        errors.Stopped: `stop` was set.
    """
    command = [ffprobe, "-hide_banner", "-loglevel", "error", *UNTRUSTED]
    command += [
        "-show_format",
        "-show_streams",
        "-show_chapters",
        "-of",
        "json",
        get_inherited_path(file),
    ]
    said = run(command, files=[file], clock=clock, stop=stop, limit_s=LOOK_WITHIN_S)
    told = _answer(said)
    if said.code != 0 or not told:
        raise _unreadable()

    def count() -> tuple[float, int] | None:
        return _count(ffprobe, file, clock=clock, stop=stop)

    return parse(told, size, count)


def parse(
    told: dict[str, Any], size: int, count: Callable[[], tuple[float, int] | None]
) -> ProbedSound:
    """Parse ffprobe's answer about a file.

    Args:
        told: The answer.
        size: Size of the file in bytes.
        count: Returns the length in seconds by its packets, and the offset of the first one.

    Raises:
        ChildFailed: The file has no sound or no known length, or the answer is invalid.
    """
    try:
        return _parse(told, size, count)
    except (AttributeError, TypeError, ValueError, LookupError, OverflowError):
        raise _unreadable() from None


def _unreadable() -> ChildFailed:
    return ChildFailed(msg("it cannot be read as a sound file"))


def _answer(said: ChildOutput) -> dict[str, Any]:
    try:
        told = read_json(said.output, most_bytes=MOST_SAID, most_values=MOST_VALUES)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _count(ffprobe: str, file: BinaryIO, *, clock: Clock, stop: Event) -> tuple[float, int] | None:
    """Return the length in seconds by its packets, and the offset of the first one."""
    command = [ffprobe, "-hide_banner", "-loglevel", "error", *UNTRUSTED, "-select_streams", "a:0"]
    looks = (
        ["-count_packets", "-show_entries", "stream=nb_read_packets"],
        ["-read_intervals", "%+#1", "-show_entries", "packet=duration_time,pos"],
    )
    counted, first = (
        _answer(
            run(
                [*command, *look, "-of", "json", get_inherited_path(file)],
                files=[file],
                clock=clock,
                stop=stop,
                limit_s=COUNT_WITHIN_S,
            )
        )
        for look in looks
    )
    streams, packets = counted.get("streams") or [{}], first.get("packets") or [{}]
    number, each = _parse_number(streams[0].get("nb_read_packets")), packets[0].get("duration_time")
    seconds = (number or 0.0) * (_parse_number(each) or 0.0)
    return (seconds, int(_parse_number(packets[0].get("pos")) or 0)) if seconds else None


def _parse(
    told: dict[str, Any], size: int, count: Callable[[], tuple[float, int] | None]
) -> ProbedSound:
    streams = [one for one in told.get("streams", []) if isinstance(one, dict)]
    sounds = [one for one in streams if one.get("codec_type") == "audio"]
    if not sounds:
        raise ChildFailed(msg("there is no sound in it"))
    sound, container = sounds[0], told.get("format", {})
    seconds = _parse_number(container.get("duration")) or _parse_number(sound.get("duration"))
    bitrate = _parse_number(sound.get("bit_rate")) or _parse_number(container.get("bit_rate"))
    is_unsure = str(container.get("format_name", "")) in WITHOUT_LENGTH
    if (is_unsure or not seconds) and (counted := count()) is not None:
        seconds, begins = counted
        bitrate = max(size - begins, 0) * 8 / seconds
    if not seconds:
        raise ChildFailed(msg("it does not say how long it is"))
    pictures = [one for one in streams if _is_cover(one)]
    picture = next((one for one in pictures if _kind(one) == "cover (front)"), None) or next(
        (one for one in pictures if "icon" not in _kind(one)), {}
    )
    return ProbedSound(
        sound=AudioProperties(
            codec=str(sound.get("codec_name", "")),
            bitrate=bitrate or size * 8 / seconds,
            seconds=seconds,
            channels=int(_parse_number(sound.get("channels")) or 2),
            size=size,
            rate=int(_parse_number(sound.get("sample_rate")) or 0),
        ),
        tags={**_read_tags(sound), **_read_tags(container)},
        chapters=tuple(map(_read_chapter, told.get("chapters", [])[:MOST_CHAPTERS])),
        picture=picture.get("index"),
    )


def _is_cover(stream: Mapping[str, Any]) -> bool:
    is_attached = bool(stream.get("disposition", {}).get("attached_pic"))
    return is_attached and stream.get("codec_type") == "video"


def _kind(picture: Mapping[str, Any]) -> str:
    """Return the kind of a picture, with ffmpeg's names for the kinds of ID3 and FLAC."""
    told = {name.lower(): value for name, value in _read_tags(picture).items()}
    return told.get("comment", "").lower()


def _read_tags(of: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in of.get("tags", {}).items()}


def _read_chapter(told: Mapping[str, Any]) -> Chapter:
    start, end = (_parse_number(told.get(one)) or 0.0 for one in ("start_time", "end_time"))
    title = next((text for name, text in _read_tags(told).items() if name.lower() == "title"), "")
    return Chapter(int(start * 1000), int(end * 1000), title)


def _parse_number(told: object) -> float | None:
    try:
        number = float(str(told))
    except ValueError:
        return None
    # A file may claim any number; nan is not above 0.
    return number if 0 < number < 1e12 else None  # noqa: PLR2004 - more bits than any file has
