"""The item model of the demo's library: items, their media, their parents.

Knows no user and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class BaseItemKind(StrEnum):
    """The item types, by their names in the API."""

    AUDIO = "Audio"
    ALBUM = "MusicAlbum"
    ARTIST = "MusicArtist"
    PLAYLIST = "Playlist"
    MOVIE = "Movie"
    SERIES = "Series"
    SEASON = "Season"
    EPISODE = "Episode"
    VIDEO = "Video"
    MUSIC_VIDEO = "MusicVideo"
    AUDIO_BOOK = "AudioBook"
    COLLECTION = "BoxSet"
    GENRE = "Genre"
    MUSIC_GENRE = "MusicGenre"
    FOLDER = "Folder"
    LIBRARY = "CollectionFolder"

    @property
    def is_video(self) -> bool:
        """Whether items of this kind are films, episodes or other videos."""
        return self in {
            BaseItemKind.MOVIE,
            BaseItemKind.EPISODE,
            BaseItemKind.VIDEO,
            BaseItemKind.MUSIC_VIDEO,
        }

    @property
    def is_audio(self) -> bool:
        """Whether items of this kind are tracks or parts of audiobooks."""
        return self in {BaseItemKind.AUDIO, BaseItemKind.AUDIO_BOOK}

    @property
    def is_genre(self) -> bool:
        """Whether items of this kind are genres, which no list of items has."""
        return self in {BaseItemKind.GENRE, BaseItemKind.MUSIC_GENRE}

    @property
    def is_playable(self) -> bool:
        """Whether items of this kind have a file of their own."""
        return self.is_video or self.is_audio

    @property
    def media_type(self) -> str:
        """What items of this kind are, in the words of the API."""
        if self.is_video:
            return "Video"
        return "Audio" if self.is_audio or self is BaseItemKind.PLAYLIST else "Unknown"


@dataclass(frozen=True, slots=True)
class Caption:
    """Subtitles in a file beside a film."""

    file: Path
    language: str | None
    is_forced: bool = False
    is_for_deaf: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """One media file, as it was when the library was last scanned.

    Attributes:
        file: Where it is on this machine; never told to anybody.
        listed: Where the listing says that it is; another place when the file has moved.
        size: Bytes, which the file may have ceased to have.
        modified_ns: Its time of modification since 1970.
        bit_depth: None for formats that have none.
        parts, versions: Further files of a film.
    """

    file: Path
    listed: str
    size: int
    modified_ns: int
    seconds: float
    codec: str
    bitrate: int
    sample_rate: int = 44100
    channels: int = 2
    bit_depth: int | None = None
    width: int = 0
    height: int = 0
    lyrics: str | None = None
    captions: tuple[Caption, ...] = ()
    parts: tuple[Media, ...] = ()
    versions: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Music:
    """The tags of a track or an album; None or empty where there is none."""

    album: str | None = None
    album_id: str | None = None
    artists: tuple[str, ...] = ()
    album_artists: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Show:
    """The series that a season or an episode belongs to."""

    series: str
    series_id: str
    season_id: str | None = None
    season: str | None = None


@dataclass(frozen=True, slots=True)
class DemoItem:
    """One entry of the library.

    Attributes:
        path: What the server calls the place of it, under `/media` or `/config`.
        key: What user data is kept under; tagged tracks keep it when their file moves.
        library_id: The library it is in; None for playlists, which are everywhere.
        index: Its number in its disc or season; `parent_index` is that disc's or season's own.
        rating: By the community, of ten.
        tags: Words by which a policy may block it.
        picture: The file of its primary image.
        genres: Of a film or series; those of music are in `music`.
        members: Of a collection, by their ids.
        parts: The further parts of a film, by their ids.
        versions: The further versions of a film, by their ids.
        is_hidden: It is in no list: a further part or version of a film.
        disc: What kind of disc its folder is: `Dvd` or `BluRay`.
    """

    id: str
    kind: BaseItemKind
    name: str
    sort_name: str
    path: str
    key: str
    created: datetime
    parent_id: str | None = None
    library_id: str | None = None
    index: int | None = None
    parent_index: int | None = None
    year: int | None = None
    seconds: float = 0.0
    rating: float | None = None
    tags: tuple[str, ...] = ()
    collection_type: str | None = None
    picture: Path | None = None
    media: Media | None = None
    music: Music | None = None
    show: Show | None = None
    genres: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    is_hidden: bool = False
    disc: str | None = None

    @property
    def all_genres(self) -> tuple[str, ...]:
        """Its genres, whatever it is."""
        return self.genres or (self.music.genres if self.music else ())


@dataclass(frozen=True, slots=True)
class DemoLibrary:
    """All items of one scan.

    Attributes:
        by_id: In the order in which they were found.
        libraries: Each library's id, by its name.
        artist_ids: Each artist's id, by their name.
    """

    by_id: dict[str, DemoItem] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    artist_ids: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[DemoItem]:
        return iter(self.by_id.values())

    def get(self, item_id: str | None) -> DemoItem | None:
        """Return an item, or None for an id that nothing has."""
        return self.by_id.get(item_id) if item_id else None

    def ancestors(self, item: DemoItem) -> Iterator[DemoItem]:
        """Yield the folder that an item is in, the folder which that is in, and so on."""
        parent = self.get(item.parent_id)
        while parent is not None:
            yield parent
            parent = self.get(parent.parent_id)

    def below(self, folder: DemoItem) -> Iterator[DemoItem]:
        """Yield everything in a folder at any depth; for an artist, the albums and tracks."""
        for item in self:
            if any(one.id == folder.id for one in self.ancestors(item)):
                yield item

    def songs_of(self, folder: DemoItem) -> Iterator[DemoItem]:
        """Yield the playable items below a folder; a playable item yields itself."""
        if folder.kind.is_playable:
            yield folder
        else:
            yield from (item for item in self.below(folder) if item.kind.is_playable)
