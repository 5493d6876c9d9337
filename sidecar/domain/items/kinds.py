"""Kinds of items: the names that people use, and Jellyfin's."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.items.item import ItemType


class Kind(StrEnum):
    """A kind of item. `VIEW` is a whole library; `FOLDER` is any other container."""

    VIEW = "view"
    ARTIST = "artist"
    ALBUM = "album"
    TRACK = "track"
    AUDIOBOOK = "audiobook"
    PLAYLIST = "playlist"
    FILM = "film"
    SERIES = "series"
    SEASON = "season"
    EPISODE = "episode"
    MUSIC_VIDEO = "music-video"
    VIDEO = "video"
    FOLDER = "folder"
    OTHER = "other"


TYPES = MappingProxyType(
    {
        Kind.ARTIST: ItemType.ARTIST,
        Kind.ALBUM: ItemType.ALBUM,
        Kind.TRACK: ItemType.AUDIO,
        Kind.AUDIOBOOK: ItemType.AUDIO_BOOK,
        Kind.PLAYLIST: ItemType.PLAYLIST,
        Kind.FILM: ItemType.MOVIE,
        Kind.SERIES: ItemType.SERIES,
        Kind.SEASON: ItemType.SEASON,
        Kind.EPISODE: ItemType.EPISODE,
        Kind.MUSIC_VIDEO: ItemType.MUSIC_VIDEO,
        Kind.VIDEO: ItemType.VIDEO,
    }
)
_BY_TYPE = MappingProxyType({str(item_type): kind for kind, item_type in TYPES.items()})
_BY_NAME = MappingProxyType(
    {str(kind): kind for kind in TYPES}
    | {item_type.casefold(): kind for item_type, kind in _BY_TYPE.items()}
)
# Jellyfin's names for whole libraries and for plain folders.
_VIEWS = frozenset({"CollectionFolder", "UserView", "ManualPlaylistsFolder"})
_FOLDERS = frozenset({"Folder", "BoxSet", "PhotoAlbum", "AggregateFolder", "UserRootFolder"})


def kind_of(type_name: str) -> Kind:
    """Return the kind for Jellyfin's name of a type."""
    if type_name in _VIEWS:
        return Kind.VIEW
    if type_name in _FOLDERS:
        return Kind.FOLDER
    return _BY_TYPE.get(type_name, Kind.OTHER)


def find_kind(name: str) -> Kind | None:
    """Return the kind with this name, ours or Jellyfin's, ignoring case."""
    return _BY_NAME.get(name.strip().casefold())
