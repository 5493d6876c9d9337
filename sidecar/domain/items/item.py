"""Items of a Jellyfin library, with the fields that the sidecar uses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum


class ItemType(StrEnum):
    """Types of items, by Jellyfin's names. Any other is `OTHER` and is never downloaded."""

    AUDIO = "Audio"
    AUDIO_BOOK = "AudioBook"
    MOVIE = "Movie"
    EPISODE = "Episode"
    MUSIC_VIDEO = "MusicVideo"
    VIDEO = "Video"
    ALBUM = "MusicAlbum"
    ARTIST = "MusicArtist"
    PLAYLIST = "Playlist"
    SERIES = "Series"
    SEASON = "Season"
    COLLECTION = "BoxSet"
    FOLDER = "Folder"
    GENRE = "Genre"
    MUSIC_GENRE = "MusicGenre"
    LIBRARY = "CollectionFolder"
    OTHER = "Other"


PLAYABLE = frozenset(
    {
        ItemType.AUDIO,
        ItemType.AUDIO_BOOK,
        ItemType.MOVIE,
        ItemType.EPISODE,
        ItemType.MUSIC_VIDEO,
        ItemType.VIDEO,
    }
)
CONTAINERS = frozenset(
    {
        ItemType.ALBUM,
        ItemType.ARTIST,
        ItemType.PLAYLIST,
        ItemType.SERIES,
        ItemType.SEASON,
        ItemType.COLLECTION,
        ItemType.FOLDER,
        ItemType.GENRE,
        ItemType.MUSIC_GENRE,
        ItemType.LIBRARY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """One of several files of an item; its id is that of an item, which serves this file."""

    id: str
    size: int | None
    source_etag: str | None
    source_path: str | None
    extension: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item in Jellyfin, playable or a container.

    Attributes:
        id: 32 lower-case hex digits.
        artist: The track's artists, joined with ", "; None where the tags name none.
        album_id: The album; for a part of an audiobook its folder, if the server said it.
        album_artist: Who the album is filed under.
        number, disc: Position on the disc (or in the season) and the disc (or season) number.
        number_end: The last of several episodes in one file; None if there is one only.
        aired: The day of an episode.
        seconds: Running time.
        extension: Of the file on the server, lower case, without the dot; None if unknown.
        size: Bytes at the server's last scan: may be stale. None if unknown.
        source_etag: Changes when the file on the server changes (`MediaSources[].ETag`).
        source_path: The file's path on the server, to recognise it; never shown.
        season_id, artist_id: What else it is part of: a season, its first album artist.
        image_item_id, image_tag: Identify its cover; both None without a cover.
        is_favorite: For the requesting user; None if the server did not say.
        can_download: Type and the user's permission together; None if the server did not say.
        is_remote: There is no file of its own (a `.strm` pointer or a missing episode).
        is_played: Marked as played by the requesting user; None if the server did not say.
        parts: How many files a film consists of.
        part: Which of them this one is, from 1; None for a film in one file.
        part_of: For the second and later parts: the film's id.
        versions: All its files, where it has several of which one is enough.
        file_id: Under which its file is served, if that is not its own id: another version.
        disc_folder: It is the folder of a disc, of this kind: "DVD" or "Blu-ray".
        added_at: When it came to the library; None if it was not asked for.
        heard_at, times_heard: When the requesting user played it last, and how often.
        rating: What the community rates it, of ten.
    """

    id: str
    type: ItemType
    title: str
    artist: str | None = None
    album: str | None = None
    album_id: str | None = None
    album_artist: str | None = None
    series: str | None = None
    series_id: str | None = None
    number: int | None = None
    disc: int | None = None
    number_end: int | None = None
    aired: date | None = None
    year: int | None = None
    seconds: float | None = None
    extension: str | None = None
    size: int | None = None
    source_etag: str | None = None
    source_path: str | None = None
    season_id: str | None = None
    artist_id: str | None = None
    image_item_id: str | None = None
    image_tag: str | None = None
    is_favorite: bool | None = None
    can_download: bool | None = None
    is_remote: bool = False
    is_played: bool | None = None
    parts: int = 1
    part: int | None = None
    part_of: str | None = None
    disc_folder: str | None = None
    versions: tuple[FileVersion, ...] = ()
    file_id: str | None = None
    # What people do and think does not make it another item.
    added_at: datetime | None = field(default=None, compare=False)
    heard_at: datetime | None = field(default=None, compare=False)
    times_heard: int = field(default=0, compare=False)
    rating: float | None = field(default=None, compare=False)

    @property
    def is_playable(self) -> bool:
        """Whether it has a file of its own that can be downloaded."""
        return self.type in PLAYABLE and not self.is_remote


def as_part(item: Item, film: Item, number: int) -> Item:
    """Return a further part of a film with the film's own name, year and picture."""
    return replace(
        item,
        title=film.title,
        year=film.year,
        image_item_id=film.image_item_id,
        image_tag=film.image_tag,
        part=number,
        part_of=film.id,
    )
