"""Converts items to the API's JSON: which fields, in which order, and which only on request.

Knows nothing of requests. User data is told by whoever asks for somebody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from sidecar.demo.library import naming, streams
from sidecar.demo.library.items import BaseItemKind, DemoItem, DemoLibrary
from sidecar.demo.protocol.formats import NEVER, Json, fingerprint, format_date, ticks
from sidecar.demo.protocol.version import Version

_BLUR = "LEHV6nWB2yk8pyo0adR*.7kCMdnj"
# What a list leaves out unless `fields` names it; names in `fields` are these in any case.
ON_REQUEST = frozenset(
    [
        "AirTime",
        "CanDelete",
        "CanDownload",
        "Chapters",
        "DateCreated",
        "DateLastMediaAdded",
        "DisplayPreferencesId",
        "EnableMediaSourceDisplay",
        "Etag",
        "ExternalUrls",
        "Genres",
        "GenreItems",
        "Height",
        "LocalTrailerCount",
        "LockData",
        "LockedFields",
        "MediaSources",
        "MediaStreams",
        "Overview",
        "ParentId",
        "Path",
        "People",
        "PlayAccess",
        "ProviderIds",
        "RemoteTrailers",
        "SortName",
        "SpecialFeatureCount",
        "Studios",
        "Taglines",
        "Tags",
        "Width",
    ]
)
_TOGETHER = {"Genres": {"Genres", "GenreItems"}, "Settings": {"LockData", "LockedFields"}}
# What the item of a session lacks, which is told without a user.
_NOT_WHILE_PLAYING = frozenset(
    [
        "CanDelete",
        "CanDownload",
        "DisplayPreferencesId",
        "Etag",
        "LockData",
        "LockedFields",
        "MediaSources",
        "People",
        "PlayAccess",
        "RemoteTrailers",
        "SortName",
        "Tags",
    ]
)


@dataclass(frozen=True, slots=True)
class DtoBuilder:
    """Converts the items of one scan, as one version of the server does."""

    library: DemoLibrary
    server_id: str
    speaks: Version

    def full_item(self, item: DemoItem, *, user_data: Json | None, may_download: bool) -> Json:
        """Return all fields of one item."""
        if item.is_hidden and item.versions and not self.speaks.tells_versions_as_films:
            stem = PurePosixPath(item.path).stem
            item = replace(item, kind=BaseItemKind.VIDEO, versions=(), name=stem, parent_id=None)
        told = (
            self._head(item, may_download=may_download)
            | self._middle(item, user_data)
            | self._tail(item)
        )
        if user_data is None:
            # What depends on a user is not told where there is none.
            del told["PlayAccess"]
        may_be_null = {"ChannelId"}
        if item.is_hidden or item.kind.is_genre:
            may_be_null.add("ParentId")
        return _without_nulls(told, may_be_null)

    def list_item(self, whole: Json, fields: Iterable[str]) -> Json:
        """Return what a list tells of an item, and of the rest what `fields` names."""
        wanted: set[str] = set()
        known = {name.lower(): name for name in (*ON_REQUEST, *_TOGETHER)}
        for name in fields:
            field = known.get(name.lower())
            if field is not None:
                wanted |= _TOGETHER.get(field, {field})
        return {
            name: value for name, value in whole.items() if name not in ON_REQUEST or name in wanted
        }

    def playing_item(self, item: DemoItem) -> Json:
        """Return the item that a session plays, without user data."""
        whole = self.full_item(item, user_data=None, may_download=False)
        return {name: value for name, value in whole.items() if name not in _NOT_WHILE_PLAYING}

    def queued_item(self, item: DemoItem) -> Json:
        """Return an item in a session's queue, with all fields."""
        told = self.full_item(item, user_data=None, may_download=False)
        sources = self._sources(item)
        for source in sources or []:
            # Which sound a user would hear depends on the user.
            del source["DefaultAudioStreamIndex"]
        return told | {"MediaSources": sources}

    def picture_tag(self, item: DemoItem) -> str | None:
        """Return the tag of an item's picture, or None if it has no picture."""
        return None if item.picture is None else fingerprint(f"{item.id}/{item.picture.name}")

    def _head(self, item: DemoItem, *, may_download: bool) -> Json:
        media = item.media
        is_dated = item.kind.is_audio or item.kind is BaseItemKind.ALBUM
        premiere = f"{item.year:04d}-01-01T00:00:00.0000000Z" if item.year else NEVER
        return {
            "Name": item.name,
            "ServerId": self.server_id,
            "Id": item.id,
            "Etag": fingerprint(repr((item.name, item.created, media and media.modified_ns))),
            "DateCreated": format_date(item.created),
            "DateLastMediaAdded": NEVER if item.kind is BaseItemKind.LIBRARY else None,
            "CanDelete": False,
            "CanDownload": may_download and item.kind.is_playable and item.disc is None,
            "HasLyrics": bool(media and media.lyrics) if item.kind.is_audio else None,
            "Container": None if item.kind is BaseItemKind.AUDIO_BOOK else streams.container(item),
            "SortName": item.sort_name,
            "PremiereDate": premiere if is_dated else None,
            "ExternalUrls": [],
            "MediaSources": self._sources(item),
            "Path": item.path,
            "EnableMediaSourceDisplay": True,
            "ChannelId": None,
            "Taglines": [],
            "Genres": list(item.all_genres),
            "CommunityRating": item.rating,
            "RunTimeTicks": self._run_time(item),
            "PlayAccess": "Full",
            "ProductionYear": item.year,
        }

    def _middle(self, item: DemoItem, user_data: Json | None) -> Json:
        genre = BaseItemKind.MUSIC_GENRE if item.music else BaseItemKind.GENRE
        is_music = item.kind is BaseItemKind.AUDIO and self.speaks.tells_people_and_chapters
        return {
            "IndexNumber": item.index,
            "ParentIndexNumber": item.parent_index,
            "RemoteTrailers": [],
            "ProviderIds": {},
            "IsFolder": None if item.kind.is_genre else not item.kind.is_playable,
            "ParentId": item.parent_id,
            "Type": item.kind.value,
            "People": _people(item) if is_music else [],
            "Studios": [],
            "GenreItems": [
                {"Name": one, "Id": naming.genre_id(one, genre)} for one in item.all_genres
            ],
            "LocalTrailerCount": 0,
            "UserData": user_data,
            "SpecialFeatureCount": 0,
            "DisplayPreferencesId": naming.genre_id(item.kind.value)
            if item.kind.is_playable or item.kind.is_genre or item.members
            else item.id,
            "Tags": list(item.tags),
        }

    def _tail(self, item: DemoItem) -> Json:
        media, tag = item.media, self.picture_tag(item)
        images = {"Primary": tag} if tag else {}
        blurred = tag or self._album_tag(item)
        return {
            **self._music(item),
            **self._show(item),
            "CollectionType": item.collection_type,
            "VideoType": (item.disc or "VideoFile") if item.kind.is_video else None,
            "PartCount": 1 + len(item.parts) if item.parts else None,
            "MediaSourceCount": 1 + len(item.versions) if item.versions else None,
            "DisplayOrder": "PremiereDate" if item.kind is BaseItemKind.COLLECTION else None,
            "MediaStreams": streams.streams(item, media, self.speaks) if media else None,
            "AirDays": [] if item.kind is BaseItemKind.SERIES else None,
            "ImageTags": images,
            "BackdropImageTags": [],
            "ImageBlurHashes": {"Primary": {blurred: _BLUR}} if blurred else {},
            "Chapters": [] if self.speaks.tells_people_and_chapters else None,
            "LocationType": "FileSystem",
            "MediaType": item.kind.media_type,
            "LockedFields": [],
            "LockData": False,
            "Width": media.width if media and item.kind.is_video else None,
            "Height": media.height if media and item.kind.is_video else None,
        }

    def _music(self, item: DemoItem) -> Json:
        music = item.music
        if music is None:
            return {}
        told: Json = {
            "Artists": list(music.artists),
            "ArtistItems": self._artists(music.artists),
            "Album": music.album,
            "AlbumId": music.album_id,
            "AlbumPrimaryImageTag": self._album_tag(item),
            "AlbumArtist": next(iter(music.album_artists), None),
            "AlbumArtists": self._artists(music.album_artists),
        }
        return told

    def _show(self, item: DemoItem) -> Json:
        show = item.show
        if show is None:
            return {}
        series = self.library.get(show.series_id)
        return {
            "SeriesName": show.series,
            "SeriesId": show.series_id,
            "SeasonId": show.season_id,
            "SeasonName": show.season,
            "SeriesPrimaryImageTag": self.picture_tag(series) if series else None,
        }

    def _artists(self, names: Iterable[str]) -> list[Json]:
        return [{"Name": name, "Id": self.library.artist_ids[name]} for name in names]

    def _album_tag(self, item: DemoItem) -> str | None:
        album = self.library.get(item.music.album_id) if item.music else None
        return self.picture_tag(album) if album else None

    def _sources(self, item: DemoItem) -> list[Json] | None:
        versions = (self.library.get(one) for one in item.versions)
        files = [one for one in (item, *versions) if one is not None and one.media is not None]
        told = [source for one in files for source in streams.sources(one, self.speaks)]
        return told or None

    def _run_time(self, item: DemoItem) -> int | None:
        if item.kind in {BaseItemKind.ARTIST, BaseItemKind.PLAYLIST}:
            return 0
        return ticks(item.seconds) if item.seconds else None


def _without_nulls(told: Json, may_be_null: set[str]) -> Json:
    # Ids that may be absent are the only things told as null.
    return {name: value for name, value in told.items() if value is not None or name in may_be_null}


def _people(item: DemoItem) -> list[Json]:
    music = item.music
    if music is None:
        return []
    people = [(name, "AlbumArtist") for name in music.album_artists]
    people += [(name, "Artist") for name in music.artists]
    return [
        {"Name": name, "Id": naming.person_id(name), "Role": "", "Type": part}
        for name, part in people
    ]
