"""A tiny library of what is not one plain file: as the recorded servers have it, without media."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.libraries.tiny import Entry, episode, film, track, write

LIBRARIES = [
    {"name": "Music", "collection_type": "music", "path": "Music"},
    {"name": "Movies", "collection_type": "movies", "path": "Movies"},
    {"name": "Shows", "collection_type": "tvshows", "path": "Shows"},
    {"name": "Books", "collection_type": "books", "path": "Books"},
    {"name": "Clips", "collection_type": "musicvideos", "path": "Clips"},
    {"name": "Collections", "collection_type": "boxsets", "path": "Collections"},
]
TONES = "Music/The Sine Waves/First Light (2019)"
PARTS = [f"Movies/Two Parts (2004)/Two Parts (2004) part{number}.mkv" for number in (1, 2, 3)]
VERSIONS = [
    f"Movies/Two Versions (2003)/Two Versions (2003) - {height}.mkv"
    for height in ("1080p", "480p", "720p")
]
SIZES = dict(zip(VERSIONS, (3_000_000, 500_000, 1_200_000), strict=True))


def listing() -> Entry:
    """Return its listing."""
    book = {"album": "The Long Book", "album_artists": ["Ann Author"], "artists": ["Ann Author"]}
    return {
        "libraries": LIBRARIES,
        "tracks": [
            track(TONES, 1, "Tone 1", genres=["Folk"]),
            track(TONES, 2, "Tone 2", genres=["Folk"]),
            track("Music/Choir/Hits (2001)", 1, "Hit", genres=["Pop"]),
        ],
        "films": [
            film("Plain", 2005, genres=["Test"]),
            film("Two Parts", 2004) | {"path": PARTS[0], "parts": PARTS[1:]},
            film("Two Versions", 2003) | {"path": VERSIONS[0], "versions": VERSIONS[1:]},
            film("Disc", 2007) | {"path": "Movies/Disc (2007)", "disc": "Dvd"},
            film("Blue", 2008) | {"path": "Movies/Blue (2008)", "disc": "BluRay"},
        ],
        "episodes": [episode(season, number) for season in (1, 2) for number in (1, 2)],
        "books": [
            {
                "path": f"Books/Ann Author/The Long Book/Chapter {number}.mp3",
                "title": f"Chapter {number}",
                "track": number,
                "seconds": 40.0,
                "codec": "mp3",
                **book,
            }
            for number in (1, 2)
        ],
        "music_videos": [
            {
                "path": "Clips/Band A/Hit.mp4",
                "title": "Hit video",
                "seconds": 20.0,
                "width": 320,
                "height": 180,
                "codec": "h264",
            }
        ],
        "collections": [
            {
                "name": "Recorded Box",
                "items": ["Movies/Plain (2005)/Plain (2005).mkv", "Shows/The Signal (2010)"],
            }
        ],
        "covers": {},
        "playlists": [],
    }


def kinds_library(folder: Path) -> Path:
    """Write it into a folder and return the folder."""
    listed = listing()
    discs = [one for one in listed["films"] if "disc" in one]
    for one in discs:
        (folder / one["path"] / "VIDEO_TS").mkdir(parents=True)
    (folder / "Collections").mkdir()
    for path in [*PARTS[1:], *VERSIONS[1:]]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"\0" * SIZES.get(path, 1000))
    return write(folder, listed, SIZES)
