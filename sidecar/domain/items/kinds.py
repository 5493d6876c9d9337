"""Kinds of items: the names that people use, and Jellyfin's; and the media that a device takes."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.items.item import ItemType
from sidecar.messages import msg


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
    COLLECTION = "collection"
    GENRE = "genre"
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
        Kind.COLLECTION: ItemType.COLLECTION,
    }
)
_BY_TYPE = MappingProxyType({str(item_type): kind for kind, item_type in TYPES.items()})
_BY_NAME = MappingProxyType(
    {str(kind): kind for kind in TYPES}
    | {item_type.casefold(): kind for item_type, kind in _BY_TYPE.items()}
)
# Jellyfin's names for whole libraries and for plain folders.
_VIEWS = frozenset({"CollectionFolder", "UserView", "ManualPlaylistsFolder"})
_GENRES = frozenset({"Genre", "MusicGenre"})
_FOLDERS = frozenset({"Folder", "PhotoAlbum", "AggregateFolder", "UserRootFolder"})


class MediaKind(StrEnum):
    """A kind of media: a device takes it or does not. Also the name of the device's setting."""

    MUSIC = "music"
    AUDIOBOOKS = "audiobooks"
    FILMS = "films"
    SERIES = "series"
    MUSIC_VIDEOS = "music_videos"


ALL_MEDIA = frozenset(MediaKind)
_MEDIA = MappingProxyType(
    {
        ItemType.AUDIO: MediaKind.MUSIC,
        ItemType.ALBUM: MediaKind.MUSIC,
        ItemType.ARTIST: MediaKind.MUSIC,
        ItemType.AUDIO_BOOK: MediaKind.AUDIOBOOKS,
        ItemType.MOVIE: MediaKind.FILMS,
        ItemType.VIDEO: MediaKind.FILMS,
        ItemType.EPISODE: MediaKind.SERIES,
        ItemType.SEASON: MediaKind.SERIES,
        ItemType.SERIES: MediaKind.SERIES,
        ItemType.MUSIC_VIDEO: MediaKind.MUSIC_VIDEOS,
    }
)
# A type of each kind.
TYPE_OF = MappingProxyType(
    {
        MediaKind.MUSIC: ItemType.AUDIO,
        MediaKind.AUDIOBOOKS: ItemType.AUDIO_BOOK,
        MediaKind.FILMS: ItemType.MOVIE,
        MediaKind.SERIES: ItemType.EPISODE,
        MediaKind.MUSIC_VIDEOS: ItemType.MUSIC_VIDEO,
    }
)
_TAKES_NONE = MappingProxyType(
    {
        MediaKind.MUSIC: msg("{device} takes no music"),
        MediaKind.AUDIOBOOKS: msg("{device} takes no audiobooks"),
        MediaKind.FILMS: msg("{device} takes no films"),
        MediaKind.SERIES: msg("{device} takes no series"),
        MediaKind.MUSIC_VIDEOS: msg("{device} takes no music videos"),
    }
)


def media_kind(type_name: str) -> MediaKind | None:
    """Return the kind of media by Jellyfin's name of a type; None if it may be of any kind."""
    return next((kind for one, kind in _MEDIA.items() if one == type_name), None)


def is_taken(type_name: str, taken: Collection[MediaKind]) -> bool:
    """Whether a device that takes these kinds takes items of a type, by Jellyfin's name."""
    kind = media_kind(type_name)
    return kind is None or kind in taken


def not_taken_text(type_name: str, taken: Collection[MediaKind], device: str) -> str | None:
    """Return the sentence that a device does not take items of a type; None if it does."""
    kind = media_kind(type_name)
    return None if kind is None or kind in taken else _TAKES_NONE[kind].format(device=device)


def kind_of(type_name: str) -> Kind:
    """Return the kind for Jellyfin's name of a type."""
    if type_name in _VIEWS:
        return Kind.VIEW
    if type_name in _FOLDERS:
        return Kind.FOLDER
    if type_name in _GENRES:
        return Kind.GENRE
    return _BY_TYPE.get(type_name, Kind.OTHER)


def find_kind(name: str) -> Kind | None:
    """Return the kind with this name, ours or Jellyfin's, ignoring case."""
    return _BY_NAME.get(name.strip().casefold())
