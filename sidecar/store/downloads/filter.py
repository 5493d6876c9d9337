"""Filters for lists of downloads, and their SQL conditions.

All statements call the table `d`, unless another name is asked for. A list and its count come from
the same conditions, so they cannot disagree.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sidecar.domain.downloads.download import Status

# The account owns it (`schema.owners`); or any of several accounts.
CONCERNS = "EXISTS (SELECT 1 FROM owned AS o WHERE o.download_id = d.id AND o.user_id = ?)"
BELONGS = (
    "EXISTS (SELECT 1 FROM owned AS o WHERE o.download_id = d.id"
    " AND o.user_id IN (SELECT value FROM json_each(?)))"
)
ACTIVE = frozenset({Status.PENDING, Status.DOWNLOADING, Status.PAUSED})
# As in the index of the queue: SQLite uses it only if it can see its condition.
IS_ACTIVE = "d.status IN ('downloading', 'paused', 'pending')"
# Uses the partial index: else SQLite would scan all ids for the few missing ones.
IS_MISSING = "d.id IN (SELECT id FROM downloads WHERE missing_since IS NOT NULL)"
# 100,000 rows are searched by `instr` in 30 ms of CPU time, by this in 24.
HAS_WORD = " AND d.search_key LIKE ? ESCAPE '\\'"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFilter:
    """The conditions of a list of downloads.

    Attributes:
        statuses, item_types: Empty means any. A missing file has none of the statuses.
        missing: Adds missing files, or shows only these if there are no `statuses`.
        viewer: Only what this person may see; None sees all.
        owners: Only what one of these holds (or asked for, if nobody holds it); None means anyone.
        as_of: Only this one and what was asked for before it.
        left_out: Devices of which nothing is listed.
        text: Words that must all occur in title, artist or album, whatever their case or accents;
            lists of files look for the beginnings of words, and in the names of series as well.
    """

    statuses: frozenset[Status] = frozenset()
    missing: bool = False
    viewer: str | None = None
    owners: frozenset[str] | None = None
    device_id: str | None = None
    item_types: frozenset[str] = frozenset()
    text: str = ""
    as_of: int | None = None
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Statement:
    """A part of an SQL statement, and its parameters."""

    text: str
    values: tuple[object, ...]

    def of(self, table: str) -> Statement:
        """Return the same about the downloads that a statement calls `table`."""
        return Statement(name_table(self.text, table), self.values)


def is_active(which: DownloadFilter) -> bool:
    """Whether a list has only what runs, waits or is paused."""
    return bool(which.statuses) and which.statuses <= ACTIVE and not which.missing


def build_conditions(which: DownloadFilter) -> Statement:
    """Return all conditions of a list of downloads."""
    return join_statements([build_count_conditions(which), _build_state_condition(which)])


def build_count_conditions(which: DownloadFilter) -> Statement:
    """Return the same conditions without the statuses."""
    words = search_key(which.text).replace("\0", " ").split()
    found = [Statement(HAS_WORD, (build_pattern(word),)) for word in words]
    return join_statements([build_scope_conditions(which), *found])


def build_scope_conditions(which: DownloadFilter) -> Statement:
    """Return the conditions of a list without its text and its statuses."""
    parts = []
    if which.device_id is not None:
        parts.append(Statement(" AND d.device_id = ?", (which.device_id,)))
    if which.item_types:
        types = json.dumps(sorted(which.item_types))
        parts.append(Statement(" AND d.item_type IN (SELECT value FROM json_each(?))", (types,)))
    if which.owners is not None:
        people = json.dumps(sorted(which.owners))
        parts.append(Statement(f" AND {BELONGS}", (people,)))
    if which.as_of is not None:
        parts.append(Statement(" AND d.id <= ?", (which.as_of,)))
    if which.left_out:
        devices = json.dumps(sorted(which.left_out))
        parts.append(
            Statement(" AND d.device_id NOT IN (SELECT value FROM json_each(?))", (devices,))
        )
    return join_statements([*parts, build_visibility_condition(which.viewer)])


def build_visibility_condition(viewer: str | None) -> Statement:
    """Return the condition that a person may see a download; None sees all."""
    if viewer is None:
        return Statement("", ())
    return Statement(f" AND {CONCERNS}", (viewer,))


def join_statements(parts: Iterable[Statement]) -> Statement:
    """Concatenate parts of a statement."""
    every = tuple(parts)
    values = tuple(value for one in every for value in one.values)
    return Statement("".join(one.text for one in every), values)


def name_table(text: str, table: str) -> str:
    """Return a part of a statement with another name for the table `d`."""
    return re.sub(r"\bd\.", f"{table}.", text)


def search_key(*texts: str | None) -> str:
    """Fold texts for the search: without case and accents."""
    joined = "\n".join(text for text in texts if text)
    if joined.isascii():
        # The same in a tenth of the time, and most are.
        return joined.lower()
    spread = unicodedata.normalize("NFKD", joined)
    return "".join(one for one in spread if not unicodedata.combining(one)).casefold()


def build_pattern(word: str) -> str:
    """Return the pattern of what has this folded word anywhere, for LIKE."""
    return "%" + re.sub(r"([%_\\])", r"\\\1", word) + "%"


def _build_state_condition(which: DownloadFilter) -> Statement:
    if not which.statuses:
        return Statement(f" AND {IS_MISSING}" if which.missing else "", ())
    if which.statuses == ACTIVE and is_active(which):
        return Statement(f" AND {IS_ACTIVE}", ())
    values = tuple(sorted(str(one) for one in which.statuses))
    text = f"d.status IN ({', '.join('?' * len(values))})"
    if is_active(which):
        text += f" AND {IS_ACTIVE}"
    if Status.COMPLETED in which.statuses:
        text += " AND d.missing_since IS NULL"
    return Statement(f" AND ({text} OR {IS_MISSING})" if which.missing else f" AND {text}", values)
