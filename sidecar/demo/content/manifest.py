"""Writes `library.json`, which lists a finished library for the demo server.

It reads nothing of the files but their sizes; everything else is in the recipe.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sidecar.demo.content.encoding import HEIGHT, WIDTH, sample_rate_of
from sidecar.demo.content.recipe import AlbumCodec, Colours, Episode, Film, Recipe, Track

LISTING = "library.json"
COVER = "cover.jpg"
POSTER = "poster.jpg"
VIDEO_CODEC = "h264"

Entry = dict[str, Any]

_LIBRARIES = (("Music", "music"), ("Movies", "movies"), ("Shows", "tvshows"))
_CHANNELS = 2


def build_listing(recipe: Recipe, folder: Path) -> Entry:
    """Return the content of `library.json`; the recipe's files must be in `folder`.

    Paths are relative to the folder. `bitrate` is the file's bits for each second of it.
    """
    return {
        "version": recipe.version,
        "libraries": [
            {"name": name, "collection_type": kind, "path": name} for name, kind in _LIBRARIES
        ],
        "tracks": [_track(track, folder) for track in recipe.tracks()],
        "films": [_film(film) for film in recipe.films],
        "episodes": [_episode(episode) for episode in recipe.episodes()],
        "covers": {where: picture for where, picture, _ in pictures(recipe)},
        "playlists": [
            {"name": one.name, "owner": one.owner, "tracks": one.paths()}
            for one in recipe.playlists
        ],
    }


def pictures(recipe: Recipe) -> Iterator[tuple[str, str, Colours]]:
    """Yield each folder with a picture, the picture's path and colours: albums, films, series."""
    for album in recipe.albums:
        if album.title is not None:
            yield album.folder, f"{album.folder}/{COVER}", album.colours
    for film in recipe.films:
        yield film.folder, f"{film.folder}/{POSTER}", film.colours
    for series in recipe.series:
        yield series.folder, f"{series.folder}/{POSTER}", series.colours


def paths_of(recipe: Recipe) -> set[str]:
    """Return the paths of all files of the recipe, without `library.json`."""
    return {
        *(track.path for track in recipe.tracks()),
        *(film.path for film in recipe.films),
        *(episode.path for episode in recipe.episodes()),
        *(picture for _, picture, _ in pictures(recipe)),
    }


def listed_paths(folder: Path) -> set[str]:
    """Return the paths that the folder's listing names; none if it is not there or unreadable."""
    try:
        written = json.loads((folder / LISTING).read_text(encoding="utf-8"))
        entries = [*written["tracks"], *written["films"], *written["episodes"]]
        paths = {str(entry["path"]) for entry in entries} | set(written["covers"].values())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()
    return {path for path in paths if _stays_inside(path)}


def _stays_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")


def _track(track: Track, folder: Path) -> Entry:
    album, song = track.album, track.song
    bits = (folder / track.path).stat().st_size * 8
    return {
        "path": track.path,
        "title": song.title,
        "artists": list(track.artists),
        "album": album.title,
        "album_artists": list(album.artists),
        "track": track.number if track.is_tagged else None,
        "disc": track.disc if track.is_tagged else None,
        "year": album.year,
        "genres": list(album.genres),
        "seconds": float(song.seconds),
        "codec": album.codec.value,
        "bitrate": round(bits / song.seconds),
        "sample_rate": sample_rate_of(track),
        "channels": _CHANNELS,
        "bit_depth": album.bit_depth if album.codec is AlbumCodec.FLAC else None,
        "lyrics": song.lyrics,
    }


def _film(film: Film) -> Entry:
    return {
        "path": film.path,
        "title": film.title,
        "year": film.year,
        "seconds": float(film.seconds),
        **_picture_format(),
    }


def _episode(episode: Episode) -> Entry:
    return {
        "path": episode.path,
        "series": episode.series.title,
        "season": episode.season,
        "episode": episode.number,
        "title": episode.title,
        "year": episode.year,
        "seconds": float(episode.series.seconds),
        **_picture_format(),
    }


def _picture_format() -> Entry:
    return {"width": WIDTH, "height": HEIGHT, "codec": VIDEO_CODEC}
