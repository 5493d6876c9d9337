"""A few seconds of film in real files, made by the real ffmpeg."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.fakes.media.sounds import ffmpeg
from tests.patience import PATIENCE_S

SECONDS = 6.0
SUBTITLES = "1\n00:00:00,500 --> 00:00:02,000\n{}\n"


def film(
    path: Path, *how: str, size: str = "192x108", sounds: tuple[str, ...] = ("ger", "eng")
) -> Path:
    """Write a film with a sound for each language; the name decides about the container."""
    picture = f"testsrc2=size={size}:rate=24000/1001:duration={SECONDS}"
    words = ["-f", "lavfi", "-i", picture]
    for number in range(len(sounds)):
        words += ["-f", "lavfi", "-i", f"sine=frequency={300 + 100 * number}:duration={SECONDS}"]
    maps = ["-map", "0:v"]
    for number, language in enumerate(sounds):
        maps += ["-map", f"{number + 1}:a", f"-metadata:s:a:{number}", f"language={language}"]
    if path.suffix == ".mkv":
        first = len(sounds) + 1
        for number, language in enumerate(("ger", "eng", "fre")):
            text = path.with_suffix(f".{language}.srt")
            text.write_text(SUBTITLES.format(f"A line in {language}"))
            words += ["-i", str(text)]
            maps += ["-map", f"{first + number}:s"]
            maps += [f"-metadata:s:s:{number}", f"language={language}"]
    ffmpeg(*words, *maps, "-metadata", "title=The Film", *how, str(path))
    return path


def foreign_film(path: Path, size: str = "192x108") -> Path:
    """A film that few players take: MPEG-4 part 2 and AC-3 in Matroska."""
    return film(path, "-c:v", "mpeg4", "-q:v", "5", "-c:a", "ac3", "-ac", "2", size=size)


def probe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-loglevel", "error", "-show_format", "-show_streams", "-of", "json"]
    said = subprocess.run(
        [*command, str(path)], check=True, timeout=PATIENCE_S, capture_output=True
    )
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def streams(path: Path, kind: str) -> list[tuple[str, str]]:
    """Codec and language of each stream of a kind, as ffprobe tells."""
    return [
        (one["codec_name"], one.get("tags", {}).get("language", ""))
        for one in probe(path)["streams"]
        if one["codec_type"] == kind
    ]
