"""Makes the demo's library of real media on the first start; later starts do not change it.

    .recipe ──▶ covers ──▶ tracks, films, episodes ──▶ library.json
    (what is    (.making/…, renamed when whole)        (last: the library is finished)
     being made)

A library that was interrupted is completed; one of another recipe is made again. A folder with
media that we did not make is refused, and a `library.json` that somebody wrote is respected.
Nobody else may make the same folder at the same time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from secrets import token_hex
from threading import Event

from sidecar.demo.content.covers import POSTER, SQUARE, cover
from sidecar.demo.content.encoding import cover_arguments, film_arguments, seed_of, track_arguments
from sidecar.demo.content.ffmpeg import MediaError, find_ffmpeg, run_ffmpeg
from sidecar.demo.content.libraries import WHOLE
from sidecar.demo.content.manifest import (
    COVER,
    LISTING,
    build_listing,
    listed_paths,
    paths_of,
    pictures,
)
from sidecar.demo.content.recipe import Recipe

MARK = ".recipe"
_MAKING = ".making"
# More than a small machine has cores: a run also waits for its start and for the disk.
_WORKERS = 4
# A signal's handler runs in the main thread, and only while that does not sleep.
_LOOK_EVERY_S = 0.25

Progress = Callable[[int, int, str], None]


class NotOurFolder(MediaError):
    """The folder holds media that the demo did not make."""


@dataclass(frozen=True, slots=True)
class _FileJob:
    """One file to make: its path in the library, and ffmpeg's arguments once it has a place."""

    path: str
    arguments: Callable[[Path], list[str]]


def _ignore_progress(_done: int, _total: int, _path: str) -> None:
    """Ignore progress."""


def make_library(
    folder: Path,
    *,
    ffmpeg: str | None = None,
    progress: Progress = _ignore_progress,
    recipe: Recipe = WHOLE,
    stop: Event | None = None,
) -> None:
    """Make the recipe's library in `folder`, unless it is there already.

    Args:
        folder: Where; it is created. Files of another recipe in it are written over.
        ffmpeg: The program to use; found by itself if None.
        progress: Told files finished, files in all, and the path just finished (none before the
            first); in this thread.
        recipe: What to make.
        stop: Ends the making early when set.

    Raises:
        FfmpegMissing: No usable ffmpeg; says what to install.
        FfmpegFailed: One file could not be made; a further call goes on where this one ended.
        MediaCancelled: `stop` was set; the same.
        NotOurFolder: The folder holds somebody's own media.
    """
    mark = f"{recipe.name} {recipe.version}\n"
    if _is_finished(folder, mark):
        return
    builder = _FileBuilder(folder, find_ffmpeg(ffmpeg), stop or Event(), progress)
    _begin(folder, recipe, mark)
    covers, media = list(_covers(recipe)), list(_media(recipe, folder))
    builder.total = len(covers) + len(media)
    progress(0, builder.total, "")
    try:
        builder.make(covers)
        builder.make(media)
        text = json.dumps(build_listing(recipe, folder), ensure_ascii=False, indent=1)
        builder.write(f"{text}\n", LISTING)
    finally:
        shutil.rmtree(folder / _MAKING, ignore_errors=True)


class _FileBuilder:
    """Makes several files at once, each under a temporary name until it is complete."""

    def __init__(self, folder: Path, program: str, stop: Event, progress: Progress) -> None:
        self.total = 0
        self._folder, self._program = folder, program
        self._stop, self._progress = stop, progress
        self._finished = 0
        # A name of its own: an ffmpeg that outlived a killed run may still write to its old part.
        self._making = folder / _MAKING / token_hex(8)
        self._part_numbers = count()

    def make(self, pieces: list[_FileJob]) -> None:
        """Make the files that are missing. After a failure no further file is begun."""
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="demo-media") as pool:
            running = {pool.submit(self._make_one, piece): piece.path for piece in pieces}
            try:
                while running:
                    for future in wait(running, _LOOK_EVERY_S, FIRST_COMPLETED).done:
                        future.result()
                        self._finished += 1
                        self._progress(self._finished, self.total, running.pop(future))
            finally:
                pool.shutdown(cancel_futures=True)

    def write(self, text: str, path: str) -> None:
        """Write a text file atomically."""
        part = self._part()
        part.write_text(text, encoding="utf-8")
        self._place(part, path)

    def _make_one(self, piece: _FileJob) -> None:
        if (self._folder / piece.path).exists():
            return
        part = self._part()
        run_ffmpeg(self._program, piece.arguments(part), what=piece.path, stop=self._stop)
        self._place(part, piece.path)

    def _part(self) -> Path:
        self._making.mkdir(parents=True, exist_ok=True)
        return self._making / str(next(self._part_numbers))

    def _place(self, part: Path, path: str) -> None:
        """Rename a finished part to its name, after its bytes are synced."""
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)


def _is_finished(folder: Path, mark: str) -> bool:
    if not (folder / LISTING).exists():
        return False
    # Without our mark somebody wrote the listing by hand: their library, to be served as it is.
    return _mark_of(folder) in {None, mark}


def _begin(folder: Path, recipe: Recipe, mark: str) -> None:
    """Mark the folder as ours, and remove what another recipe left in it."""
    found = _mark_of(folder)
    if found == mark:
        return
    if found is None and any((folder / name).exists() for name in ("Music", "Movies", "Shows")):
        raise NotOurFolder(
            f"{folder} already holds media that the demo did not make. Nothing was changed; "
            "give the demo an empty folder of its own"
        )
    old = listed_paths(folder)
    # The listing goes first and the mark comes last: stopped anywhere between, this begins again.
    (folder / LISTING).unlink(missing_ok=True)
    for path in old | paths_of(recipe):
        (folder / path).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(mark, encoding="utf-8")


def _mark_of(folder: Path) -> str | None:
    try:
        return (folder / MARK).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _covers(recipe: Recipe) -> Iterator[_FileJob]:
    for where, path, colours in pictures(recipe):
        size = SQUARE if path.endswith(COVER) else POSTER
        graph = cover(colours, size, seed_of(where))
        yield _FileJob(path, partial(cover_arguments, graph))


def _media(recipe: Recipe, folder: Path) -> Iterator[_FileJob]:
    """Yield all media files, the longest first, so that they finish at about the same time."""
    for track in sorted(recipe.tracks(), key=lambda one: -one.song.seconds):
        jpeg = folder / track.album.folder / COVER
        yield _FileJob(track.path, partial(track_arguments, track, jpeg))
    for film in recipe.films:
        yield _FileJob(film.path, partial(film_arguments, film.path, film.seconds, film.hue))
    for index, episode in enumerate(recipe.episodes()):
        hue = 20 * index
        yield _FileJob(
            episode.path, partial(film_arguments, episode.path, episode.series.seconds, hue)
        )
