"""A library for the demo server that is made in a moment: right names, right sizes, no media.

Unlike real media its files cannot be played: they are a few bytes that say which file they are,
or sparse. The server never looks inside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Entry = dict[str, Any]

LIBRARIES = [
    {"name": "Music", "collection_type": "music", "path": "Music"},
    {"name": "Movies", "collection_type": "movies", "path": "Movies"},
    {"name": "Shows", "collection_type": "tvshows", "path": "Shows"},
]
FIRST_LIGHT = "Music/The Sine Waves/First Light (2019)"
SHOW = "Shows/The Signal (2010)"
DOUBLE = "Music/Long Player/Double (2008)"
TONE_1 = f"{FIRST_LIGHT}/01 - Tone 1.flac"
LYRICS = "[00:01.00]One tone\n[00:02.50]and no more"


def track(folder: str, number: int, title: str, **more: object) -> Entry:
    """Return a track of the album in a folder named `Artist/Album (Year)`."""
    _, artist, album = folder.split("/")[:3]
    name, _, year = album.removesuffix(")").rpartition(" (")
    return {
        "path": f"{folder}/{number:02d} - {title}.flac",
        "title": title,
        "artists": [artist],
        "album": name,
        "album_artists": [artist],
        "track": number,
        "disc": 1,
        "year": int(year),
        "genres": ["Test"],
        "seconds": 27.0,
        "codec": "flac",
        "bitrate": 876855,
        "sample_rate": 44100,
        "channels": 2,
        "bit_depth": 24,
        "lyrics": None,
    } | more


def episode(season: int, number: int) -> Entry:
    """Return an episode of the one series."""
    title = f"The Signal S{season:02d}E{number:02d}"
    return {
        "path": f"{SHOW}/Season {season:02d}/{title}.mkv",
        "series": "The Signal",
        "season": season,
        "episode": number,
        "title": title,
        "year": 2010,
        "seconds": 600.0,
        "width": 320,
        "height": 180,
        "codec": "h264",
    }


def film(title: str, year: int, **more: object) -> Entry:
    """Return a film."""
    folder = f"Movies/{title} ({year})"
    return {
        "path": f"{folder}/{title} ({year}).mkv",
        "title": title,
        "year": year,
        "seconds": 5400.0,
        "width": 320,
        "height": 180,
        "codec": "h264",
    } | more


def listing() -> Entry:
    """Return the listing of the usual tiny library."""
    hits = ("Music/Choir/Greatest Hits (2001)", "Music/Kettle/Greatest Hits (2005)")
    return {
        "libraries": LIBRARIES,
        "tracks": [
            track(FIRST_LIGHT, 1, "Tone 1", lyrics=LYRICS),
            *(track(FIRST_LIGHT, number, f"Tone {number}") for number in (2, 3)),
            track(f"{DOUBLE}/Disc 1", 1, "Side 1"),
            track(f"{DOUBLE}/Disc 2", 1, "Side 2", disc=2),
            *(track(folder, 1, f"Hit of {folder.split('/')[1]}") for folder in hits),
            track(
                "Music/Nobody/Untagged (2000)",
                1,
                "Nameless",
                artists=[],
                album=None,
                album_artists=[],
                track=None,
                disc=None,
                year=None,
            ),
        ],
        "films": [film("Colour Bars", 1995), film("Test Pattern", 2001, tags=["violent"])],
        "episodes": [episode(season, number) for season in (1, 2) for number in (1, 2)],
        "covers": {one: f"{one}/cover.jpg" for one in (FIRST_LIGHT, SHOW)},
        "playlists": [
            {
                "name": "Road trip",
                "owner": "ann",
                "tracks": [f"{FIRST_LIGHT}/02 - Tone 2.flac", TONE_1],
            }
        ],
    }


def write(folder: Path, listed: Entry, sizes: Mapping[str, int] | None = None) -> Path:
    """Write a listing and its files into a folder, and return the folder.

    Args:
        folder: May be there already; files that are there stay as they are.
        listed: What goes into `library.json`.
        sizes: Bytes of the files that must have a size; those are sparse.
    """
    shelves = ("tracks", "films", "episodes", "books", "music_videos")
    paths = [one["path"] for name in shelves for one in listed.get(name, ())]
    for path in [*paths, *listed["covers"].values()]:
        file = folder / path
        if file.exists():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode() * 20)
        if sizes and path in sizes:
            os.truncate(file, sizes[path])
    (folder / "library.json").write_text(json.dumps(listed), encoding="utf-8")
    return folder


def tiny_library(folder: Path) -> Path:
    """Write the usual tiny library into a folder and return the folder."""
    return write(folder, listing())
