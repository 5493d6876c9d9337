"""Renders playlists as M3U files and chooses their file names.

    #EXTM3U
    #PLAYLIST:Road trip
    #EXTINF:241,Sigur Rós - Glósóli
    ../Sigur Rós/Takk… (2005)/1-02 - Glósóli.flac

Paths are relative to the playlist's folder. Titles are untrusted: none can add a line. A path that
cannot be written as a line is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sidecar.domain.files.naming import (
    LONGEST_NAME_BYTES,
    build_distinct_path,
    clean_name,
    make_path_key,
)
from sidecar.domain.files.presets import Preset
from sidecar.domain.files.truncate import shorten

EXTENSIONS = (".m3u8", ".m3u")
HEAD = "#EXTM3U"
MARK = "\ufeff"
# Players take these as line breaks, or strip them.
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]|\s$|^\s")


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """An entry of a playlist.

    Attributes:
        path: Below the device's root.
        seconds: Running time; None if unknown.
    """

    path: str
    title: str
    artist: str | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ListName:
    """A playlist's title, and its id to distinguish it from others of that title.

    Attributes:
        id: 32 hex digits.
    """

    id: str
    name: str


_NO_SIGN = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
N = TypeVar("N", bound=ListName)


def is_playlist(path: str) -> bool:
    """Whether a file is a playlist, by its name."""
    return path.lower().endswith(EXTENSIONS)


def render(name: str, entries: Iterable[PlaylistEntry], preset: Preset) -> bytes:
    """Render a playlist for a preset, in this order, repeats included."""
    lines = [HEAD, *_render_lines(name, entries, preset)]
    text = "".join(f"{line}{preset.line_end}" for line in lines)
    return f"{MARK if preset.has_mark else ''}{text}".encode("utf-8", "replace")


def assign_paths(
    lists: Iterable[N], preset: Preset, *, strangers: Iterable[str], ours: Iterable[str]
) -> Iterator[tuple[N, tuple[str, ...]]]:
    """Yield each list with its possible paths, best first; no two lists share one.

    Args:
        lists: Of those with the same title the first has the unchanged name.
        preset: Of the device.
        strangers: Paths of others' files in the same folder.
        ours: Paths of existing lists; a name that differs only in case is kept.
    """
    spelt = {make_path_key(one): one for one in ours}
    used = set(map(make_path_key, strangers))
    for one in lists:
        plain = _make_path(one.name, preset)
        offered = [
            path
            for path in (plain, build_distinct_path(plain, one.id))
            if make_path_key(path) not in used
        ]
        used.update(map(make_path_key, offered))
        yield one, tuple(spelt.get(make_path_key(path), path) for path in offered)


def _render_lines(name: str, entries: Iterable[PlaylistEntry], preset: Preset) -> Iterator[str]:
    if preset.tells_titles:
        yield f"#PLAYLIST:{_join_lines(name)}"
    for entry in entries:
        if _BREAKS.search(entry.path):
            continue
        if preset.tells_titles:
            length = -1 if entry.seconds is None else round(entry.seconds)
            said = [_join_lines(one) for one in (entry.artist, entry.title) if one]
            yield f"#EXTINF:{length},{' - '.join(said)}"
        yield _make_relative(entry.path, preset.folder)


def _make_relative(path: str, folder: str) -> str:
    up = "../" * len(_split_path(folder))
    # In the root a file name may begin with "#" like a comment.
    return f"{up}{path}" if up or not path.startswith("#") else f"./{path}"


def _split_path(folder: str) -> Sequence[str]:
    return folder.split("/") if folder else ()


def _make_path(name: str, preset: Preset) -> str:
    ending = f".{preset.extension}"
    most_bytes = LONGEST_NAME_BYTES - len(ending)
    stem = shorten(clean_name(name), most_bytes=most_bytes, most=preset.shape.longest_stem)
    above = f"{preset.folder}/" if preset.folder else ""
    return f"{above}{stem}{ending}"


def _join_lines(text: str) -> str:
    visible = "".join(" " if unicodedata.category(one) in _NO_SIGN else one for one in text)
    return " ".join(visible.split())
