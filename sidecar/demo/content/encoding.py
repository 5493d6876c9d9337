"""Turns a track, a film or an episode into the arguments that make ffmpeg write it.

Starts nothing. Everything is bit-exact: the same ffmpeg writes the same bytes every time.
"""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from zlib import crc32

from sidecar.demo.content import tones
from sidecar.demo.content.recipe import AlbumCodec, SongSound, Track

_EXACT = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact")
_ENCODE = {
    AlbumCodec.FLAC: ("-c:a", "flac", "-compression_level", "2", "-f", "flac"),
    AlbumCodec.MP3: ("-c:a", "libmp3lame", "-b:a", "160k", "-id3v2_version", "3", "-f", "mp3"),
    AlbumCodec.OPUS: ("-c:a", "libopus", "-b:a", "96k", "-f", "opus"),
    AlbumCodec.AAC: ("-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", "-f", "ipod"),
}
_PICTURE = (
    *("-map", "0:v", "-c:v", "copy", "-disposition:v", "attached_pic"),
    *("-metadata:s:v", "comment=Cover (front)"),
)
_FRONT_COVER = 3
_COVER_MIME = b"image/jpeg"
OPUS_RATE = 48_000
WIDTH, HEIGHT = 320, 180


def seed_of(path: str) -> int:
    """Return a seed for this path, the same on every machine."""
    return crc32(path.encode())


def sample_rate_of(track: Track) -> int:
    """Return the sample rate of the finished file; Opus has only one."""
    return OPUS_RATE if track.album.codec is AlbumCodec.OPUS else track.album.sample_rate


def track_arguments(track: Track, cover: Path, out: Path) -> list[str]:
    """Return the arguments that write the track to `out`, with tags and cover.

    Args:
        track: What to write.
        cover: The album's finished JPEG; not read for a track without tags.
        out: Its name needs no ending: the format is said outright.
    """
    codec = track.album.codec
    embeds = track.is_tagged and codec is not AlbumCodec.OPUS
    words = [*(("-i", str(cover)) if embeds else ()), "-filter_complex", _sound(track)]
    words += [*(_PICTURE if embeds else ()), "-map", "[sound]", *_EXACT]
    if track.is_tagged:
        words += _tags(track)
        if codec is AlbumCodec.OPUS:
            # ffmpeg's Ogg writer takes no picture stream, but the tag that Ogg uses for pictures.
            words += ["-metadata", f"METADATA_BLOCK_PICTURE={_flac_picture(cover.read_bytes())}"]
    return [*words, *_samples(track), *_ENCODE[codec], str(out)]


def film_arguments(path: str, seconds: int, hue: int, out: Path) -> list[str]:
    """Return the arguments that write a test film to `out`, in the format of `path`'s extension."""
    picture = (
        f"testsrc2=size={WIDTH}x{HEIGHT}:rate=24:duration={seconds},hue=h={hue},format=yuv420p"
    )
    graph = f"{picture}[picture];{tones.music(seed_of(path), seconds, 44_100)}"
    video = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-flags:v", "+bitexact")
    form = ("-f", "matroska") if path.endswith(".mkv") else ("-movflags", "+faststart", "-f", "mp4")
    return [
        *("-filter_complex", graph, "-map", "[picture]", "-map", "[sound]", *_EXACT),
        # One thread: with more, x264 may cut a frame differently from run to run.
        *(*video, "-threads", "1", "-c:a", "aac", "-b:a", "96k", *form, str(out)),
    ]


def cover_arguments(graph: str, out: Path) -> list[str]:
    """Return the arguments that write one frame of `graph` to `out` as a JPEG."""
    drawn = f"{graph},format=yuvj420p[picture]"
    exact = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact")
    form = ("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2", "-update", "1")
    return ["-filter_complex", drawn, "-map", "[picture]", *exact, *form, str(out)]


def _sound(track: Track) -> str:
    compose = tones.rain if track.song.sound is SongSound.RAIN else tones.music
    return compose(seed_of(track.path), track.song.seconds, sample_rate_of(track))


def _samples(track: Track) -> list[str]:
    rate = ["-ar", str(sample_rate_of(track))]
    if track.album.codec is not AlbumCodec.FLAC:
        return rate
    return [*rate, "-sample_fmt", "s32" if track.album.bit_depth > 16 else "s16"]  # noqa: PLR2004 -- s16 is 16 bits


def _tags(track: Track) -> list[str]:
    album = track.album
    tags = {
        "title": track.song.title,
        "artist": "; ".join(track.artists),
        "album_artist": "; ".join(album.artists),
        "album": album.title,
        "track": str(track.number),
        "disc": str(track.disc),
        "date": str(album.year) if album.year else None,
        "genre": "; ".join(album.genres),
        "lyrics": track.song.lyrics,
    }
    return [word for key, text in tags.items() if text for word in ("-metadata", f"{key}={text}")]


def _flac_picture(jpeg: bytes) -> str:
    """Return the picture as FLAC's picture block in base64, the form Ogg tags carry."""
    head = struct.pack(">II", _FRONT_COVER, len(_COVER_MIME)) + _COVER_MIME
    # No description; the size and colours are left at zero for the reader to find in the JPEG.
    shape = struct.pack(">IIIIII", 0, 0, 0, 0, 0, len(jpeg))
    return base64.b64encode(head + shape + jpeg).decode("ascii")
