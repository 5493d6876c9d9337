"""Decides what became of our files on a device, from what a scan found there.

    ours ─┬─ as it was ─────────────────────────────▶ vouched for
          ├─ absent ─┬─ the same bytes elsewhere ───▶ moved: the row follows
          │          └─ absent again after a grace ─▶ gone   ┐ by a person's hand;
          ├─ other bytes, the same after a grace ───▶ edited ┘ many at once are asked about
          └─ cannot be told ────────────────────────▶ nothing, ever

Decides from one look and what the looks before it left in doubt. Reads no file, knows no clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

# Seconds between the two looks that a removal needs: editors put a file away and back.
GRACE_S = 8.0
# More than this at once is no person tidying up: it is asked about, not believed.
FEW = 5
FEW_OF_ALL = 0.2
# FAT keeps the time of a file to two seconds.
COARSE_S = 3.0
# From the last byte of a file to its being finished, on a slow stick.
FINISHING_S = 60.0
HOUR_S = 3600.0
MOST_ZONES = 14

_PUT_ASIDE = frozenset(
    {"$recycle.bin", "recycler", "#recycle", "@recycle", "lost+found", "lost.dir"}
)


class NotAFile(StrEnum):
    """What a look found at a path when it is no file.

    Attributes:
        ABSENT: Nothing has this name, on this very device.
        OTHER: Something that is no file has it: a folder, a link, a pipe.
        UNKNOWN: It cannot be told: whatever was answered says nothing about the file.
    """

    ABSENT = "absent"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FileStat:
    """A regular file as a look found it; two equal ones are the same file, untouched."""

    size: int
    modified_ns: int
    inode: int


Seen = FileStat | NotAFile


@dataclass(frozen=True, slots=True)
class Expected:
    """A finished file of ours, as its row says.

    Attributes:
        path: Below the device's root.
        content_hash: xxh3-128; None if nobody knows.
        is_missing: The look before did not find it.
        is_asked_about: People are asked what became of it and have not answered.
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
    """A file on the device that no row expects there."""

    path: str
    facts: FileStat


class FileChange(StrEnum):
    """What a person did to a file of ours."""

    GONE = "gone"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class PendingChange:
    """What was found instead of a file of ours, and when first (monotonic seconds)."""

    seen: Seen
    since: float

    @property
    def fate(self) -> FileChange:
        """What it is, if it stays so."""
        return FileChange.GONE if self.seen is NotAFile.ABSENT else FileChange.EDITED


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a look.

    Attributes:
        doubts: To be looked at again after the grace; includes what is asked about.
        sure: By a person's hand: record it.
        ask: Too many at once: change nothing before a person has answered.
    """

    doubts: Mapping[int, PendingChange] = field(default_factory=dict)
    sure: Mapping[int, PendingChange] = field(default_factory=dict)
    ask: Mapping[int, PendingChange] = field(default_factory=dict)


def is_in_trash(name: str) -> bool:
    """Whether this is the name of a waste bin, or hidden: what is in it was removed."""
    return name.startswith(".") or name.casefold() in _PUT_ASIDE


def is_many(count: int, total: int) -> bool:
    """Whether so many of all files at once are more than a person's tidying up."""
    return count > max(FEW, FEW_OF_ALL * total)


def was_written_since(facts: FileStat, completed_at: datetime | None) -> bool:
    """Whether somebody wrote to a file after we had finished it, as far as its time tells."""
    if completed_at is None:
        return True
    modified = datetime.fromtimestamp(facts.modified_ns // 10**9, UTC)
    later = (modified - completed_at).total_seconds()
    return later > COARSE_S and not _is_other_zone(later)


def to_read(
    files: Iterable[Expected], seen: Mapping[str, Seen], vouched: Mapping[int, FileStat]
) -> list[tuple[Expected, FileStat]]:
    """Return the files whose bytes must be read to know whether they are still ours.

    Args:
        files: All that should be there.
        seen: What was found, by path.
        vouched: The facts of files that were ours at the last look, by id.
    """
    return [
        (file, facts)
        for file in files
        if isinstance(facts := seen[file.path], FileStat)
        and facts.size == file.size
        and file.content_hash is not None
        and _is_doubtful(file, facts, vouched.get(file.id))
    ]


def find_suspects(
    files: Iterable[Expected], seen: Mapping[str, Seen], unlike: Collection[int] = ()
) -> dict[int, Seen]:
    """Return what is at the place of each file that is not there as it was, by id.

    Args:
        files: All that should be there.
        seen: What was found, by path.
        unlike: Files that have other bytes, though as many.
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
    """Return where missing files are now, by id, as far as that is sure without reading any."""
    places: dict[FileStat, list[str]] = {}
    for one in strangers:
        places.setdefault(one.facts, []).append(one.path)
    return {
        file.id: there[0]
        for file in missing
        if (facts := vouched.get(file.id)) and len(there := places.get(facts, [])) == 1
    }


def match_moved(missing: Sequence[Expected], hashes: Mapping[str, str]) -> dict[int, str]:
    """Return where missing files are now, by id: one of ours, one stranger, the same bytes.

    Of several with the same bytes only those are told apart that kept their name.

    Args:
        missing: What is absent.
        hashes: The content hash of strangers, by path.
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
    """Return what follows from a look.

    Args:
        suspected: From `find_suspects`, without those that were found elsewhere.
        doubts: What the look before left.
        now: Monotonic seconds.
        total: How many files should be there.
        lately: How many were recorded a moment ago without asking: they belong to the same hand.
        asked: What was asked about and not answered: few of them are no less a question, for
            somebody may be bringing the others back.
    """
    current = {
        file_id: PendingChange(seen, _changed_since(doubts.get(file_id), seen, now))
        for file_id, seen in suspected.items()
    }
    ripe = {file_id: doubt for file_id, doubt in current.items() if now - doubt.since >= GRACE_S}
    # What is still young counts as well: a large deletion takes its time.
    many = is_many(len(current) + lately, total + lately)
    ask = {file_id: doubt for file_id, doubt in ripe.items() if many or file_id in asked}
    sure = {file_id: doubt for file_id, doubt in ripe.items() if file_id not in ask}
    doubts = {file_id: doubt for file_id, doubt in current.items() if file_id not in sure}
    return Decision(doubts=doubts, sure=sure, ask=ask)


def _is_doubtful(file: Expected, facts: FileStat, before: FileStat | None) -> bool:
    if before is not None:
        return facts != before
    return was_written_since(facts, file.completed_at)


def _is_other_zone(later: float) -> bool:
    """FAT keeps local time: after a change of summer time all files are some hours younger."""
    hours, rest = divmod(later - COARSE_S, HOUR_S)
    return hours < MOST_ZONES and rest > HOUR_S - COARSE_S - FINISHING_S


def _changed_since(before: PendingChange | None, seen: Seen, now: float) -> float:
    """A file that is still being written looks different each time."""
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
