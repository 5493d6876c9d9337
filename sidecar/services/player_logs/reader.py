"""Reads the players' logs on a device and sorts their lines: which are plays, which are not, why.

    lines ─▶ our file? ─▶ met before? ─▶ length as Jellyfin has it? ─▶ heard enough? ─▶ when?

Changes nothing. However long a log is, only so many fresh plays are in memory at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import islice

from sidecar.device.folder import DeviceFolder
from sidecar.device.foreign.player_logs import LogFile, find_logs, read_lines
from sidecar.domain.imports.matching import (
    ImportedMarks,
    ImportedPlay,
    OurFile,
    OurFiles,
    narrow,
    play_time,
    was_listened,
)
from sidecar.domain.imports.player_logs import SHOWN, LoggedPlay, LogKind, UnreadableLine, read_log
from sidecar.domain.items.item import Item, ItemLookup
from sidecar.messages import msg
from sidecar.services.player_logs.views import LineCounts, RemarkView
from sidecar.store.playback.imported_plays import ImportedListening

MOST_FRESH = 20_000
MOST_REMARKS = 200
# The clock is looked at once for so many lines.
LINES_AT_ONCE = 1000

UNKNOWN = msg("no file of ours on this device fits")
AMBIGUOUS = msg("more than one of our files fits: {paths}")
UNDATED = msg(
    "its date cannot be true: the player's clock was wrong, or its time zone is set wrong"
)
GONE = msg("Jellyfin does not have it any more, or hides it from this account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom a log is read.

    Attributes:
        mine: Their files on the device.
        all: Everybody's, if those are not all.
        sees_all: They may read what nobody's file explains.
        zone: Of the player's clock.
    """

    mine: OurFiles
    all: OurFiles
    sees_all: bool
    zone: tzinfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Fresh:
    """A play that was not taken over yet."""

    item: Item
    listening: ImportedListening


@dataclass(slots=True)
class LogFindings:
    """What is in the logs of a device."""

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
    library: ItemLookup,
    marks: Iterable[tuple[str, ImportedPlay]],
    *,
    most: int = MOST_FRESH,
    is_over: Callable[[], bool] = lambda: False,
) -> LogFindings:
    """Read all logs of a device.

    Args:
        folder: Of the device.
        reader: For whom.
        library: Asked for the items of fresh plays.
        marks: What was taken over before.
        most: So many fresh lines at once.
        is_over: Asked now and then whether nobody waits any longer for the lines that are left.

    Raises:
        errors.DeviceError: It cannot be read.
        errors.JellyfinError: The library cannot be asked.
    """
    sorting = _LogClassifier(reader, ImportedMarks(marks), is_over)
    sorting.found.files = find_logs(folder)
    waiting = list(islice(sorting.fresh(folder), most))
    sorting.found.has_more |= len(waiting) == most
    ids = {one.item_id for line in waiting for one in line.candidates}
    items = library.items(sorted(ids)) if ids else {}
    for line in waiting:
        sorting.decide(line, items)
    return sorting.found


class _LogClassifier:
    """Sorts the lines of one device, once."""

    def __init__(self, reader: Reader, ledger: ImportedMarks, is_over: Callable[[], bool]) -> None:
        self._reader = reader
        self._ledger = ledger
        self._is_over = is_over
        self.found = LogFindings()

    def fresh(self, folder: DeviceFolder) -> Iterator[_Line]:
        """Return the lines that may be fresh plays; the others are counted."""
        for log in self.found.files:
            for one in read_log(log.kind, self._in_time(read_lines(folder, log))):
                if isinstance(one, UnreadableLine):
                    self.found.counts.bad += 1
                    self._remark(log.path, one.line, one.text, one.why, is_own=False)
                elif (line := self._sorted(log, one)) is not None:
                    yield line

    def _in_time(self, every: Iterable[bytes]) -> Iterator[bytes]:
        """Yield lines as long as somebody waits for them."""
        for number, line in enumerate(every, 1):
            if number % LINES_AT_ONCE == 0 and self._is_over():
                self.found.has_more = True
                return
            yield line

    def decide(self, line: _Line, items: dict[str, Item]) -> None:
        """Note a fresh play, or why it is none after all."""
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
        """Return a line that may be a fresh play; None if it was counted as something else."""
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
        """Keep the first ones; what may be somebody else's listening is only counted."""
        if (self._reader.sees_all or is_own) and len(self.found.remarks) < MOST_REMARKS:
            self.found.remarks.append(RemarkView(path=path, line=line, text=text[:SHOWN], why=why))


def _text(heard: LoggedPlay) -> str:
    if heard.kind is LogKind.PLAYBACK:
        return heard.path or ""
    return " - ".join(one for one in (heard.artist, heard.album, heard.title) if one)
