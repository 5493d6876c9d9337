"""Names the library that an item was in which an account may not see any more."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from sidecar.domain.items.item import ItemType

# What is in a library of a type, as Jellyfin calls the types; in one without a type may be all.
_HELD_IN = MappingProxyType(
    {
        "music": {ItemType.AUDIO},
        "movies": {ItemType.MOVIE, ItemType.VIDEO},
        "tvshows": {ItemType.EPISODE},
        "musicvideos": {ItemType.MUSIC_VIDEO},
        "homevideos": {ItemType.VIDEO, ItemType.MOVIE},
        "books": {ItemType.AUDIO_BOOK},
        "boxsets": set(),
        "playlists": set(),
    }
)


def name_library(lost: Iterable[tuple[str, str | None]], item_type: str) -> str | None:
    """Return the name of the library that an item of this type was in.

    Args:
        lost: The names and types of the libraries that the account lost.
        item_type: Of the item.

    Returns:
        The names of all that it may have been in; None if it may have been in none of them: then
        it was hidden for another reason, such as a rating.
    """
    names = [name for name, type_ in lost if item_type in _HELD_IN.get(type_ or "", {item_type})]
    return ", ".join(sorted(names)) or None
