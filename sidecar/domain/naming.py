"""Names on a device: made by us from the tags, valid at once on ext4, FAT32, exFAT, NTFS, Android.

    Album Artist/Album (Year)/1-02 - Title.flac
    Series/Season 01/Series - S01E02 - Title.mkv
    Film (Year)/Film (Year).mkv

Tags are untrusted: whatever they hold, a path stays below the root and is a name that no file
system changes on its way. Two paths that some device would take for one have the same `path_key`.
"""

from __future__ import annotations

import re
import unicodedata

from sidecar.domain.items import Item, ItemType
from sidecar.domain.shortening import cut, shortened, units

LONGEST_NAME_BYTES = 180
LONGEST_PATH = 240
# What the folders of a path may take of it, so that the file's own name never decides their names.
LONGEST_FOLDERS = 160
ID_DIGITS = 8

# The last three look like "/" and mislead.
_FORBIDDEN = re.compile('[<>:"/\\\\|?*\u2044\u2215\u29f8]')
_RESERVED = re.compile(
    r"^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])(?= *(\.|$))", re.IGNORECASE
)
# Names that we, Syncthing or a system use for themselves.
_TAKEN = re.compile(
    r"^(\.|~syncthing~|(found\.\d{3}|lost\.dir|lost\+found|\$recycle\.bin|system volume information"
    r"|recycler)$)",
    re.IGNORECASE,
)
_CONFLICT = re.compile(r"\.(?=sync-conflict-)", re.IGNORECASE)
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
# Emoji and some scripts need them; other invisible characters only mislead.
_JOINERS = "\u200c\u200d"


def wanted_path(item: Item) -> str:
    """Return where the item's file goes, below the root, `/` between the parts."""
    match item.type:
        case ItemType.EPISODE:
            *folders, name = _episode(item)
        case ItemType.MOVIE | ItemType.VIDEO | ItemType.MUSIC_VIDEO:
            film = _with_year(item.title, item.year)
            *folders, name = film, film
        case _:
            *folders, name = _track(item)
    extension = item.extension or ""
    ending = f".{extension}" if _EXTENSION.fullmatch(extension) else ""
    return _joined([clean(folder) for folder in folders], clean(name), ending)


def distinct(path: str, item_id: str) -> str:
    """Return another path for the item, for when another file has `path` already."""
    folder, slash, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not stem or not _EXTENSION.fullmatch(extension):
        stem, dot, extension = name, "", ""
    ending = f" [{item_id[:ID_DIGITS]}]{dot}{extension}"
    room = LONGEST_PATH - units(folder + slash) - len(ending)
    stem = cut(stem, most_bytes=LONGEST_NAME_BYTES - len(ending), most=room).rstrip(" .")
    return f"{folder}{slash}{f'{stem}{ending}'.lstrip()}"


def extension_of(path: str) -> str:
    """Return what a name ends in, without the dot; "" if that is no extension."""
    stem, _, extension = path.rpartition("/")[2].rpartition(".")
    return extension if stem and _EXTENSION.fullmatch(extension) else ""


def with_extension(path: str, extension: str) -> str:
    """Return the path with another extension, as long as a path may be."""
    folder, slash, name = path.rpartition("/")
    was = extension_of(path)
    stem = name.removesuffix(f".{was}") if was else name
    ending = f".{extension}" if extension else ""
    room = LONGEST_PATH - units(folder + slash) - len(ending)
    stem = cut(stem, most_bytes=LONGEST_NAME_BYTES - len(ending), most=room).rstrip(" .")
    return f"{folder}{slash}{stem}{ending}"


def path_key(path: str) -> str:
    """Return what two paths share if any device takes them for the same.

    Case and composition do not count, nor what one system or another drops: invisible characters,
    and spaces and dots at the end of a name.
    """
    return "/".join(map(_name_key, path.split("/")))


def clean(text: str) -> str:
    """Return the text as one name: nothing forbidden, not reserved, short enough, never empty."""
    # A lone surrogate cannot be written to any disk: it becomes "?", and that a "_".
    written = _FORBIDDEN.sub("_", text.encode("utf-8", "replace").decode())
    visible = "".join(map(_visible, unicodedata.normalize("NFC", written)))
    name = unicodedata.normalize("NFC", re.sub(r"\s+", " ", visible))
    name = name.lstrip(f" {_JOINERS}").rstrip(f" .{_JOINERS}")
    name = _CONFLICT.sub("_", name)
    name = _RESERVED.sub(lambda match: f"{match[0]}_", name)
    if _TAKEN.match(name):
        name = f"_{name.lstrip('.')}"
    return shortened(name or "_", most_bytes=LONGEST_NAME_BYTES)


def _track(item: Item) -> tuple[str, str, str]:
    artist = item.album_artist or item.artist or "Unknown Artist"
    unknown = item.title if item.type is ItemType.AUDIO_BOOK else "Unknown Album"
    album = _with_year(item.album, item.year) if item.album else unknown
    return artist, album, f"{_number(item)}{item.title}"


def _number(item: Item) -> str:
    if item.number is None or item.number < 0:
        return ""
    disc = f"{item.disc}-" if item.disc is not None and item.disc > 0 else ""
    return f"{disc}{item.number:02d} - "


def _episode(item: Item) -> tuple[str, str, str]:
    series = item.series or "Unknown Series"
    season = item.disc if item.disc is not None and item.disc >= 0 else None
    if season is None:
        return series, "Season Unknown", f"{series} - {item.title}"
    folder = f"Season {season:02d}" if season else "Specials"
    if item.number is None or item.number < 0:
        return series, folder, f"{series} - {item.title}"
    return series, folder, f"{series} - S{season:02d}E{item.number:02d} - {item.title}"


def _with_year(title: str, year: int | None) -> str:
    return f"{title} ({year})" if year and year > 0 else title


def _visible(one: str) -> str:
    """What a name has for this character."""
    if one in _JOINERS:
        return one
    match unicodedata.category(one):
        case "Cf":
            return ""
        case "Cc" | "Co":
            return "_"
    return one


def _joined(folders: list[str], name: str, ending: str) -> str:
    """Join, each part short enough for the whole; the folders never depend on the name."""
    most = (LONGEST_FOLDERS - len(folders)) // len(folders)
    above = "".join(
        f"{shortened(one, most_bytes=LONGEST_NAME_BYTES, most=most)}/" for one in folders
    )
    room = LONGEST_PATH - units(above) - len(ending)
    stem = shortened(name, most_bytes=LONGEST_NAME_BYTES - len(ending), most=room)
    return f"{above}{stem}{ending}"


def _name_key(name: str) -> str:
    seen = "".join(one for one in name if unicodedata.category(one) != "Cf")
    # Upper case first: some letters (a dotless i) are equal only there.
    folded = unicodedata.normalize("NFC", seen).upper().casefold()
    return unicodedata.normalize("NFC", folded).rstrip(". ")
