"""Real media files of every kind, made by the real ffmpeg."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.fakes.media.sounds import CHAPTERS, TAGS, cover, ffmpeg, sound, tagged_flac
from tests.patience import PATIENCE_S

SECONDS = 6.0
PICTURES = f"testsrc2=size=160x120:rate=25:duration={SECONDS + 2}"
NOISE = f"anoisesrc=duration={SECONDS}:seed=7:amplitude=0.3:sample_rate=44100"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")
ID3V1 = ("-write_id3v1", "1", "-metadata", "title=Tone")

SOUNDS: dict[str, tuple[str, ...]] = {
    "constant.mp3": ("-b:a", "320k"),
    "varying.mp3": ("-q:a", "2"),
    "constant-uncounted.mp3": ("-b:a", "192k", "-write_xing", "0"),
    "varying-uncounted.mp3": ("-q:a", "2", "-write_xing", "0"),
    "id3v1.mp3": ("-b:a", "192k", "-write_xing", "0", *ID3V1),
    "id3v1-counted.mp3": ("-q:a", "2", *ID3V1),
    "low.mp3": ("-b:a", "64k", "-ar", "22050", "-ac", "1"),
    "layer.mp2": ("-b:a", "192k"),
    "plain.flac": (),
    "plain.ogg": (),
    "plain.opus": ("-c:a", "libopus"),
    "flac.oga": ("-c:a", "flac", "-f", "ogg"),
    "index-last.m4a": ("-c:a", "aac"),
    "index-first.m4a": ("-c:a", "aac", "-movflags", "+faststart"),
    "lossless.m4a": ("-c:a", "alac"),
    "fragments.m4a": ("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "book.m4b": ("-c:a", "aac", "-f", "mp4"),
    "plain.mov": ("-c:a", "pcm_s16le"),
    "plain.wav": (),
    "long.wav": ("-rf64", "always"),
    "plain.aiff": (),
    "plain.aac": (),
    "plain.wma": (),
    "plain.mka": (),
    "plain.wv": (),
    "plain.tta": (),
    "plain.ac3": (),
}
# Their pictures go on for two seconds after their sound.
FILMS: dict[str, tuple[str, ...]] = {
    "index-last.mp4": H264,
    "index-first.mp4": (*H264, "-movflags", "+faststart"),
    "film.mkv": H264,
    "film.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"),
    "film.avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "film.ts": H264,
    "film.m2ts": (*H264, "-f", "mpegts", "-mpegts_m2ts_mode", "1"),
    "film.wmv": ("-c:v", "wmv2"),
}
DRESSED = (
    "dressed.flac",
    "dressed.mp3",
    "dressed.m4a",
    "dressed.opus",
    "ape.mp3",
    "strung.ogg",
    "damaged.mp3",
    "damaged.flac",
)
KINDS = (*SOUNDS, *FILMS, *DRESSED)
# Their length is a guess of whoever tells it, and nothing in them states their end.
GUESSED = frozenset({"varying-uncounted.mp3", "plain.aac"})
# Nothing but a decoder knows them, or only their length proves their end.
DECODED = frozenset({"plain.ac3"})


def make(folder: Path, name: str) -> Path:
    """Return the file of this name; it is made if it is not there."""
    path = folder / name
    if not path.exists():
        _make(path)
    return path


def _make(path: Path) -> None:
    name = path.name
    if name in SOUNDS:
        ffmpeg("-f", "lavfi", "-i", NOISE, "-ac", "2", *SOUNDS[name], str(path))
    elif name in FILMS:
        words = ["-f", "lavfi", "-i", PICTURES, "-f", "lavfi", "-i", NOISE, "-ac", "2"]
        ffmpeg(*words, *FILMS[name], str(path))
    elif name == "dressed.flac":
        tagged_flac(path)
    elif name == "ape.mp3":
        content = make(path.parent, "varying.mp3").read_bytes()
        path.write_bytes(content + _ape(b"Title", b"Tone") + b"TAG" + bytes(125))
    elif name == "strung.ogg":
        path.write_bytes(make(path.parent, "plain.ogg").read_bytes() * 2)
    elif name.startswith("damaged"):
        _damage(make(path.parent, "varying.mp3" if name.endswith("mp3") else "plain.flac"), path)
    elif name == "dressed.opus":
        sound(path, "-c:a", "libopus", tags={**TAGS, **CHAPTERS}, seconds=SECONDS)
    else:
        picture = cover(path.with_suffix(".jpg"))
        sound(path, tags=TAGS, picture=picture, seconds=SECONDS)


def _damage(whole: Path, path: Path) -> None:
    content = bytearray(whole.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 900] = bytes(900)
    path.write_bytes(content)


def _ape(name: bytes, value: bytes) -> bytes:
    item = len(value).to_bytes(4, "little") + bytes(4) + name + b"\0" + value
    size = (len(item) + 32).to_bytes(4, "little")
    facts = b"APETAGEX" + (2000).to_bytes(4, "little") + size + (1).to_bytes(4, "little")
    head = facts + (0xA0000000).to_bytes(4, "little") + bytes(8)
    return head + item + facts + (0x80000000).to_bytes(4, "little") + bytes(8)


@cache
def length_of(path: Path) -> float | None:
    """Return the seconds that a server finds in a file, which nobody changes any more."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"]
    said = subprocess.run(
        [*command, str(path)], capture_output=True, check=False, timeout=PATIENCE_S
    )
    text = said.stdout.decode().strip()
    return None if text in {"", "N/A"} else float(text)
