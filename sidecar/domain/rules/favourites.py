"""The favourites rule: wants favourites, and all that favourite containers contain.

It is no `ComputedRule`: `services.rules.favourites` follows each change of a favourite, for all
devices alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.context import Rule, RuleSettings, duration_setting, switch
from sidecar.domain.wishes import EvictionClass, Reason, Wish
from sidecar.messages import msg, translatable

NAME = "favourites"

_TEXTS = {
    ItemType.ALBUM: msg("on your favourite album {title}"),
    ItemType.ARTIST: msg("by your favourite artist {title}"),
    ItemType.PLAYLIST: msg("on your favourite playlist {title}"),
    ItemType.SERIES: msg("of your favourite series {title}"),
    ItemType.SEASON: msg("of your favourite season {title}"),
    ItemType.COLLECTION: msg("in your favourite collection {title}"),
}
# The types whose favourites a switch is for, by the name of the switch.
_SWITCHES = {
    "tracks": {ItemType.AUDIO},
    "albums": {ItemType.ALBUM},
    "artists": {ItemType.ARTIST},
    "playlists": {ItemType.PLAYLIST},
    "audiobooks": {ItemType.AUDIO_BOOK},
    "films": {ItemType.MOVIE, ItemType.VIDEO},
    "episodes": {ItemType.EPISODE},
    "seasons": {ItemType.SEASON},
    "series": {ItemType.SERIES},
    "music_videos": {ItemType.MUSIC_VIDEO},
    "collections": {ItemType.COLLECTION},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FavouritesSettings(RuleSettings):
    """Which types of favourites are fetched."""

    tracks: bool = switch(default=True, label=translatable("Tracks"))
    albums: bool = switch(default=True, label=translatable("Whole albums"))
    artists: bool = switch(default=True, label=translatable("Everything of an artist"))
    playlists: bool = switch(default=True, label=translatable("Whole playlists"))
    audiobooks: bool = switch(default=True, label=translatable("Audiobooks"))
    films: bool = switch(default=True, label=translatable("Films"))
    episodes: bool = switch(default=True, label=translatable("Episodes"))
    seasons: bool = switch(default=True, label=translatable("Whole seasons"))
    series: bool = switch(default=True, label=translatable("Whole series"))
    music_videos: bool = switch(default=True, label=translatable("Music videos"))
    collections: bool = switch(default=True, label=translatable("Whole collections"))
    heal_forgotten_hearts: bool = switch(
        default=True,
        label=translatable("Restore favourites that Jellyfin loses"),
        details=translatable(
            "Jellyfin 12.0 loses a favourite that is marked while the track plays."
        ),
    )
    check_every: timedelta = duration_setting(
        timedelta(hours=1),
        label=translatable("Check all favourites every"),
        details=translatable("A new favourite is noticed within a second all the same."),
    )


def list_watched_types(settings: FavouritesSettings) -> frozenset[ItemType]:
    """Return the types whose favourites count."""
    switched_on = (types for name, types in _SWITCHES.items() if getattr(settings, name))
    return frozenset().union(*switched_on)


def make_reason(favourite: Item) -> Reason:
    """Return the reason for the wishes of a favourite."""
    text = _TEXTS.get(favourite.type, msg("your favourite")).format(title=favourite.title)
    return Reason(NAME, favourite.id, text)


def make_wishes(
    why: Reason, playable: Iterable[Item], *, user_id: str, devices: Iterable[str]
) -> Iterator[Wish]:
    """Yield one wish for each playable item of a favourite on each device.

    Args:
        why: Of the favourite, as `make_reason` returns it.
        playable: The favourite itself, or what it expands to.
        user_id: The account.
        devices: Ids of the account's devices.
    """
    items = [one for one in playable if one.type not in _TEXTS]
    for device_id in devices:
        for item in items:
            yield Wish(user_id, device_id, item, why)


RULE = Rule(
    name=NAME,
    label=translatable("Favourites"),
    description=translatable(
        "Your favourites in Jellyfin; an album, artist, playlist, series or collection as a whole."
    ),
    icon="heart",
    strength=EvictionClass.LASTING,
    order=20,
    settings=FavouritesSettings,
)
