"""Presets for kinds of players: playlists, paths, covers and tags as each of them needs.

             lists in     as      BOM  line end  titles  files       longest name  in a folder
    generic  Playlists/  .m3u8    no   LF        yes     deep        180 bytes     any number
    rockbox  Playlists/  .m3u8    no   LF        no      deep        180 bytes     400
    car      the root    .m3u     yes  CR LF     no      flat        64            255
    android  Playlists/  .m3u8    no   LF        yes     deep        180 bytes     any number
    jellyfin Playlists/  .m3u8    no   LF        yes     deep        180 bytes     any number

The cover beside an album is folder.jpg for cars, AlbumArt.jpg for Android, and cover.jpg for all
others.

Paths in playlists are relative, with `/`: this works on a USB stick, on a player's second card and
on a phone, wherever the folder is mounted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.files.companions import COVER
from sidecar.domain.files.naming import ANY, Layout, NameLimits, build_path
from sidecar.domain.formats.films import FilmFormat
from sidecar.domain.formats.tag_fields import TagSystem
from sidecar.domain.items.item import Item
from sidecar.domain.items.kinds import ALL_MEDIA, MediaKind


class PresetName(StrEnum):
    """The kind of player of a device."""

    GENERIC = "generic"
    ROCKBOX = "rockbox"
    CAR = "car"
    ANDROID = "android"
    JELLYFIN = "jellyfin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The needs of one kind of player.

    Attributes:
        folder: Where playlists go; "" is the root.
        extension: Of playlists.
        has_mark: Whether they begin with a byte order mark (BOM).
        line_end: Of each of their lines.
        tells_titles: Whether they have the title and length of each file.
        shape: Of new paths.
        cover_name: Of covers beside music.
        cover_pixels: The longest edge of covers, beside the files and in converted ones.
        id3: The tags of MP3 files. Many players show only the first of several artists
            that are separate values, as in ID3v2.4; 2.3 has them in one text.
        is_in_disk_order: Whether it plays a folder in the order in which its files came.
        knows_words: Whether it supports lyrics with a time for each word.
        takes: The kinds of media that it plays.
        video: The format of films that it plays for sure; only used where the settings say so.
    """

    folder: str = "Playlists"
    extension: str = "m3u8"
    has_mark: bool = False
    line_end: str = "\n"
    tells_titles: bool = True
    shape: NameLimits = ANY
    cover_name: str = COVER
    cover_pixels: int = 1000
    id3: TagSystem = TagSystem.ID3_24
    is_in_disk_order: bool = False
    knows_words: bool = False
    takes: frozenset[MediaKind] = ALL_MEDIA
    video: FilmFormat = FilmFormat.FULL_HD


_TO_HEAR = frozenset({MediaKind.MUSIC, MediaKind.AUDIOBOOKS})

PRESETS: Mapping[PresetName, Preset] = MappingProxyType(
    {
        PresetName.GENERIC: Preset(),
        # Skips every line that is no path, but reads it first: on a slow disk, with little memory.
        # Its file browser shows 400 entries unless it is told otherwise.
        PresetName.ROCKBOX: Preset(
            tells_titles=False,
            shape=NameLimits(most_in_folder=400),
            cover_pixels=320,
            id3=TagSystem.ID3_23,
            knows_words=True,
            takes=_TO_HEAR,
            video=FilmFormat.HD,
        ),
        # Knows .m3u only, often not what ".." means, and takes it for Windows' own characters
        # unless it is marked. Car makers promise 64 characters, 255 files in a folder, 8 levels.
        PresetName.CAR: Preset(
            folder="",
            extension="m3u",
            has_mark=True,
            line_end="\r\n",
            tells_titles=False,
            shape=NameLimits(layout=Layout.FLAT, longest_name=64, most_in_folder=255),
            cover_name="folder.jpg",
            is_in_disk_order=True,
            cover_pixels=500,
            id3=TagSystem.ID3_23,
            takes=_TO_HEAR,
            video=FilmFormat.HD,
        ),
        # The system's media store takes a mark for the name of a first file.
        PresetName.ANDROID: Preset(cover_name="AlbumArt.jpg", id3=TagSystem.ID3_23),
        # A folder that is a library of another Jellyfin server, which shows these lists as its own.
        PresetName.JELLYFIN: Preset(cover_pixels=1500, knows_words=True, video=FilmFormat.ORIGINAL),
    }
)

# All shapes that a device's files may have: it may have been used with another preset before.
SHAPES = tuple(
    {(one.shape.layout, one.shape.longest_name): one.shape for one in PRESETS.values()}.values()
)


def possible_paths(item: Item) -> Iterator[str]:
    """Yield the paths of an item's file, for all presets."""
    return (build_path(item, shape) for shape in SHAPES)
