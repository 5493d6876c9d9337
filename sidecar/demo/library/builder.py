"""Builds the tree of items as Jellyfin does: tracks in discs in albums, episodes in seasons.

Music library ─ artist ─ album ─ (disc folder) ─ track
Movies library ─ film
Shows library ─ series ─ season ─ episode
Books library ─ author ─ book ─ part
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sidecar.demo.library import naming
from sidecar.demo.library.items import BaseItemKind, DemoItem, DemoLibrary, Media, Music, Show
from sidecar.demo.protocol.formats import add_dashes

Entry = dict[str, Any]

_SCANNED = datetime.fromtimestamp(0, UTC)


class LibraryBuilder:
    """Collects the items of a library, then builds it."""

    def __init__(self, folder: Path, *, covers: Mapping[str, str], media_root: str) -> None:
        self.folder = folder
        self._media_root = media_root
        self._covers = covers
        self._library = DemoLibrary()
        self._library_id = ""
        self._song_ids: dict[str, str] = {}

    def begin_library(self, entry: Entry) -> str:
        """Begin a library and return its id; what is added next belongs to it."""
        name = entry["name"]
        path = naming.library_path(name)
        self._library_id = naming.item_id(BaseItemKind.LIBRARY, path)
        self._library.libraries[name] = self._library_id
        library = self._blank(BaseItemKind.LIBRARY, path, name)
        root = naming.item_id(BaseItemKind.FOLDER, "/config/root")
        self._put(replace(library, collection_type=entry["collection_type"], parent_id=root))
        return self._library_id

    def add_items(self, items: Iterable[DemoItem]) -> None:
        """Add items of an earlier scan."""
        for item in items:
            self._library.by_id.setdefault(item.id, item)
            if item.media is not None:
                self._song_ids[item.media.listed] = item.id
            if item.music is not None:
                self._add_artists(item.music)

    def add_track(self, entry: Entry, media: Media) -> None:
        """Put a track into its album, or into its folder if it has no tags."""
        music = _music(entry)
        folder = str(naming.album_folder(entry["path"]))
        if music.album is not None:
            music = replace(music, album_id=self._album(folder, entry, media, music))
        self._add_artists(music)
        title, disc, number = entry["title"], entry.get("disc"), entry.get("track")
        artist = next(iter(music.album_artists), None)
        self._put(
            replace(
                self._media_item(BaseItemKind.AUDIO, entry, media),
                sort_name=naming.song_sort_name(disc, number, title),
                key=naming.song_key(
                    title, album=music.album, album_artist=artist, disc=disc, track=number
                ),
                parent_id=self._folder_of(entry["path"], folder, music),
                index=number,
                parent_index=disc,
                music=music,
            )
        )

    def add_film(self, entry: Entry, media: Media) -> None:
        """Put a film into its library, with its further parts and versions."""
        film = self._media_item(BaseItemKind.MOVIE, entry, media)
        picture = self._cover(str(PurePosixPath(entry["path"]).parent))
        self._put(
            replace(
                film,
                parent_id=self._library_id,
                picture=picture,
                genres=tuple(entry.get("genres") or ()),
                disc=entry.get("disc"),
                parts=tuple(self._hidden(BaseItemKind.VIDEO, entry, one) for one in media.parts),
                versions=tuple(self._version(entry, film, one) for one in media.versions),
            )
        )

    def add_music_video(self, entry: Entry, media: Media) -> None:
        """Put a music video into its library."""
        video = self._media_item(BaseItemKind.MUSIC_VIDEO, entry, media)
        self._put(replace(video, parent_id=self._library_id))

    def add_book(self, entry: Entry, media: Media) -> None:
        """Put a part of an audiobook into its folder, which is in the folder of its author."""
        parent = self._library_id
        parts = PurePosixPath(entry["path"]).parent.parts
        for depth in range(2, len(parts) + 1):
            folder = "/".join(parts[:depth])
            plain = self._blank(
                BaseItemKind.FOLDER, f"{self._media_root}/{folder}", parts[depth - 1]
            )
            parent = self._put(replace(plain, parent_id=parent)).id
        book = self._media_item(BaseItemKind.AUDIO_BOOK, entry, media)
        music = replace(_music(entry), album_id=None)
        self._add_artists(music)
        number = entry.get("track")
        self._put(replace(book, parent_id=parent, index=number, music=music))

    def add_collection(self, name: str, paths: Iterable[str]) -> None:
        """Put a collection into the library of collections, with the items at some paths."""
        path = naming.collection_path(name)
        plain = self._blank(BaseItemKind.COLLECTION, path, name)
        members = tuple(self._at(one) for one in paths)
        self._put(replace(plain, parent_id=self._library_id, members=members))

    def add_genres(self) -> None:
        """Put in the genres of all that is there."""
        found = {
            (BaseItemKind.MUSIC_GENRE if item.music else BaseItemKind.GENRE, name)
            for item in self._library
            for name in item.all_genres
        }
        for kind, name in sorted(found):
            genre_id = naming.genre_id(name, kind)
            self._put(
                DemoItem(
                    id=genre_id,
                    kind=kind,
                    name=name,
                    sort_name=naming.sort_name(name),
                    path=f"/config/metadata/{kind.value}/{name}",
                    key=f"{kind.value}-{name}",
                    created=_SCANNED,
                )
            )

    def _at(self, path: str) -> str:
        """Return the id of the item at a path of the listing: a file, or a series' folder."""
        if path in self._song_ids:
            return self._song_ids[path]
        place = f"{self._media_root}/{path}"
        return next(item.id for item in self._library if item.path == place)

    def _hidden(self, kind: BaseItemKind, entry: Entry, media: Media) -> str:
        """Put in a file that is in no list, and return its id."""
        told = entry | {"path": media.listed}
        return self._put(replace(self._media_item(kind, told, media), is_hidden=True)).id

    def _version(self, entry: Entry, film: DemoItem, media: Media) -> str:
        """Put in a further version of a film, and return its id."""
        version_id = self._hidden(BaseItemKind.MOVIE, entry, media)
        version = self._library.by_id[version_id]
        self._library.by_id[version_id] = replace(
            version, versions=(film.id,), parent_id=self._library_id
        )
        return version_id

    def add_episode(self, entry: Entry, media: Media) -> None:
        """Put an episode into its season of its series."""
        series = self._series("/".join(PurePosixPath(entry["path"]).parts[:2]), entry)
        season_number, number = int(entry["season"]), int(entry["episode"])
        season = self._season(series, season_number)
        self._put(
            replace(
                self._media_item(BaseItemKind.EPISODE, entry, media),
                sort_name=naming.episode_sort_name(season_number, number, entry["title"]),
                key=f"{add_dashes(series.id)}{season_number:03d}{number:03d}",
                parent_id=season.id,
                index=number,
                parent_index=season_number,
                show=Show(series.name, series.id, season.id, season.name),
            )
        )

    def song_ids(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the ids of the tracks at some paths, without those that are not there."""
        for path in paths:
            if path in self._song_ids:
                yield self._song_ids[path]

    def build(self) -> DemoLibrary:
        """Return the library; the length of a container is that of its items."""
        lengths: dict[str, float] = {}
        for item in self._library:
            if item.music is not None and item.music.album_id is not None and item.media:
                album_id = item.music.album_id
                lengths[album_id] = lengths.get(album_id, 0.0) + item.seconds
        for item_id, seconds in lengths.items():
            album = self._library.by_id[item_id]
            self._library.by_id[item_id] = replace(album, seconds=seconds)
        return self._library

    def _folder_of(self, path: str, album_folder: str, music: Music) -> str:
        """Return the id of the folder that a track's file is in: its album, its disc, or plain."""
        folder = str(PurePosixPath(path).parent)
        if folder == album_folder and music.album_id is not None:
            return music.album_id
        name = PurePosixPath(folder).name
        plain = self._blank(BaseItemKind.FOLDER, f"{self._media_root}/{folder}", name)
        return self._put(replace(plain, parent_id=music.album_id or self._library_id)).id

    def _album(self, folder: str, entry: Entry, media: Media, music: Music) -> str:
        name = music.album or folder
        artist = next(iter(music.album_artists), None)
        artist_id = (
            naming.item_id(BaseItemKind.ARTIST, naming.artist_path(artist)) if artist else None
        )
        album = self._blank(BaseItemKind.ALBUM, f"{self._media_root}/{folder}", name)
        return self._put(
            replace(
                album,
                key=f"{artist}-{name}" if artist else album.key,
                parent_id=artist_id or self._library_id,
                picture=self._cover(folder),
                year=entry.get("year"),
                created=_modified(media),
                music=replace(music, album=None, artists=music.album_artists),
            )
        ).id

    def _series(self, folder: str, entry: Entry) -> DemoItem:
        series = self._blank(BaseItemKind.SERIES, f"{self._media_root}/{folder}", entry["series"])
        picture, year = self._cover(folder), naming.year_of(folder) or entry.get("year")
        return self._put(replace(series, parent_id=self._library_id, picture=picture, year=year))

    def _season(self, series: DemoItem, number: int) -> DemoItem:
        season = self._blank(
            BaseItemKind.SEASON, f"{series.path}/Season {number:02d}", f"Season {number}"
        )
        key, show = f"{add_dashes(series.id)}{number:03d}", Show(series.name, series.id)
        return self._put(replace(season, key=key, parent_id=series.id, index=number, show=show))

    def _add_artists(self, music: Music) -> None:
        for name in (*music.album_artists, *music.artists):
            artist = self._blank(BaseItemKind.ARTIST, naming.artist_path(name), name)
            self._put(replace(artist, key=f"Artist-{name}", parent_id=self._library_id))
            self._library.artist_ids[name] = artist.id

    def _cover(self, folder: str) -> Path | None:
        cover = self._covers.get(folder)
        return self.folder / cover if cover and (self.folder / cover).is_file() else None

    def _media_item(self, kind: BaseItemKind, entry: Entry, media: Media) -> DemoItem:
        item = self._blank(kind, f"{self._media_root}/{entry['path']}", entry["title"])
        self._song_ids[media.listed] = item.id
        return replace(
            item,
            year=entry.get("year"),
            created=_modified(media),
            rating=entry.get("rating"),
            tags=tuple(entry.get("tags") or ()),
            seconds=media.seconds,
            media=media,
        )

    def _blank(self, kind: BaseItemKind, path: str, name: str) -> DemoItem:
        item_id = naming.item_id(kind, path)
        return DemoItem(
            id=item_id,
            kind=kind,
            name=name,
            sort_name=naming.sort_name(name),
            path=path,
            key=add_dashes(item_id),
            created=_SCANNED,
            library_id=self._library_id,
        )

    def _put(self, item: DemoItem) -> DemoItem:
        """Add an item, unless one has its id already; return the one that is there."""
        return self._library.by_id.setdefault(item.id, item)


def _music(entry: Entry) -> Music:
    artists = tuple(entry.get("artists") or ())
    # Without an album artist the track's own artists stand in, but only where there are tags.
    album_artists = tuple(entry.get("album_artists") or (artists if entry.get("album") else ()))
    return Music(
        album=entry.get("album"),
        artists=artists,
        album_artists=album_artists,
        genres=tuple(entry.get("genres") or ()),
    )


def _modified(media: Media) -> datetime:
    return datetime.fromtimestamp(media.modified_ns / 1_000_000_000, UTC)
