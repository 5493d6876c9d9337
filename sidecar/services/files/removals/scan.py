"""Scans one attached device for our files, and decides what became of each of them.

    rows ─▶ stat files ─▶ hash what may have changed ─▶ find moved files ─▶ decide ─▶ record

Which files are missing and which people are asked about is stored: lists do not count them as
present, and the question is asked again after a restart. Everything else is kept in memory from
scan to scan; after a restart a few more files are hashed again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sidecar.clock import Clock
from sidecar.domain.files import removals
from sidecar.domain.files.file_stats import FileStats
from sidecar.domain.files.removals import (
    Decision,
    Expected,
    FileStat,
    NotAFile,
    PendingChange,
    Seen,
)
from sidecar.errors import DeviceError
from sidecar.services.devices.registry import AttachedDevice
from sidecar.services.files.removals.record import RemovalRecorder
from sidecar.store.downloads.queries import FILES_AT_ONCE
from sidecar.store.downloads.queue import Downloads

# Removals within so many seconds count together.
LATELY_S = 60.0
# So many files one scan hashes to see whether they were changed; the next scan continues.
READ_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The result of a scan.

    Attributes:
        recorded: How many files were recorded as removed or changed by a person.
        moved: How many files had moved; their rows have the new path.
        ask: Files about which a person has to be asked first, by download id.
        total: How many files should have been there.
        again_in: Seconds until the next scan is useful; None if nothing is undecided.
    """

    recorded: int
    moved: int
    ask: Mapping[int, PendingChange]
    total: int
    again_in: float | None


@dataclass(slots=True)
class _Found:
    """What a scan has found so far.

    Attributes:
        total: How many files were looked at.
        fresh: How many of them had to be hashed.
        suspected: What is in place of each missing or changed file, by id.
        unclear: The ids of files that could not be read, or were not hashed yet.
        notable: The files that are suspected, or were missing or asked about before.
        vouched: The facts of files, for the next scan.
    """

    total: int = 0
    fresh: int = 0
    suspected: dict[int, Seen] = field(default_factory=dict)
    unclear: set[int] = field(default_factory=set)
    notable: list[Expected] = field(default_factory=list)
    vouched: FileStats = field(default_factory=FileStats)

    @property
    def is_all_read(self) -> bool:
        """Whether all were hashed that had to be."""
        return self.fresh <= READ_AT_ONCE


class DeviceScan:
    """Scans one device while it is attached. Used by one thread."""

    def __init__(
        self,
        device: AttachedDevice,
        *,
        downloads: Downloads,
        verdicts: RemovalRecorder,
        clock: Clock,
        is_over: Callable[[], bool] = lambda: False,
        at_once: int = FILES_AT_ONCE,
    ) -> None:
        self.device = device
        self._at_once = at_once
        self._downloads = downloads
        self._verdicts = verdicts
        self._clock = clock
        self._is_over = is_over
        self._vouched = FileStats()
        self._doubts: Mapping[int, PendingChange] | None = None
        self._hashes: dict[FileStat, str] = {}
        self._read: dict[FileStat, str] = {}
        self._lately: deque[tuple[float, int]] = deque()

    def look(self) -> ScanResult:
        """Scan all files once, and record what is certain.

        Raises:
            errors.DeviceError: The device cannot be read; nothing is recorded after that.
            errors.Stopped: The sidecar is stopping.
        """
        now = self._clock.monotonic()
        self._read = {}
        found = self._look_at_all()
        files, suspected = found.notable, found.suspected
        moved = self._follow([one for one in files if suspected.get(one.id) is NotAFile.ABSENT])
        if self._doubts is None:
            # A question from before a restart, or before the device was detached, is asked at once.
            before = PendingChange(NotAFile.ABSENT, now - removals.GRACE_S)
            self._doubts = {one.id: before for one in files if one.is_asked_about}
        decision = removals.decide(
            {
                file_id: seen
                for file_id, seen in suspected.items()
                # How many were changed is only known once all have been read.
                if file_id not in moved and (found.is_all_read or seen is NotAFile.ABSENT)
            },
            self._doubts,
            now=now,
            total=found.total,
            lately=self._recorded_lately(now),
            asked={one.id for one in files if one.is_asked_about},
        )
        if decision.sure or decision.ask:
            self.device.folder.check_writing()
        recorded = self._record(files, decision, now)
        self._downloads.sightings.note_look(
            self.device.id,
            missing=[one for one in files if one.id in suspected and one.id not in moved],
            # A file that could not be read is neither this nor missing; a moved one was followed.
            present=[
                one for one in files if one.id not in suspected and one.id not in found.unclear
            ],
        )
        self._downloads.sightings.ask_about(self.device.id, decision.ask)
        self._vouched, self._doubts, self._hashes = found.vouched, decision.doubts, self._read
        return ScanResult(
            recorded=recorded,
            moved=len(moved),
            ask=decision.ask,
            total=found.total,
            again_in=_again_in(decision, now) if found.is_all_read else 0.0,
        )

    def forget_doubts(self) -> None:
        """Forget what the last scan found missing.

        A removal needs two scans that find it, with no failed scan in between.
        """
        self._doubts = None

    def _look_at_all(self) -> _Found:
        """Look at all files, some at a time: a device may have a hundred thousand."""
        found = _Found()
        every = self._downloads.queries.some_files_on(self.device.id, at_once=self._at_once)
        # A device without any files has to be there as well.
        for files in chain([()], every):
            seen = self.device.folder.look((one.path for one in files), is_over=self._is_over)
            unlike = self._find_changed(files, seen, found)
            suspected = removals.find_suspects(files, seen, unlike)
            found.total += len(files)
            found.suspected |= suspected
            found.unclear |= {one.id for one in files if seen[one.path] is NotAFile.UNKNOWN}
            found.notable += [
                one for one in files if one.id in suspected or one.is_missing or one.is_asked_about
            ]
            found.vouched.extend(self._vouch(files, seen, found))
        return found

    def _find_changed(
        self, files: Sequence[Expected], seen: Mapping[str, Seen], found: _Found
    ) -> set[int]:
        """Return the ids of changed files; those that were not hashed become unclear."""
        unlike = set()
        keeps = self.device.folder.keeps_numbers
        for file, facts in removals.to_read(files, seen, self._vouched, keeps_numbers=keeps):
            if facts not in self._hashes:
                found.fresh += 1
                if found.fresh > READ_AT_ONCE:
                    found.unclear.add(file.id)
                    continue
            content_hash = self._hash(file.path, facts)
            if content_hash is None:
                found.unclear.add(file.id)
            elif content_hash != file.content_hash:
                unlike.add(file.id)
        return unlike

    def _vouch(
        self, files: Iterable[Expected], seen: Mapping[str, Seen], found: _Found
    ) -> Iterator[tuple[int, FileStat]]:
        """Yield what is kept of files until the next scan."""
        for one in files:
            facts: Seen | None = seen[one.path]
            if one.id in found.suspected or one.id in found.unclear:
                # A missing file may still be found elsewhere, by its stat when it was last seen.
                facts = self._vouched.get(one.id)
            if isinstance(facts, FileStat):
                yield one.id, facts

    def _follow(self, missing: Sequence[Expected]) -> set[int]:
        """Find missing files elsewhere on the device, update their rows and return those ids."""
        sizes = {one.size for one in missing} - {0}
        if not sizes:
            return set()
        every = self._downloads.queries.some_files_on(self.device.id, at_once=self._at_once)
        known = {one.path for some in every for one in some}
        strangers = self.device.folder.strangers(sizes=sizes, known=known, is_over=self._is_over)
        places = removals.match_known(missing, strangers, self._vouched)
        rest = [one for one in missing if one.id not in places]
        sizes = {one.size for one in rest if one.content_hash is not None}
        hashes = {
            one.path: content_hash
            for one in strangers
            if one.facts.size in sizes and one.path not in places.values()
            if (content_hash := self._hash(one.path, one.facts)) is not None
        }
        places |= removals.match_moved(rest, hashes)
        return {
            one.id
            for one in missing
            if one.id in places and self._verdicts.moved(self.device, one, places[one.id])
        }

    def _hash(self, path: str, facts: FileStat) -> str | None:
        """Return a file's hash, cached until the file changes; None if it cannot be read."""
        content_hash = self._hashes.get(facts)
        if content_hash is None:
            try:
                content_hash = self.device.folder.content_hash(path, is_over=self._is_over)
            except DeviceError:
                return None
        self._read[facts] = content_hash
        return content_hash

    def _record(self, files: Iterable[Expected], decision: Decision, now: float) -> int:
        sure = [(one, decision.sure[one.id].fate) for one in files if one.id in decision.sure]
        recorded = self._verdicts.removed(self.device, sure)
        if recorded:
            self._lately.append((now, recorded))
        return recorded

    def _recorded_lately(self, now: float) -> int:
        while self._lately and self._lately[0][0] < now - LATELY_S:
            self._lately.popleft()
        return sum(count for _at, count in self._lately)


def _again_in(decision: Decision, now: float) -> float | None:
    young = [one.since for file_id, one in decision.doubts.items() if file_id not in decision.ask]
    return max(0.0, min(young) + removals.GRACE_S - now) if young else None
