"""Builds paths on a device from the tags, valid on ext4, FAT32, exFAT, NTFS and Android alike.

    deep                                              flat
    Album Artist/Album (Year)/1-02 - Title.flac       Artist - Album/1-02 Title.flac
    Series/Season 01/Series - S01E02 - Title.mkv      Series - Season 01/S01E02 Title.mkv
    Series/2024/Series - 2024-05-06 - Title.mkv       Series - 2024/2024-05-06 Title.mkv
    Film (Year)/Film (Year).mkv                       Film (Year)/Film (Year).mkv
    Film (Year)/Film (Year)-part1.mkv                 Film (Year)/Film (Year)-part1.mkv
    Artist - Video (Year)/Artist - Video (Year).mp4   Artist - Video (Year)/...

Albums, books and seasons decide how their files are named (`groups`); `folders` decides which
folder of a device is free for them.

Tags are untrusted: whatever they contain, a path stays below the root and consists of names that no
file system changes. Paths that some file system takes as equal have the same `make_path_key`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from sidecar.domain.files.groups import ALONE, Group, fit_into_group, has_disc
from sidecar.domain.files.titles import find_air_date, format_code, strip_repeats, with_year
from sidecar.domain.files.truncate import count_units, cut, shorten
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.media_types import EXTENSIONS, PLAIN

WITH_OWN_FOLDER = frozenset({ItemType.MOVIE, ItemType.VIDEO, ItemType.MUSIC_VIDEO})
LONGEST_NAME_BYTES = 180
LONGEST_PATH = 240
# The most of a path for its folders, so that their names never depend on the file's own.
LONGEST_FOLDERS = 160
ID_DIGITS = 8
# Reserved in a shortened name: a mark that distinguishes it, and its extension.
LEFT_FREE = 16
# Cleaned names that are remembered: artists and albums, which each of their tracks has.
NAMES_KEPT = 1024

# The last three look like "/".
_FORBIDDEN = re.compile('[<>:"/\\\\|?*\u2044\u2215\u29f8]')
_RESERVED = re.compile(
    r"^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])(?= *(\.|$))", re.IGNORECASE
)
# Names that we, Syncthing or an operating system reserve.
_TAKEN = re.compile(
    r"^(\.|~syncthing~|(found\.\d{3}|lost\.dir|lost\+found|\$recycle\.bin|system volume information"
    r"|recycler)$)",
    re.IGNORECASE,
)
_CONFLICT = re.compile(r"\.(?=sync-conflict-)", re.IGNORECASE)
_PART = re.compile(r"-part\d+( \[[0-9a-f]+\])?\.[a-z0-9]+$")
_PART_END = re.compile(r"-part\d{1,3}$")
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
# Emoji and some scripts need these; other invisible characters are removed.
_JOINERS = "\u200c\u200d"


class Layout(StrEnum):
    """How many levels of folders there are."""

    DEEP = "deep"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameLimits:
    """A player's limits on paths.

    Attributes:
        longest_name: In characters, of a folder or of a file with everything that is added to it;
            None for no limit.
        most_in_folder: Files and folders; None for no limit.
        beside_each: Companion files that each media file may have.
    """

    layout: Layout = Layout.DEEP
    longest_name: int | None = None
    most_in_folder: int | None = None
    beside_each: int = 0

    @property
    def longest_stem(self) -> int | None:
        """The longest name, in characters, before anything is added to it."""
        return None if self.longest_name is None else self.longest_name - LEFT_FREE


ANY = NameLimits()


@dataclass(frozen=True, slots=True)
class FileNames:
    """The names of an item's file and its folders: built once, however many folders are tried.

    Attributes:
        folders: The folders, the uppermost first; they never depend on the name of the file.
        stem: The name of the file, not shortened yet.
        ending: What follows it whatever its length.
        longest: The most characters of the stem; None for no such limit.
    """

    folders: Sequence[str]
    stem: str
    ending: str
    longest: int | None

    @property
    def usual_path(self) -> str:
        """The path of the file below the root, with `/`, whatever else is there."""
        return self.in_folder("".join(f"{one}/" for one in self.folders))

    def in_folder(self, above: str) -> str:
        """Return the path of the file in a folder, given with the last `/`."""
        room = LONGEST_PATH - count_units(above) - len(self.ending)
        if self.longest is not None:
            room = min(room, self.longest)
        most_bytes = LONGEST_NAME_BYTES - len(self.ending)
        return f"{above}{shorten(self.stem, most_bytes=most_bytes, most=room)}{self.ending}"


def build_names(item: Item, shape: NameLimits = ANY, group: Group = ALONE) -> FileNames:
    """Return the names of an item's file and its folders.

    Args:
        item: The item.
        shape: The player's limits.
        group: The album, season or book that it is part of.
    """
    *folders, name = _name(fit_into_group(item, group), shape, group)
    most, longest = (LONGEST_FOLDERS - len(folders)) // len(folders), shape.longest_stem
    # Not shortened with the title: players put the parts together by it.
    part = f"-part{item.part}" if item.part and item.type in WITH_OWN_FOLDER else ""
    if longest is not None:
        most, longest = min(most, longest), longest - len(part)
    return FileNames(
        [shorten(clean_name(one), most_bytes=LONGEST_NAME_BYTES, most=most) for one in folders],
        clean_name(name),
        f"{part}.{safe_extension(item.extension)}",
        longest,
    )


def build_path(item: Item, shape: NameLimits = ANY, group: Group = ALONE) -> str:
    """Return the usual path of an item's file; the arguments are those of `build_names`."""
    return build_names(item, shape, group).usual_path


def mark_folder(name: str, owner_id: str) -> str:
    """Return the name of a folder with a mark of what it belongs to."""
    mark = f" [{owner_id[:ID_DIGITS]}]"
    most = LONGEST_NAME_BYTES - len(mark)
    return cut(name, most_bytes=most, most=most).rstrip(" .") + mark


def fill_in_parts(items: Mapping[str, Item], wanted: Iterable[Item]) -> dict[str, Item]:
    """Return the items, parts of a film with what is known of the film by those who want them."""
    known = {one.id: one for one in wanted if one.part is not None}
    return {
        id_: replace(
            one,
            title=known[id_].title,
            year=known[id_].year,
            image_item_id=known[id_].image_item_id,
            image_tag=known[id_].image_tag,
            part=known[id_].part,
            part_of=known[id_].part_of,
        )
        if id_ in known
        else one
        for id_, one in items.items()
    }


def is_part(path: str, item_type: str) -> bool:
    """Whether a path on a device is one that a part of a film has.

    A song or a film that is called "…-part2" is none: such a film's folder has the same name.
    """
    if item_type not in WITH_OWN_FOLDER or _PART.search(path) is None:
        return False
    folder, _, name = path.rpartition("/")
    return name.rpartition(".")[0] != folder.rpartition("/")[2]


def safe_extension(told: str | None) -> str:
    """Return the extension of a file: the server's only if it is one of media.

    There is always one: else a dot in the title would begin the extension.
    """
    return told if told in EXTENSIONS else PLAIN


def build_distinct_path(path: str, item_id: str) -> str:
    """Return a unique path for the item, for when another file has `path`."""
    folder, slash, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not stem or not _EXTENSION.fullmatch(extension):
        stem, dot, extension = name, "", ""
    part = _PART_END.search(stem)
    ending = f"{part[0] if part else ''} [{item_id[:ID_DIGITS]}]{dot}{extension}"
    stem = _PART_END.sub("", stem)
    room = LONGEST_PATH - count_units(folder + slash) - len(ending)
    stem = cut(stem, most_bytes=LONGEST_NAME_BYTES - len(ending), most=room).rstrip(" .")
    return f"{folder}{slash}{f'{stem}{ending}'.lstrip()}"


def build_separate_path(path: str, item_id: str) -> str:
    """Return a unique path for a film, in a folder of its own, since films have posters."""
    folder, _, name = path.rpartition("/")
    mark = f" [{item_id[:ID_DIGITS]}]"
    room = LONGEST_FOLDERS - len(mark)
    folder = cut(folder, most_bytes=LONGEST_NAME_BYTES - len(mark), most=room).rstrip(" .")
    return build_distinct_path(f"{folder}{mark}/{name}", item_id)


def get_extension(path: str) -> str:
    """Return the extension without the dot; "" if there is none."""
    stem, _, extension = path.rpartition("/")[2].rpartition(".")
    return extension if stem and _EXTENSION.fullmatch(extension) else ""


def with_extension(path: str, extension: str) -> str:
    """Return the path with another extension, shortened if necessary."""
    folder, slash, name = path.rpartition("/")
    was = get_extension(path)
    stem = name.removesuffix(f".{was}") if was else name
    ending = f".{extension}" if extension else ""
    room = LONGEST_PATH - count_units(folder + slash) - len(ending)
    stem = cut(stem, most_bytes=LONGEST_NAME_BYTES - len(ending), most=room).rstrip(" .")
    return f"{folder}{slash}{stem}{ending}"


def make_path_key(path: str) -> str:
    """Return a key that is equal for paths that any file system takes as the same.

    It ignores case, Unicode composition, and what some systems drop: invisible characters,
    and spaces and dots at the end of a name.
    """
    return "/".join(map(_name_key, path.split("/")))


def without_extension(path: str) -> str:
    """Return the path up to the last dot of the name; all of it if nothing is before that."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.rpartition('.')[0] or name}"


def file_stem(path: str) -> str:
    """Return a key that is equal for paths that differ only in their extension."""
    return make_path_key(without_extension(path))


@lru_cache(maxsize=NAMES_KEPT)
def clean_name(text: str) -> str:
    """Turn a text into a valid file name: no forbidden characters, not reserved, not empty."""
    # A lone surrogate cannot be encoded: it becomes "?", and that a "_".
    written = _FORBIDDEN.sub("_", text.encode("utf-8", "replace").decode())
    visible = unicodedata.normalize("NFC", written)
    if not visible.isprintable():
        visible = "".join(map(_replace_character, visible))
    name = unicodedata.normalize("NFC", re.sub(r"\s+", " ", visible))
    name = name.lstrip(f" {_JOINERS}").rstrip(f" .{_JOINERS}")
    name = _CONFLICT.sub("_", name)
    name = _RESERVED.sub(lambda match: f"{match[0]}_", name)
    if _TAKEN.match(name):
        name = f"_{name.lstrip('.')}"
    return shorten(name or "_", most_bytes=LONGEST_NAME_BYTES)


def _name(item: Item, shape: NameLimits, group: Group) -> tuple[str, ...]:
    """Return the folders and the name of a file."""
    match item.type:
        case ItemType.EPISODE:
            return _name_episode(item, shape.layout, group)
        case _ if item.type in WITH_OWN_FOLDER:
            film = _name_film(item)
            return film, film
        case _:
            return _name_track(item, shape.layout, group)


def _name_track(item: Item, layout: Layout, group: Group) -> tuple[str, ...]:
    artist = item.album_artist or item.artist or "Unknown Artist"
    album = item.album or ("Unknown Album" if item.type is not ItemType.AUDIO_BOOK else item.title)
    number = _format_number(item, group)
    if layout is Layout.FLAT:
        return f"{artist} - {album}", f"{number} {item.title}" if number else item.title
    if item.album:
        album = with_year(album, item.year)
    return artist, album, f"{number} - {item.title}" if number else item.title


def _format_number(item: Item, group: Group) -> str:
    if item.number is None or item.number < 0:
        return ""
    disc = f"{item.disc:0{group.disc_digits}d}-" if has_disc(item) else ""
    return f"{disc}{item.number:0{group.digits}d}"


def _name_episode(item: Item, layout: Layout, group: Group) -> tuple[str, ...]:
    series = item.series or "Unknown Series"
    season = item.disc if item.disc is not None and item.disc >= 0 else None
    aired = find_air_date(item)
    code = aired.isoformat() if aired else format_code(item, group.digits)
    title = strip_repeats(item)
    if season is not None:
        folder = f"Season {season:02d}" if season else "Specials"
    else:
        folder = f"{aired.year}" if aired else "Season Unknown"
    if layout is Layout.FLAT:
        return f"{series} - {folder}", " ".join(filter(None, (code, title))) or series
    return series, folder, " - ".join(filter(None, (series, code, title)))


def _name_film(item: Item) -> str:
    title = item.title
    artist = item.artist or item.album_artist
    if item.type is ItemType.MUSIC_VIDEO and artist:
        begins = re.match(rf"{re.escape(artist)}\s*[-\u2013\u2014]\s", title, re.IGNORECASE)
        title = title if begins else f"{artist} - {title}"
    return with_year(title, item.year)


def _replace_character(one: str) -> str:
    """Return the replacement of a character; one that is printable has none."""
    if one in _JOINERS:
        return one
    match unicodedata.category(one):
        case "Cf":
            return ""
        case "Cc" | "Co":
            return "_"
    return one


def _name_key(name: str) -> str:
    if name.isascii():
        # The same in a tenth of the time: most names are.
        return name.lower().rstrip(". ")
    # What is invisible is not printable: most names need no look at each character.
    seen = (
        name
        if name.isprintable()
        else "".join(one for one in name if unicodedata.category(one) != "Cf")
    )
    # Upper case first: some letters (a dotless i) are equal only there.
    folded = unicodedata.normalize("NFC", seen).upper().casefold()
    return unicodedata.normalize("NFC", folded).rstrip(". ")
