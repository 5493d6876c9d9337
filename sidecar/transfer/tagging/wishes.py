"""How the tags and the cover of a file are to be for one device, and what Jellyfin knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.formats.tag_fields import TagSystem
from sidecar.domain.formats.tags import SEPARATOR, Tags
from sidecar.transfer.tagging.writing import Writing


def _nothing() -> Tags:
    return {}


def _no_cover() -> bytes | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagWishes:
    """For one file.

    Attributes:
        pixels: The largest edge of its cover.
        id3: Which version of ID3, where the file is of that kind.
        separator: Between several values, where there is room for one.
        knows_words: Whether the player knows lyrics with a time for each word.
        known: Asks what Jellyfin knows of the item; nothing if it cannot be asked. Asked only
            where something is missing in the file, or looks broken.
        cover: Asks for Jellyfin's cover, as a baseline JPEG of that size. Asked only where the
            file has none.
    """

    pixels: int = 1000
    id3: TagSystem = TagSystem.ID3_24
    separator: str = SEPARATOR
    knows_words: bool = False
    known: Callable[[], Tags] = _nothing
    cover: Callable[[], bytes | None] = _no_cover

    def writing(
        self, tags: Mapping[str, Sequence[str]], cover: bytes | None, *, anew: bool = True
    ) -> Writing:
        """Return the order to write these tags and this cover."""
        return Writing(
            tags=tags,
            cover=cover,
            id3=self.id3,
            separator=self.separator,
            knows_words=self.knows_words,
            anew=anew,
        )
