"""Decides what happened to our files on a device, from the results of scans.

ours ─┬─ as it was ─────────────────────────────▶ unchanged
          ├─ absent ─┬─ the same bytes elsewhere ───▶ moved: the row follows
          │          └─ absent again after a grace ─▶ gone   ┐ done by a person;
          ├─ other bytes, the same after a grace ───▶ edited ┘ many at once are asked about
          └─ cannot be told ────────────────────────▶ nothing, ever

It uses one scan and what the scans before it left in doubt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# Seconds between the two scans that confirm a removal: editors remove files for a moment.
GRACE_S = 8.0
# More removals than this at once are asked about: they may not be intended.
FEW = 5
FEW_OF_ALL = 0.2
# FAT stores file times in steps of two seconds.
COARSE_S = 3.0
# From the last byte of a file to its completion, on a slow device.
FINISHING_S = 60.0
HOUR_S = 3600.0
MOST_ZONES = 14

_PUT_ASIDE = frozenset(
    {"$recycle.bin", "recycler", "#recycle", "@recycle", "lost+found", "lost.dir"}
)


class NotAFile(StrEnum):
    """What a scan found at a path if it is no file.

    Attributes:
        ABSENT: Nothing has this name on this device.
        OTHER: A folder, a link, a pipe or the like has the name.
        UNKNOWN: An error that says nothing about the file.
    """

    ABSENT = "absent"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FileStat:
    """A regular file as a scan found it; equal values mean the same unchanged file."""

    size: int
    modified_ns: int
    inode: int


Seen = FileStat | NotAFile


@dataclass(frozen=True, slots=True)
class Expected:
    """A finished file of ours, as the database has it.

    Attributes:
        path: Below the device's root.
        content_hash: xxh3-128; None if unknown.
        is_missing: The scan before did not find it.
        is_asked_about: People are being asked about it.
    """

    id: int
    path: str
    size: int
    content_hash: str | None
    completed_at: datetime | None
    is_missing: bool = False
    is_asked_about: bool = False


@dataclass(frozen=True, slots=True)
class Stranger:
    """A file on the device that is at none of the known paths."""

    path: str
    facts: FileStat


class FileChange(StrEnum):
    """What a person did to a file of ours."""

    GONE = "gone"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class PendingChange:
    """What was found instead of a file of ours, and since when (monotonic seconds)."""

    seen: Seen
    since: float

    @property
    def fate(self) -> FileChange:
        """The change, if a later scan confirms it."""
        return FileChange.GONE if self.seen is NotAFile.ABSENT else FileChange.EDITED


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of a scan.

    Attributes:
        doubts: To be scanned again after the grace; includes what is asked about.
        sure: Changes by a person, to be recorded.
        ask: Too many at once: a person must confirm them first.
    """

    doubts: Mapping[int, PendingChange] = field(default_factory=dict)
    sure: Mapping[int, PendingChange] = field(default_factory=dict)
    ask: Mapping[int, PendingChange] = field(default_factory=dict)


def is_in_trash(name: str) -> bool:
    """Whether this is the name of a trash folder, or a hidden one: files in it were removed."""
    return name.startswith(".") or name.casefold() in _PUT_ASIDE


def is_many(count: int, total: int) -> bool:
    """Whether so many removals at once need a confirmation."""
    return count > max(FEW, FEW_OF_ALL * total)


def was_written_since(
    facts: FileStat, completed_at: datetime | None, *, has_zones: bool = True
) -> bool:
    """Whether a file was written to after its completion, judging by its time.

    `has_zones` tells whether a time may be off by whole hours, as those of FAT are.
    """
    if completed_at is None:
        return True
    # Not as a date: a file may say any year.
    later = facts.modified_ns // 10**9 - completed_at.timestamp()
    return later > COARSE_S and not (has_zones and _is_other_zone(later))


def is_unchanged(seen: Seen, before: Seen, *, keeps_numbers: bool) -> bool:
    """Whether a file is as it was, judging by its facts.

    Args:
        seen: What is there now.
        before: What was there.
        keeps_numbers: Whether files keep their inode number: FAT and exFAT give them others
            whenever the system has forgotten them for a moment.
    """
    if keeps_numbers or not isinstance(seen, FileStat) or not isinstance(before, FileStat):
        return seen == before
    return (seen.size, seen.modified_ns) == (before.size, before.modified_ns)


def to_read(
    files: Iterable[Expected],
    seen: Mapping[str, Seen],
    vouched: Mapping[int, FileStat],
    *,
    keeps_numbers: bool = True,
) -> list[tuple[Expected, FileStat]]:
    """Return the files that must be hashed to know whether they are unchanged.

    Args:
        files: All that should be there.
        seen: What was found, by path.
        vouched: The facts of files that were unchanged at the last scan, by id.
        keeps_numbers: As for `is_unchanged`.
    """
    return [
        (file, facts)
        for file in files
        if isinstance(facts := seen[file.path], FileStat)
        and facts.size == file.size
        and file.content_hash is not None
        and _is_doubtful(file, facts, vouched.get(file.id), keeps_numbers=keeps_numbers)
    ]


def find_suspects(
    files: Iterable[Expected], seen: Mapping[str, Seen], unlike: Collection[int] = ()
) -> dict[int, Seen]:
    """Return what was found in place of each missing or changed file, by id.

    Args:
        files: All that should be there.
        seen: What was found, by path.
        unlike: Files with the same size but another hash.
    """
    return {
        file.id: found
        for file in files
        if (found := seen[file.path]) is not NotAFile.UNKNOWN
        and not (isinstance(found, FileStat) and found.size == file.size and file.id not in unlike)
    }


def match_known(
    missing: Iterable[Expected], strangers: Sequence[Stranger], vouched: Mapping[int, FileStat]
) -> dict[int, str]:
    """Return the new paths of missing files, by id, as far as certain without hashing."""
    places: dict[FileStat, list[str]] = {}
    for one in strangers:
        places.setdefault(one.facts, []).append(one.path)
    return {
        file.id: there[0]
        for file in missing
        if (facts := vouched.get(file.id)) and len(there := places.get(facts, [])) == 1
    }


def match_moved(missing: Sequence[Expected], hashes: Mapping[str, str]) -> dict[int, str]:
    """Return the new paths of missing files, by id: those with exactly one file of the same bytes.

    Of several with the same bytes only those that kept their file name are matched.

    Args:
        missing: The absent files.
        hashes: The content hashes of unknown files, by path.
    """
    found: dict[int, str] = {}
    for content_hash in {one.content_hash for one in missing if one.content_hash is not None}:
        ours = [one for one in missing if one.content_hash == content_hash]
        theirs = [path for path, their_hash in hashes.items() if their_hash == content_hash]
        if len(ours) == len(theirs) == 1:
            found[ours[0].id] = theirs[0]
        else:
            found |= _match_by_name(ours, theirs)
    return found


def decide(
    suspected: Mapping[int, Seen],
    doubts: Mapping[int, PendingChange],
    *,
    now: float,
    total: int,
    lately: int = 0,
    asked: Collection[int] = (),
) -> Decision:
    """Decide from a scan what happened.

    Args:
        suspected: From `find_suspects`, without files that were found elsewhere.
        doubts: Of the scan before.
        now: Monotonic seconds.
        total: How many files should be there.
        lately: How many were recorded a moment ago without asking: they count as the same action.
        asked: What was asked about and not answered: few of them are no less a question, for
            somebody may be bringing the others back.
    """
    current = {
        file_id: PendingChange(seen, _changed_since(doubts.get(file_id), seen, now))
        for file_id, seen in suspected.items()
    }
    ripe = {file_id: doubt for file_id, doubt in current.items() if now - doubt.since >= GRACE_S}
    # Recent doubts count as well: a large deletion takes a while.
    many = is_many(len(current) + lately, total + lately)
    ask = {file_id: doubt for file_id, doubt in ripe.items() if many or file_id in asked}
    sure = {file_id: doubt for file_id, doubt in ripe.items() if file_id not in ask}
    doubts = {file_id: doubt for file_id, doubt in current.items() if file_id not in sure}
    return Decision(doubts=doubts, sure=sure, ask=ask)


def _is_doubtful(
    file: Expected, facts: FileStat, before: FileStat | None, *, keeps_numbers: bool
) -> bool:
    if before is not None:
        return not is_unchanged(facts, before, keeps_numbers=keeps_numbers)
    return was_written_since(facts, file.completed_at)


def _is_other_zone(later: float) -> bool:
    """Whether two times differ by a time zone: FAT stores local times."""
    hours, rest = divmod(later - COARSE_S, HOUR_S)
    return hours < MOST_ZONES and rest > HOUR_S - COARSE_S - FINISHING_S


def _changed_since(before: PendingChange | None, seen: Seen, now: float) -> float:
    """Return since when a doubt is unchanged: a file being written differs each time."""
    return before.since if before is not None and before.seen == seen else now


def _match_by_name(ours: Sequence[Expected], theirs: Sequence[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for one in ours:
        name = _name(one.path)
        alike = [path for path in theirs if _name(path) == name]
        if len(alike) == 1 and sum(_name(other.path) == name for other in ours) == 1:
            found[one.id] = alike[0]
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]
