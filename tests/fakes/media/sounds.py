"""A few seconds of sound in real files, made by the real ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.patience import PATIENCE_S

SECONDS = 3.0
TAGS = {
    "title": "Tone = 1; #x \\ y",
    "artist": "The Sine Wäves",
    "album": "First Light",
    "album_artist": "The Sine Wäves",
    "date": "2019",
    "genre": "Test",
    "track": "3",
    "TRACKTOTAL": "12",
    "disc": "1",
    "composer": "Nobody",
    "MUSICBRAINZ_TRACKID": "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae",
    "REPLAYGAIN_TRACK_GAIN": "-6.50 dB",
    "REPLAYGAIN_TRACK_PEAK": "0.988",
    "REPLAYGAIN_ALBUM_GAIN": "+1.25 dB",
}
CHAPTERS = {
    "CHAPTER000": "00:00:00.000",
    "CHAPTER000NAME": "One",
    "CHAPTER001": "00:00:01.500",
    "CHAPTER001NAME": "Two; and more",
}


def ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=PATIENCE_S)


def cover(path: Path, width: int = 200) -> Path:
    ffmpeg("-f", "lavfi", "-i", f"testsrc=size={width}x{width}", "-frames:v", "1", str(path))
    return path


def sound(
    path: Path,
    *how: str,
    seconds: float = SECONDS,
    tags: dict[str, str] | None = None,
    picture: Path | None = None,
) -> Path:
    """Write noise, which no codec makes small for nothing; the name decides about the format."""
    source = f"anoisesrc=duration={seconds}:seed=7:amplitude=0.3:sample_rate=44100"
    words: list[str] = ["-f", "lavfi", "-i", source]
    maps: list[str] = ["-map", "0:a"]
    if picture is not None:
        words += ["-i", str(picture)]
        maps += ["-map", "1:v", "-disposition:v:0", "attached_pic"]
        maps += ["-c:v", "copy"]
    said = [f for name, value in (tags or {}).items() for f in ("-metadata", f"{name}={value}")]
    ffmpeg(*words, *maps, *_stereo(how), *said, *how, str(path))
    return path


def _stereo(how: Sequence[str]) -> list[str]:
    return [] if "-ac" in how else ["-ac", "2"]


def tagged_flac(path: Path) -> Path:
    """A FLAC file with all that a file may have."""
    picture = cover(path.with_suffix(".jpg"))
    return sound(path, tags={**TAGS, **CHAPTERS}, picture=picture)
