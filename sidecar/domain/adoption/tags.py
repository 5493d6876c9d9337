"""The tags of a file as they are compared with an item's; read in a child process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTags:
    """Tags of a file; None where there is none. `seconds` is the running time."""

    title: str | None = None
    artist: str | None = None
    album_artist: str | None = None
    album: str | None = None
    number: int | None = None
    seconds: float | None = None

    @property
    def texts(self) -> tuple[str | None, ...]:
        """All text tags."""
        return self.title, self.artist, self.album_artist, self.album
