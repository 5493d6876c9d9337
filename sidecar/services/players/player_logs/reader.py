"""Reads the players' logs on a device and classifies their lines: plays, or why they are none.

    line ─▶ our file? ─▶ imported before? ─▶ length as in Jellyfin? ─▶ heard enough? ─▶ when?

Changes nothing. The number of fresh plays in memory is limited, however long a log is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import islice

from sidecar.device.folder import DeviceFolder
from sidecar.device.foreign.player_logs import LogFile, find_logs, read_lines
from sidecar.domain.items.item import Item
from sidecar.domain.player_logs.matching import (
    ImportedMarks,
    ImportedPlay,
    OurFile,
    OurFiles,
    narrow,
    play_time,
    was_listened,
)
from sidecar.domain.player_logs.parsing import SHOWN, LoggedPlay, LogKind, UnreadableLine, read_log
from sidecar.messages import msg
from sidecar.services.players.player_logs.views import LineCounts, RemarkView
from sidecar.store.playback.imported_plays import ImportedListening

MOST_FRESH = 20_000
MOST_REMARKS = 200
# The time limit is checked once in so many lines.
LINES_AT_ONCE = 1000

UNKNOWN = msg("no download on this device matches")
AMBIGUOUS = msg("more than one download matches: {paths}")
UNDATED = msg(
    "its date cannot be true: the player's clock was wrong, or its time zone is set wrong"
)
GONE = msg("Jellyfin does not have it any more, or hides it from this account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The person for whom a log is read, with their files and the player's clock.

    Attributes:
        mine: The files on the device that the person may see.
        all: All files of the sidecar there; the same as `mine` for a person who sees all.
        sees_all: Whether the person may read lines that match no file, or a file of others.
        zone: Time zone of the player's clock.
    """

    mine: OurFiles
    all: OurFiles
    sees_all: bool
    zone: tzinfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Fresh:
    """A play that was not imported yet."""

    item: Item
    listening: ImportedListening


@dataclass(slots=True)
class LogFindings:
    """What was found in the logs of a device. `has_more`: the limit was reached before the end."""

    files: Sequence[LogFile] = ()
    counts: LineCounts = field(default_factory=LineCounts)
    fresh: list[Fresh] = field(default_factory=list)
    remarks: list[RemarkView] = field(default_factory=list)
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    path: str
    heard: LoggedPlay
    candidates: Sequence[OurFile]


def read_logs(
    folder: DeviceFolder,
    reader: Reader,
    look_up: Callable[[Iterable[str]], dict[str, Item]],
    marks: Iterable[tuple[str, ImportedPlay]],
    *,
    is_over: Callable[[], bool] = lambda: False,
) -> LogFindings:
    """Read all logs of a device.

    Args:
        folder: The folder of the device.
        reader: The person for whom they are read.
        look_up: Returns the items of fresh plays, as far as the reader may see them.
        marks: The plays imported before, by item id.
        is_over: Returns whether the time limit is over; the rest is then left for the next call.

    Raises:
        errors.DeviceError: The device cannot be read.
        errors.JellyfinError: The library cannot be asked.
    """
    logs = find_logs(folder)
    if not logs:
        # Neither the files of the device nor what was imported before is read in vain.
        return LogFindings()
    sorting = _LogClassifier(reader, ImportedMarks(marks), is_over)
    sorting.found.files = logs
    waiting = list(islice(sorting.fresh(folder), MOST_FRESH))
    sorting.found.has_more |= len(waiting) == MOST_FRESH
    ids = {one.item_id for line in waiting for one in line.candidates}
    items = look_up(sorted(ids)) if ids else {}
    for line in waiting:
        sorting.decide(line, items)
    return sorting.found


class _LogClassifier:
    """Classifies the lines of one device; used once."""

    def __init__(self, reader: Reader, ledger: ImportedMarks, is_over: Callable[[], bool]) -> None:
        self._reader = reader
        self._ledger = ledger
        self._is_over = is_over
        self.found = LogFindings()

    def fresh(self, folder: DeviceFolder) -> Iterator[_Line]:
        """Yield the lines that may be fresh plays; count the others."""
        for log in self.found.files:
            for one in read_log(log.kind, self._in_time(read_lines(folder, log))):
                if isinstance(one, UnreadableLine):
                    self.found.counts.bad += 1
                    self._remark(log.path, one.line, one.text, one.why, is_own=False)
                elif (line := self._sorted(log, one)) is not None:
                    yield line

    def _in_time(self, every: Iterable[bytes]) -> Iterator[bytes]:
        """Yield lines until the time limit is over."""
        for number, line in enumerate(every, 1):
            if number % LINES_AT_ONCE == 0 and self._is_over():
                self.found.has_more = True
                return
            yield line

    def decide(self, line: _Line, items: dict[str, Item]) -> None:
        """Add a line to the fresh plays, or count why it is none after all."""
        heard, counts = line.heard, self.found.counts
        there = [one for one in line.candidates if one.item_id in items]
        left = narrow(heard, there, items)
        if len(left) != 1:
            self._not_one(line, there, left)
            return
        item = items[left[0].item_id]
        told = play_time(heard, item.seconds, self._reader.zone, self._reader.now)
        if not was_listened(heard, item.seconds):
            counts.skipped += 1
        elif told is None:
            counts.undated += 1
            self._remark(line.path, heard.line, _text(heard), UNDATED)
        elif len(line.candidates) > 1 and not self._ledger.is_fresh(item.id, heard):
            counts.known += 1
        else:
            counts.plays += 1
            listening = ImportedListening(
                item_id=item.id,
                mark=ImportedPlay(heard.kind, heard.stamp, heard.heard_s),
                started_at=told.started_at,
                ended_at=told.ended_at,
                seconds_heard=told.seconds_heard,
            )
            self.found.fresh.append(Fresh(item, listening))

    def _sorted(self, log: LogFile, heard: LoggedPlay) -> _Line | None:
        """Return the line if it may be a fresh play, else count it and return None."""
        counts = self.found.counts
        if not was_listened(heard, None) and (heard.is_skip or heard.length_s):
            counts.skipped += 1
            return None
        candidates = self._reader.mine.match(heard)
        if not candidates:
            if self._reader.all.match(heard):
                counts.others += 1
            else:
                counts.unknown += 1
                self._remark(log.path, heard.line, _text(heard), UNKNOWN, is_own=False)
            return None
        if len(candidates) == 1 and not self._ledger.is_fresh(candidates[0].item_id, heard):
            counts.known += 1
            return None
        return _Line(log.path, heard, candidates)

    def _not_one(self, line: _Line, there: Sequence[OurFile], left: Sequence[OurFile]) -> None:
        counts, heard = self.found.counts, line.heard
        if left:
            counts.ambiguous += 1
            why = AMBIGUOUS.format(paths=", ".join(one.path for one in left[:3]))
        elif there:
            counts.unknown += 1
            why = UNKNOWN
        else:
            counts.gone += 1
            why = GONE
        self._remark(line.path, heard.line, _text(heard), why)

    def _remark(self, path: str, line: int, text: str, why: str, *, is_own: bool = True) -> None:
        """Keep the first remarks, but none about a line that may be of somebody else's plays."""
        if (self._reader.sees_all or is_own) and len(self.found.remarks) < MOST_REMARKS:
            self.found.remarks.append(RemarkView(path=path, line=line, text=text[:SHOWN], why=why))


def _text(heard: LoggedPlay) -> str:
    if heard.kind is LogKind.PLAYBACK:
        return heard.path or ""
    return " - ".join(one for one in (heard.artist, heard.album, heard.title) if one)
