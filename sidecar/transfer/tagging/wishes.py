"""How the tags and cover of a file should be on its device, and how to ask Jellyfin for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.formats.tag_fields import TagSystem
from sidecar.domain.formats.tags import SEPARATOR, Tags, written


def _nothing() -> Tags:
    return {}


def _no_cover() -> bytes | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What to write into a file.

    Attributes:
        tags: With our names for them.
        cover: A JPEG; None leaves the covers as they are.
        id3: ID3 version, for files with ID3 tags that are replaced.
        separator: Text between several values, where a field takes only one.
        knows_words: Whether the player supports lyrics with a time for each word.
        anew: Whether all existing tags except chapters are replaced.
    """

    tags: Mapping[str, Sequence[str]]
    cover: bytes | None = None
    id3: TagSystem = TagSystem.ID3_24
    separator: str = SEPARATOR
    knows_words: bool = False
    anew: bool = True

    def ready(self, system: TagSystem) -> Tags:
        """Return the tags as they are written in a tag format."""
        return written(self.tags, system, separator=self.separator, knows_words=self.knows_words)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagWishes:
    """The wishes for one file.

    Attributes:
        pixels: Longest edge of the cover.
        id3: ID3 version, for files with ID3 tags.
        separator: Text between several values, where a field takes only one.
        knows_words: Whether the player supports lyrics with a time for each word.
        known: Returns Jellyfin's tags of the item.
        cover: Returns Jellyfin's cover as a baseline JPEG of that size. Called only for a file
            without a cover.
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
        """Return what to write: these tags and this cover, in the way of these wishes."""
        return Writing(
            tags=tags,
            cover=cover,
            id3=self.id3,
            separator=self.separator,
            knows_words=self.knows_words,
            anew=anew,
        )
