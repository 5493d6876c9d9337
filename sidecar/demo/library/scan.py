"""Reads `library.json` and the files beside it into the items that the server has: a scan.

    library.json ── tracks, films, episodes ──▶ stat ──▶ Media ──▶ builder ──▶ Library
                    (what the tags say)        (size, date)       (albums, artists, series)

Reads no tags: the listing says what is in them. Like the real server it keeps what it knew of a
library whose folder is away or empty, and takes a file of the same size and date that appears
under another name for the one that went. A listing with another `media_root` is that of a server
which has the same media at another place: every item has another id then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sidecar.demo.library import naming
from sidecar.demo.library.builder import LibraryBuilder
from sidecar.demo.library.items import Caption, DemoItem, DemoLibrary, Media

Entry = dict[str, Any]

LISTING = "library.json"


@dataclass(frozen=True, slots=True)
class ScannedLibrary:
    """A library and the playlists that it starts with.

    Attributes:
        playlists: For each one its name, its owner's name, and the ids of its tracks in order.
    """

    library: DemoLibrary
    playlists: tuple[tuple[str, str, tuple[str, ...]], ...]


def scan(folder: Path, before: DemoLibrary | None = None) -> ScannedLibrary:
    """Return what is in the folder.

    Args:
        folder: With a `library.json` and the media that it names.
        before: What the last scan found.

    Raises:
        OSError: There is no listing that can be read.
        ValueError: The listing is not JSON.
        LookupError: The listing lacks something.
    """
    listing = json.loads((folder / LISTING).read_text(encoding="utf-8"))
    builder = LibraryBuilder(
        folder,
        covers=listing.get("covers", {}),
        media_root=listing.get("media_root", naming.MEDIA),
    )
    moved = _moved(folder, listing, before)
    for library in listing["libraries"]:
        library_id = builder.begin_library(library)
        if before is not None and _is_away(folder / library["path"]):
            builder.add_items(item for item in before if item.library_id == library_id)
            continue
        _build_library(builder, listing, library, moved)
    builder.add_genres()
    playlists = (
        (one["name"], one["owner"], tuple(builder.song_ids(one["tracks"])))
        for one in listing.get("playlists", [])
    )
    return ScannedLibrary(builder.build(), tuple(playlists))


def _build_library(
    builder: LibraryBuilder, listing: Entry, library: Entry, moved: dict[str, str]
) -> None:
    root = f"{library['path']}/"
    builders = {
        "tracks": builder.add_track,
        "films": builder.add_film,
        "episodes": builder.add_episode,
        "music_videos": builder.add_music_video,
        "books": builder.add_book,
    }
    for name, add in builders.items():
        for entry in listing.get(name, []):
            if not entry["path"].startswith(root):
                continue
            here = entry | {"path": moved.get(entry["path"], entry["path"])}
            media = _media(builder.folder / here["path"], entry)
            if media is not None:
                parts, versions = (
                    _further(builder.folder, entry, name) for name in ("parts", "versions")
                )
                add(here, replace(media, parts=parts, versions=versions))
    if library.get("collection_type") == "boxsets":
        for one in listing.get("collections", ()):
            builder.add_collection(one["name"], one["items"])


def _further(folder: Path, entry: Entry, name: str) -> tuple[Media, ...]:
    """Return the further parts or versions of a film."""
    paths = entry.get(name, ())
    found = (_media(folder / path, entry | {"path": path}) for path in paths)
    return tuple(one for one in found if one is not None)


def _media(file: Path, entry: Entry) -> Media | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return Media(
        file=file,
        listed=entry["path"],
        size=stat.st_size,
        modified_ns=stat.st_mtime_ns,
        seconds=float(entry["seconds"]),
        codec=str(entry.get("codec") or "h264"),
        bitrate=int(entry.get("bitrate") or 0),
        sample_rate=int(entry.get("sample_rate") or 44100),
        channels=int(entry.get("channels") or 2),
        bit_depth=entry.get("bit_depth"),
        width=int(entry.get("width") or 0),
        height=int(entry.get("height") or 0),
        lyrics=entry.get("lyrics"),
        captions=tuple(
            Caption(
                file.with_name(one["name"]),
                one.get("language"),
                is_forced=bool(one.get("forced")),
                is_for_deaf=bool(one.get("deaf")),
            )
            for one in entry.get("subtitles", ())
        ),
    )


def _is_away(folder: Path) -> bool:
    try:
        return next(folder.iterdir(), None) is None
    except OSError:
        return True


def _moved(folder: Path, listing: Entry, before: DemoLibrary | None) -> dict[str, str]:
    """Return the new paths of listed files that were moved."""
    listed = {entry["path"] for entry in _entries(listing)}
    missing = {path for path in listed if not (folder / path).exists()}
    if before is None or not missing:
        return {}
    known = {(one.size, one.modified_ns): one.listed for one in map(_media_of, before) if one}
    places: dict[str, str] = {}
    for file in (one for one in folder.rglob("*") if one.is_file()):
        path, stat = file.relative_to(folder).as_posix(), file.stat()
        was = known.get((stat.st_size, stat.st_mtime_ns))
        if path not in listed and was is not None and was in missing:
            places[was] = path
    return places


def _media_of(item: DemoItem) -> Media | None:
    return item.media


def _entries(listing: Entry) -> Iterator[Entry]:
    for name in ("tracks", "films", "episodes", "music_videos", "books"):
        yield from listing.get(name, [])


def differences(
    before: DemoLibrary, after: DemoLibrary
) -> tuple[list[DemoItem], list[DemoItem], list[DemoItem]]:
    """Return the items that a scan added, changed (their file or their tags), and removed."""
    added = [item for item in after if item.id not in before.by_id]
    removed = [item for item in before if item.id not in after.by_id]
    changed = [item for item in after if before.by_id.get(item.id, item) != item]
    return added, changed, removed
