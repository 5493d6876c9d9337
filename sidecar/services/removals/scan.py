"""Scans one attached device for our files, and decides what became of each of them.

    rows ─▶ look ─▶ read what may have changed ─▶ find what was moved ─▶ decide ─▶ record

What is missing, and what people are asked about, is stored: no list counts it as there, and it is
asked again after a restart. All else it remembers from look to look in memory only: a restart
merely reads a little more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.domain.files import removals
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
from sidecar.services.removals.record import RemovalRecorder
from sidecar.store.downloads.queue import Downloads

# Seconds within which removals count as one act.
LATELY_S = 60.0
# Files that one look reads to see whether they were changed; the next look goes on.
READ_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a look led to.

    Attributes:
        recorded: Files that a person removed or changed, and that are written down as such.
        moved: Files whose rows followed them.
        ask: Files that nothing is done about before a person has answered, by id.
        total: How many files should have been there.
        again_in: Seconds until another look is worth it; None if nothing is open.
    """

    recorded: int
    moved: int
    ask: Mapping[int, PendingChange]
    total: int
    again_in: float | None


class DeviceScan:
    """One device, from its coming to its going. Used by one thread."""

    def __init__(
        self,
        device: AttachedDevice,
        *,
        downloads: Downloads,
        verdicts: RemovalRecorder,
        clock: Clock,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self.device = device
        self._downloads = downloads
        self._verdicts = verdicts
        self._clock = clock
        self._is_over = is_over
        self._vouched: Mapping[int, FileStat] = {}
        self._doubts: Mapping[int, PendingChange] | None = None
        self._hashes: dict[FileStat, str] = {}
        self._read: dict[FileStat, str] = {}
        self._lately: deque[tuple[float, int]] = deque()

    def look(self) -> ScanResult:
        """Look at all files once, and record what is sure.

        Raises:
            errors.DeviceError: The device cannot be looked at: nothing is said of any file.
            errors.Stopped: The sidecar ends.
        """
        now = self._clock.monotonic()
        files = self._downloads.queries.files_on(self.device.id)
        seen = self.device.folder.look(file.path for file in files)
        self._read = {}
        unlike, unclear, is_all_read = self._changed(files, seen)
        suspected = removals.find_suspects(files, seen, unlike)
        moved = self._follow([one for one in files if suspected.get(one.id) is NotAFile.ABSENT])
        if self._doubts is None:
            # What was asked before a restart, or before the device went, is asked again at once.
            before = PendingChange(NotAFile.ABSENT, now - removals.GRACE_S)
            self._doubts = {one.id: before for one in files if one.is_asked_about}
        decision = removals.decide(
            {
                file_id: found
                for file_id, found in suspected.items()
                # How many were changed is only known once all have been read.
                if file_id not in moved and (is_all_read or found is NotAFile.ABSENT)
            },
            self._doubts,
            now=now,
            total=len(files),
            lately=self._recorded_lately(now),
            asked={one.id for one in files if one.is_asked_about},
        )
        if decision.sure or decision.ask:
            self.device.folder.check_writing()
        recorded = self._record(files, decision, now)
        self._downloads.sightings.note_look(
            self.device.id,
            missing=[one for one in files if one.id in suspected and one.id not in moved],
            present=[
                one for one in files if _is_present(one, seen, {*suspected, *unclear} - moved)
            ],
        )
        self._downloads.sightings.ask_about(self.device.id, decision.ask)
        self._remember(files, seen, decision, passed_over={*suspected, *unclear})
        return ScanResult(
            recorded=recorded,
            moved=len(moved),
            ask=decision.ask,
            total=len(files),
            again_in=_again_in(decision, now) if is_all_read else 0.0,
        )

    def forget_doubts(self) -> None:
        """Both looks that a removal needs must find the device in order, and none between them."""
        self._doubts = None

    def _changed(
        self, files: Sequence[Expected], seen: Mapping[str, Seen]
    ) -> tuple[set[int], set[int], bool]:
        """Return the files with other bytes, those not read, and whether all were tried."""
        doubtful = removals.to_read(files, seen, self._vouched)
        fresh = [one for one in doubtful if one[1] not in self._hashes]
        unclear = {file.id for file, _facts in fresh[READ_AT_ONCE:]}
        unlike = set()
        for file, facts in doubtful:
            if file.id in unclear:
                continue
            content_hash = self._hash(file.path, facts)
            if content_hash is None:
                unclear.add(file.id)
            elif content_hash != file.content_hash:
                unlike.add(file.id)
        return unlike, unclear, len(fresh) <= READ_AT_ONCE

    def _follow(self, missing: Sequence[Expected]) -> set[int]:
        """Let rows follow the files that are elsewhere on the device; return whose did."""
        sizes = {one.size for one in missing} - {0}
        if not sizes:
            return set()
        known = {one.path for one in self._downloads.queries.files_on(self.device.id)}
        strangers = self.device.folder.strangers(sizes=sizes, known=known)
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
        """Return a file's content hash, read once for each change; None if it cannot be read."""
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

    def _remember(
        self,
        files: Iterable[Expected],
        seen: Mapping[str, Seen],
        decision: Decision,
        *,
        passed_over: set[int],
    ) -> None:
        # What is missing may yet be found elsewhere, by what it was when it was last seen.
        before = {one.id: self._vouched[one.id] for one in files if one.id in self._vouched}
        self._vouched = before | {
            one.id: facts
            for one in files
            if isinstance(facts := seen[one.path], FileStat) and one.id not in passed_over
        }
        self._doubts = decision.doubts
        self._hashes = self._read


def _is_present(file: Expected, seen: Mapping[str, Seen], in_doubt: Collection[int]) -> bool:
    """What could not be looked at or read is neither present nor missing."""
    return file.id not in in_doubt and seen[file.path] is not NotAFile.UNKNOWN


def _again_in(decision: Decision, now: float) -> float | None:
    young = [one.since for file_id, one in decision.doubts.items() if file_id not in decision.ask]
    return max(0.0, min(young) + removals.GRACE_S - now) if young else None
