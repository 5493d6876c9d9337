"""Adds tags to an MP4 file that ffmpeg cannot write: ReplayGain, MusicBrainz ids and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from mutagen import MutagenError
from mutagen.mp4 import MP4

# Those that ffmpeg writes itself, in the file's own way.
WRITTEN_BY_FFMPEG = frozenset(
    (
        *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre"),
        *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "compilation"),
        *("track", "disc"),
    )
)


class NotAnMp4(ValueError):
    """The file cannot be read as an MP4 file."""


def add(file: BinaryIO, tags: Mapping[str, str]) -> None:
    """Add those tags that ffmpeg left out; everything else in the file stays.

    Args:
        file: For reading and writing, with a number of its own; just made by ffmpeg.
        tags: All that the file should have.

    Raises:
        NotAnMp4: It cannot be read; nothing was changed.
        OSError: The device cannot be read or written.
    """
    added = {name: value for name, value in tags.items() if name not in WRITTEN_BY_FFMPEG}
    if not added:
        return
    try:
        # Buffered: mutagen does not look at how much an unbuffered file has really taken.
        with open(file.fileno(), "r+b", closefd=False) as buffered:
            music: Any = MP4(buffered)  # type: ignore[no-untyped-call]  # it has no annotations
            if music.tags is None:
                music.add_tags()
            for name, value in added.items():
                # mutagen writes the letters of a key as Latin-1, and the format has UTF-8.
                key = name.encode("utf-8", "replace").decode("latin-1")
                music.tags[f"----:com.apple.iTunes:{key}"] = [value.encode("utf-8", "replace")]
            music.save(buffered, padding=lambda _: 0)
    except MutagenError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise NotAnMp4(str(error)) from error
