"""The favourites rule: what has a heart is wanted, containers with all they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sidecar.domain.items import Item, ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.messages import msg

NAME = "favourites"

TRACKS = frozenset({ItemType.AUDIO, ItemType.AUDIO_BOOK})

_TEXTS = {
    ItemType.ALBUM: msg("on your favourite album {title}"),
    ItemType.ARTIST: msg("by your favourite artist {title}"),
    ItemType.PLAYLIST: msg("on your favourite playlist {title}"),
}


def watched_types(
    *, tracks: bool, albums: bool, artists: bool, playlists: bool
) -> frozenset[ItemType]:
    """Return the types whose hearts count, from the rule's switches."""
    kinds: set[ItemType] = set()
    if tracks:
        kinds |= TRACKS
    if albums:
        kinds.add(ItemType.ALBUM)
    if artists:
        kinds.add(ItemType.ARTIST)
    if playlists:
        kinds.add(ItemType.PLAYLIST)
    return frozenset(kinds)


def reason(favourite: Item) -> Reason:
    """Say why the favourite, or what it holds, is wanted."""
    text = _TEXTS.get(favourite.type, msg("your favourite")).format(title=favourite.title)
    return Reason(NAME, favourite.id, text)


def wishes(
    favourite: Item, playable: Iterable[Item], *, user_id: str, devices: Iterable[str]
) -> Iterator[Wish]:
    """Yield one wish for each playable item of the favourite on each device.

    Args:
        favourite: What the heart is on.
        playable: The favourite itself, or what it expands to.
        user_id: Whose heart it is.
        devices: Ids of the devices that serve this account.
    """
    why = reason(favourite)
    items = [one for one in playable if one.type not in _TEXTS]
    for device_id in devices:
        for item in items:
            yield Wish(user_id, device_id, item, why)
