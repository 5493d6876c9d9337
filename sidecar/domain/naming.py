"""Names on a device: made by us from the tags, valid at once on every usual file system.

    Album Artist/Album (Year)/1-02 - Title.flac
    Series/Season 01/Series - S01E02 - Title.mkv
    Film (Year)/Film (Year).mkv

Tags are untrusted: whatever they hold, a path stays below the root and is a name that no file
system changes on its way. Two paths that some device would take for one have the same `path_key`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from sidecar.domain.items import Item, ItemType

LONGEST_NAME_BYTES = 180
LONGEST_PATH = 240
ID_DIGITS = 8

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\u2044\u2215\u29f8]')
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=\.|$)")
# Names that we, Syncthing or a file system use for themselves.
_TAKEN = re.compile(r"(?i)^(\.|~syncthing~|found\.\d{3}$|system volume information$)")
_EXTENSION = re.compile(r"^[a-z0-9]{1,10}$")


def wanted_path(item: Item) -> str:
    """Return where the item's file goes, below the root, `/` between the parts."""
    match item.type:
        case ItemType.EPISODE:
            parts = _episode(item)
        case ItemType.MOVIE | ItemType.VIDEO | ItemType.MUSIC_VIDEO:
            film = _with_year(item.title, item.year)
            parts = (film, film)
        case _:
            parts = _track(item)
    *folders, name = parts
    extension = item.extension if item.extension and _EXTENSION.match(item.extension) else None
    return _fitted([*map(clean, folders)], clean(name), f".{extension}" if extension else "")


def distinct(path: str, item_id: str) -> str:
    """Return another path for the item, for when another file has `path` already."""
    folder, _, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    tail = f" [{item_id[:ID_DIGITS]}]"
    stem = _cut(stem, LONGEST_NAME_BYTES - len(tail) - len(dot + extension)).rstrip(" .")
    return f"{folder}/{stem}{tail}{dot}{extension}".lstrip("/")


def path_key(path: str) -> str:
    """Return what two paths share if any device takes them for the same."""
    folded = unicodedata.normalize("NFC", path).casefold()
    return unicodedata.normalize("NFC", folded)


def clean(text: str) -> str:
    """Return the text as one name: nothing forbidden, not reserved, short enough, never empty."""
    # A lone surrogate cannot be written to any disk.
    written = text.encode("utf-8", "replace").decode()
    name = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", written))
    name = "".join("_" if _is_invisible(one) else one for one in name)
    name = re.sub(r"\s+", " ", name).strip(" ").rstrip(". ")
    if not name:
        return "_"
    if _RESERVED.match(name):
        name = _RESERVED.sub(lambda match: f"{match[0]}_", name)
    if _TAKEN.match(name):
        name = f"_{name.lstrip('.')}".rstrip(". ")
    return _shortened(name)


def _track(item: Item) -> tuple[str, ...]:
    artist = item.album_artist or item.artist or "Unknown Artist"
    album = _with_year(item.album, item.year) if item.album else "Unknown Album"
    return artist, album, f"{_number(item)}{item.title}"


def _number(item: Item) -> str:
    if item.number is None or item.number < 0:
        return ""
    disc = f"{item.disc}-" if item.disc is not None and item.disc > 0 else ""
    return f"{disc}{item.number:02d} - "


def _episode(item: Item) -> tuple[str, ...]:
    series = item.series or "Unknown Series"
    season = item.disc if item.disc is not None and item.disc >= 0 else None
    folder = "Specials" if season == 0 else f"Season {season:02d}" if season else "Season Unknown"
    if season is None or item.number is None:
        return series, folder, f"{series} - {item.title}"
    return series, folder, f"{series} - S{season:02d}E{item.number:02d} - {item.title}"


def _with_year(title: str, year: int | None) -> str:
    return f"{title} ({year})" if year else title


def _is_invisible(one: str) -> bool:
    # Control, format (bidi overrides), surrogate, private use; emoji need their joiner.
    return unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co"} and one not in "\u200d\ufe0f"


def _shortened(name: str, most: int = LONGEST_NAME_BYTES) -> str:
    """Cut a name that is too long, and mark it so that two cut names differ."""
    if len(name.encode()) <= most:
        return name
    mark = f" {_digest(name)}"
    return _cut(name, most - len(mark)).rstrip(" .") + mark


def _fitted(folders: list[str], name: str, extension: str) -> str:
    """Join, shortening the parts evenly until the whole path is short enough."""
    most = LONGEST_NAME_BYTES
    while True:
        parts = [_shortened(one, most) for one in folders]
        parts.append(_shortened(name, most - len(extension)) + extension)
        path = "/".join(parts)
        if len(path) <= LONGEST_PATH or most <= LONGEST_PATH // 6:
            return path
        most -= 10


def _cut(text: str, most: int) -> str:
    """Cut to so many bytes, never inside a character or before one that joins it."""
    kept = text.encode()[:most].decode("utf-8", "ignore")
    while kept and len(kept) < len(text) and _joins(kept, text[len(kept)]):
        kept = kept[:-1]
    return kept


def _joins(kept: str, following: str) -> bool:
    joiner = "\u200d"
    return (
        unicodedata.combining(following) > 0
        or following in {joiner, "\ufe0f"}
        or 0x1F3FB <= ord(following) <= 0x1F3FF  # noqa: PLR2004 - skin tones
        or kept[-1] == joiner
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]
