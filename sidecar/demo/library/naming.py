"""Derives ids, sort names and user data keys, as the server does.

id   MD5 of the type's full name and the place, in lower case
key  "Album Artist-Album-0001-0003Title" for a tagged track, the dashed id for a film
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from sidecar.demo.library.items import BaseItemKind
from sidecar.demo.protocol.formats import guid_of

# Where the server has its media, unless the listing says otherwise.
MEDIA = "/media"
_TYPES = {
    BaseItemKind.AUDIO: "MediaBrowser.Controller.Entities.Audio.Audio",
    BaseItemKind.ALBUM: "MediaBrowser.Controller.Entities.Audio.MusicAlbum",
    BaseItemKind.ARTIST: "MediaBrowser.Controller.Entities.Audio.MusicArtist",
    BaseItemKind.PLAYLIST: "MediaBrowser.Controller.Playlists.Playlist",
    BaseItemKind.MOVIE: "MediaBrowser.Controller.Entities.Movies.Movie",
    BaseItemKind.SERIES: "MediaBrowser.Controller.Entities.TV.Series",
    BaseItemKind.SEASON: "MediaBrowser.Controller.Entities.TV.Season",
    BaseItemKind.EPISODE: "MediaBrowser.Controller.Entities.TV.Episode",
    BaseItemKind.VIDEO: "MediaBrowser.Controller.Entities.Video",
    BaseItemKind.MUSIC_VIDEO: "MediaBrowser.Controller.Entities.MusicVideo",
    BaseItemKind.AUDIO_BOOK: "MediaBrowser.Controller.Entities.AudioBook",
    BaseItemKind.COLLECTION: "MediaBrowser.Controller.Entities.Movies.BoxSet",
    BaseItemKind.FOLDER: "MediaBrowser.Controller.Entities.Folder",
    BaseItemKind.LIBRARY: "MediaBrowser.Controller.Entities.CollectionFolder",
}
_GENRES = {
    BaseItemKind.MUSIC_GENRE: "MediaBrowser.Controller.Entities.Audio.MusicGenre",
    BaseItemKind.GENRE: "MediaBrowser.Controller.Entities.Genre",
}
_PERSON = "MediaBrowser.Controller.Entities.Person"
_DISC = re.compile(r"(?:disc|disk|cd|side)\s*\d+", re.IGNORECASE)
_YEAR = re.compile(r"\((\d{4})\)$")
_ARTICLES = ("the ", "a ", "an ")


def item_id(kind: BaseItemKind, path: str) -> str:
    """Return the id of the item with this path."""
    return guid_of(_TYPES[kind] + path.lower())


def artist_path(name: str) -> str:
    """Return the place where the server keeps an artist, who has no folder of their own."""
    return f"/config/metadata/artists/{name}"


def playlist_path(name: str) -> str:
    """Return the place where the server keeps a playlist."""
    return f"/config/data/playlists/{name}"


def library_path(name: str) -> str:
    """Return the place where the server keeps what it knows of a library."""
    return f"/config/root/default/{name}"


def collection_path(name: str) -> str:
    """Return the place where the server keeps a collection."""
    return f"/config/data/collections/{name} [boxset]"


def genre_id(name: str, kind: BaseItemKind = BaseItemKind.MUSIC_GENRE) -> str:
    """Return the id of a genre."""
    return guid_of(_GENRES[kind] + name.lower())


def person_id(name: str) -> str:
    """Return the id of a person: another one than of the artist with the same name."""
    return guid_of(_PERSON + name.lower())


def album_folder(path: str) -> PurePosixPath:
    """Return the folder of a track's album: not the one of its disc."""
    folder = PurePosixPath(path).parent
    return folder.parent if _DISC.fullmatch(folder.name) else folder


def year_of(folder: str) -> int | None:
    """Return the year at the end of a folder's name."""
    found = _YEAR.search(folder)
    return int(found[1]) if found else None


def song_sort_name(disc: int | None, track: int | None, title: str) -> str:
    """Return the sort name of a track or episode: `0001 - 0003 - Title`."""
    numbers = [f"{number:04d}" for number in (disc, track) if number is not None]
    return " - ".join([*numbers, title])


def episode_sort_name(season: int, episode: int, title: str) -> str:
    """Return the sort name of an episode: `001 - 0003 - Title`."""
    return f"{season:03d} - {episode:04d} - {title}"


def sort_name(name: str) -> str:
    """Return the sort name of anything else: lower case, no article, numbers of ten digits."""
    plain = re.sub(r"[,&\-{}']", "", name.lower())
    plain = re.sub(r"[.+%]", " ", plain).strip()
    for article in _ARTICLES:
        plain = plain.removeprefix(article)
    return re.sub(r"\d+", lambda found: found[0].zfill(10), plain).strip()


def song_key(
    title: str,
    *,
    album: str | None,
    album_artist: str | None,
    disc: int | None,
    track: int | None,
) -> str:
    """Return the user data key of a track, which does not depend on its path."""
    key = "" if track is None else f"{track:04d}"
    if disc is not None:
        key = f"{disc:04d}-{key}"
    return "-".join([*filter(None, (album_artist, album)), key + title])
