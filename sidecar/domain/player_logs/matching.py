"""Matches a player's log to our files, and computes the plays to report to Jellyfin.

    a line ─▶ our file: by its path, else by title, artist, album, length ─▶ heard before? ─▶ a play

Nothing is guessed: a line that fits no file, or more than one, is reported as such. A listening
that is in both logs of a player counts once. Dates and counts never decrease.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache

from sidecar.domain.files.naming import make_path_key, without_extension
from sidecar.domain.items.comparison import LENGTH_TOLERANCE_S, REMEMBERED, name_key, split_artists
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.plays import ENOUGH_S, ENOUGH_SHARE
from sidecar.domain.player_logs.parsing import LoggedPlay, LogKind

# Two logs of a player may differ by this much in the start of a short track.
LEAST_NEAR_S = 60.0
# Earlier times are from clocks that were never set.
EARLIEST = datetime(2001, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=10)
FINISHED_SHARE = 0.9

_VOLUME = re.compile(r"^<[^/<>]{1,32}>/")


@dataclass(frozen=True, slots=True)
class OurFile:
    """A file that is or was on the device, as in the database."""

    item_id: str
    path: str
    title: str
    artist: str | None
    album: str | None


@dataclass(slots=True)
class _Index:
    by_path: dict[str, OurFile] = field(default_factory=dict)
    by_title: dict[str, list[OurFile]] = field(default_factory=dict)
    by_name: dict[str, list[OurFile]] = field(default_factory=dict)


class OurFiles:
    """Finds the files of a device that a log line may refer to.

    The files are gone through when the first line asks: most devices have no log.
    """

    def __init__(self, files: Iterable[OurFile]) -> None:
        self._files = files

    @cached_property
    def _index(self) -> _Index:
        index = _Index()
        for one in self._files:
            key = make_path_key(one.path)
            index.by_path[key] = one
            for name in {key, without_extension(key)}:
                index.by_name.setdefault(name.rpartition("/")[2], []).append(one)
            index.by_title.setdefault(name_key(one.title), []).append(one)
        return index

    def match(self, heard: LoggedPlay) -> Sequence[OurFile]:
        """Return the files that a line may refer to: by its path at most one, else by its tags.

        For a file without tags a player logs its name, with or without folders.
        """
        path = heard.path
        if path is None and heard.title is not None and heard.title.startswith("/"):
            # Rockbox logs this for a file without a title.
            path = heard.title
        if path is not None:
            return self.at(path)
        if heard.is_untagged and (named := self.named(heard.title or "")):
            return named
        there = self._index.by_title.get(name_key(heard.title or ""), [])
        return [one for one in there if _is_named_alike(one, heard)]

    def at(self, path: str) -> Sequence[OurFile]:
        """Return the file at a player's path: at most one."""
        found = self._index.by_path.get(_folded_path(path))
        return [] if found is None else [found]

    def named(self, name: str) -> Sequence[OurFile]:
        """Return the files whose paths end in this name."""
        key = _folded_path(name)
        alike = self._index.by_name.get(key.rpartition("/")[2], [])
        return [one for one in alike if _ends_with(make_path_key(one.path), key)]


def own_path(path: str) -> str:
    """Convert a player's path into ours: below the root, without the volume."""
    return _VOLUME.sub("", path.lstrip("/"))


def narrow(
    heard: LoggedPlay, candidates: Sequence[OurFile], items: Mapping[str, Item]
) -> Sequence[OurFile]:
    """Drop the candidates whose length or number on the server differs.

    A path alone is enough; tags must all agree as far as known.
    """
    if heard.kind is LogKind.PLAYBACK:
        return candidates
    return [one for one in candidates if _is_same_item(heard, items.get(one.item_id))]


def was_listened(heard: LoggedPlay, run_time: float | None) -> bool:
    """Whether enough was heard for a play: half, or four minutes; never for a skip."""
    if heard.heard_s is None:
        return not heard.is_skip
    if heard.heard_s >= ENOUGH_S:
        return True
    whole = heard.length_s or run_time
    return whole is not None and heard.heard_s >= ENOUGH_SHARE * whole


@dataclass(frozen=True, slots=True)
class PlayTime:
    """When something was heard, in UTC, and for how long."""

    started_at: datetime
    ended_at: datetime
    seconds_heard: float


def play_time(
    heard: LoggedPlay, run_time: float | None, zone: tzinfo, now: datetime
) -> PlayTime | None:
    """Return the time of a listening; None if its date is impossible.

    If only the player's verdict is known, half of the track counts as heard.

    Args:
        heard: The line of the log.
        run_time: Of the item, in seconds.
        zone: Of the player's clock, if the log does not say UTC.
        now: Later dates are impossible.
    """
    whole = heard.length_s or run_time or 0.0
    seconds = whole * ENOUGH_SHARE if heard.heard_s is None else heard.heard_s
    try:
        told = _read_time(heard, zone)
    except (OverflowError, ValueError, OSError):
        return None
    if heard.kind is LogKind.PLAYBACK:
        started, ended = told - timedelta(seconds=seconds), told
    else:
        started, ended = told, told + timedelta(seconds=whole)
    if started < EARLIEST or started > now + AHEAD:
        return None
    return PlayTime(min(started, now), min(ended, now), seconds)


@dataclass(frozen=True, slots=True)
class ImportedPlay:
    """A listening that was imported, as in its log, to recognise it later."""

    kind: LogKind
    stamp: int
    heard_s: float | None = None

    def start(self) -> float:
        """Return when it began by the player's clock, as exactly as known."""
        if self.kind is LogKind.PLAYBACK:
            return self.stamp - (self.heard_s or 0.0)
        return float(self.stamp)


@dataclass(slots=True)
class _Side:
    """The listenings of an item in one kind of log that match none in the other yet."""

    starts: list[tuple[float, int]] = field(default_factory=list)
    by_stamp: dict[int, float] = field(default_factory=dict)

    def add(self, mark: ImportedPlay) -> None:
        """Add a listening."""
        insort(self.starts, (mark.start(), mark.stamp))
        self.by_stamp[mark.stamp] = mark.start()

    def take(self, mark: ImportedPlay, near: float) -> bool:
        """Remove the listening that matches one of the other log; return whether there was one.

        A log that was made from the other has the same times; else the starts are close.
        """
        start = self.by_stamp.get(mark.stamp)
        stamp = mark.stamp
        if start is None:
            first = bisect_right(self.starts, (mark.start() - near, sys.maxsize))
            if first == len(self.starts) or self.starts[first][0] >= mark.start() + near:
                return False
            start, stamp = self.starts[first]
        del self.by_stamp[stamp]
        del self.starts[bisect_left(self.starts, (start, stamp))]
        return True


@dataclass(slots=True)
class _OfItem:
    known: set[tuple[LogKind, int]] = field(default_factory=set)
    sides: dict[LogKind, _Side] = field(default_factory=dict)


class ImportedMarks:
    """The imported listenings of a device, and those added while a log is read.

    The playback log is read first. Each listening matches at most one in the other log.
    """

    def __init__(self, marks: Iterable[tuple[str, ImportedPlay]] = ()) -> None:
        self._items: dict[str, _OfItem] = {}
        for item_id, mark in marks:
            self._add(item_id, mark)

    def is_fresh(self, item_id: str, heard: LoggedPlay) -> bool:
        """Whether this listening is new; it is not from then on."""
        mark = ImportedPlay(heard.kind, heard.stamp, heard.heard_s)
        of = self._items.get(item_id)
        if of is not None:
            if (mark.kind, mark.stamp) in of.known:
                return False
            near = max(LEAST_NEAR_S, (heard.length_s or 0.0) / 2)
            others = (side for kind, side in of.sides.items() if kind is not mark.kind)
            if any(side.take(mark, near) for side in others):
                of.known.add((mark.kind, mark.stamp))
                return False
        self._add(item_id, mark)
        return True

    def _add(self, item_id: str, mark: ImportedPlay) -> None:
        of = self._items.setdefault(item_id, _OfItem())
        of.known.add((mark.kind, mark.stamp))
        of.sides.setdefault(mark.kind, _Side()).add(mark)


@dataclass(frozen=True, slots=True)
class Tally:
    """An account's play state of an item: count, last date, played mark."""

    count: int = 0
    last: datetime | None = None
    is_played: bool = False


def merge_plays(
    before: Tally, heard_at: Sequence[datetime], *, ticks: bool, counted: int = 0
) -> Tally:
    """Return the play state after these plays; the date never goes back.

    Args:
        before: The play state.
        heard_at: When the plays began.
        ticks: Whether they mark the item as played.
        counted: How many of them are in the count already.
    """
    last = max(one for one in [before.last, *heard_at] if one is not None)
    return Tally(before.count + len(heard_at) - counted, last, before.is_played or ticks)


def is_confirmed(now: Tally, count: int, last: datetime) -> bool:
    """Whether Jellyfin has recorded the plays, when its response was lost.

    Other plays may have been added meanwhile; a count that is reached counts as recorded.
    """
    return now.count >= count and now.last is not None and now.last >= last


def is_ticked_by(item: Item, seconds_heard: float) -> bool:
    """Whether a play marks an item as played: music always, as in Jellyfin; else near its end."""
    if item.type is ItemType.AUDIO:
        return True
    return bool(item.seconds) and seconds_heard >= FINISHED_SHARE * (item.seconds or 0.0)


@lru_cache(maxsize=REMEMBERED)
def _folded_path(path: str) -> str:
    return make_path_key(own_path(path))


def _ends_with(path: str, named: str) -> bool:
    """Whether a path ends in a name, with or without the extension."""
    return any(f"/{one}".endswith(f"/{named}") for one in (path, without_extension(path)))


def _read_time(heard: LoggedPlay, zone: tzinfo) -> datetime:
    shown = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=heard.stamp)
    return shown if heard.is_utc else shown.replace(tzinfo=zone).astimezone(UTC)


def _is_named_alike(file: OurFile, heard: LoggedPlay) -> bool:
    if heard.album and file.album and name_key(heard.album) != name_key(file.album):
        return False
    if heard.artist is None or file.artist is None:
        return heard.artist is file.artist and bool(heard.album)
    return bool(split_artists(heard.artist) & split_artists(file.artist))


def _is_same_item(heard: LoggedPlay, item: Item | None) -> bool:
    if item is None:
        return False
    if heard.length_s and item.seconds and abs(heard.length_s - item.seconds) > LENGTH_TOLERANCE_S:
        return False
    return heard.number is None or item.number is None or heard.number == item.number
