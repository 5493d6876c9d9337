"""Finds finished files: by words in a full-text index, by item and by album.

Triggers keep the index up to date (`schema.search_index`). It lists the files that the last scan of
a device found.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce

from sidecar.domain.downloads.download import Download, Status
from sidecar.store.database import Database
from sidecar.store.dialects.dialect import WordSearch
from sidecar.store.downloads.filter import (
    DownloadFilter,
    Statement,
    build_scope_conditions,
    build_visibility_condition,
    join_statements,
    search_key,
)
from sidecar.store.downloads.queries import FEW, NAMES, from_columns
from sidecar.store.schema.search_index import TYPED_AS

ALL = "FROM downloads AS d WHERE d.status = 'completed'"
MISSING = "FROM downloads AS d WHERE d.missing_since IS NOT NULL"
COLUMNS = ", ".join(f"d.{name}" for name in NAMES.split(", "))
OF_ITEMS = (
    f"SELECT {COLUMNS} FROM json_each(?) AS wanted"  # noqa: S608 - names of our own columns
    " CROSS JOIN devices CROSS JOIN downloads AS d"
    " ON d.device_id = devices.id AND d.item_id = wanted.value WHERE TRUE"
)
OF_ALBUMS = (
    "SELECT d.album_id, d.device_id, d.status, count(*), min(d.id) FROM json_each(?) AS wanted"
    " CROSS JOIN downloads AS d ON d.album_id = wanted.value"
    " WHERE d.album_id IS NOT NULL AND d.missing_since IS NULL"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """The downloads of an album on a device that are in one state: their number and the first.

    Missing files are not counted.
    """

    status: Status
    number: int
    first: int


# Files that the last scan did not find are in no list.
PRESENT = Statement(" AND d.missing_since IS NULL", ())


class FileIndex:
    """Finds finished files. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def page(self, which: DownloadFilter, page: int, page_size: int) -> tuple[list[Download], int]:
        """Return one page of a list, newest first, and the total number."""
        words = self._db.dialect.words
        asked, counted = select_files(which, words), select_number(which, words)
        place = (page_size, (page - 1) * page_size)
        with self._db.read():
            total = int(self._db.sql(counted.text, counted.values)[0][0])
            order = "d.id"
            if asked.text.startswith(words.source):
                order = words.order_of_few if total < FEW else words.order
            rows = self._db.sql(
                f"SELECT {COLUMNS} {asked.text} ORDER BY {order} DESC LIMIT ? OFFSET ?",
                (*asked.values, *place),
            )
        return [from_columns(row) for row in rows], total

    def missing(self, which: DownloadFilter) -> int:
        """Return how many files the last scan did not find, whatever text is searched for."""
        asked = join_statements([Statement(MISSING, ()), build_scope_conditions(which)])
        return int(self._db.sql(f"SELECT count(*) {asked.text}", asked.values)[0][0])

    def of_items(self, item_ids: Collection[str], viewer: str | None) -> list[Download]:
        """Return the downloads of these items on all devices, in any state, newest first."""
        rights = build_visibility_condition(viewer)
        values = (json.dumps(list(item_ids)), *rights.values)
        found = [from_columns(row) for row in self._db.sql(OF_ITEMS + rights.text, values)]
        return sorted(found, key=lambda one: one.id, reverse=True)

    def of_albums(
        self, album_ids: Collection[str], viewer: str | None
    ) -> dict[tuple[str, str], list[Counted]]:
        """Count the downloads of albums by their states: for (album, device), where any are."""
        rights = build_visibility_condition(viewer)
        values = (json.dumps(list(album_ids)), *rights.values)
        grouped = f"{OF_ALBUMS}{rights.text} GROUP BY d.album_id, d.device_id, d.status"
        found: dict[tuple[str, str], list[Counted]] = {}
        for album, device, status, number, first in self._db.sql(grouped, values):
            found.setdefault((album, device), []).append(Counted(Status(status), number, first))
        return found


def select_files(which: DownloadFilter, search: WordSearch) -> Statement:
    """Return the statement that selects the files of a list; tests check its query plan."""
    indexed, others = _split_words(which)
    found = Statement(search.source, (search.match(indexed),)) if indexed else Statement(ALL, ())
    # A band may be named "!!!", which has no word for the index.
    odd = [Statement(" AND instr(d.search_key, ?) > 0", (one,)) for one in others]
    return join_statements([found, *odd, PRESENT, build_scope_conditions(which)])


def select_tiled(which: DownloadFilter, search: WordSearch) -> Statement | None:
    """Return whence the rows of `tiled` come of a list of words; None for another list."""
    indexed, others = _split_words(which)
    is_of_words = which == DownloadFilter(text=which.text, viewer=which.viewer)
    if not is_of_words or not indexed or others or search.tiled is None:
        return None
    rights = build_visibility_condition(which.viewer)
    found = Statement(search.tiled, (search.match(indexed),))
    return join_statements(
        [found, Statement(rights.text.replace("d.id", "t.download_id"), rights.values)]
    )


def build_kept_tiles(which: DownloadFilter) -> Statement | None:
    """Return whence the tiles of a list come that triggers keep; None for one with conditions."""
    if which == DownloadFilter():
        return Statement("FROM tiles", ())
    if which == DownloadFilter(viewer=which.viewer):
        return Statement("FROM own_tiles WHERE user_id = ?", (which.viewer,))
    return None


def select_number(which: DownloadFilter, search: WordSearch) -> Statement:
    """Return the statement that counts the files of a list."""
    kept = build_kept_tiles(which)
    if kept is not None:
        return Statement(f"SELECT coalesce(sum(files), 0) {kept.text}", kept.values)
    asked = select_tiled(which, search) or select_files(which, search)
    return Statement(f"SELECT count(*) {asked.text}", asked.values)


def _split_words(which: DownloadFilter) -> tuple[Sequence[str], Sequence[str]]:
    """Return the words of a list that the index knows, and the others."""
    words = fold_text(which.text).replace("\0", " ").split()
    indexed = [one for one in words if any(letter.isalnum() for letter in one)]
    return indexed, [one for one in words if one not in indexed]


def fold_text(text: str) -> str:
    """Fold text as the index does: no case, no accents, letters as they are typed."""
    return reduce(lambda done, pair: done.replace(*pair), TYPED_AS, search_key(text))
