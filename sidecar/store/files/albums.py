"""Finished files in tiles: each is an album, a series or a single film.

    files that fit ─▶ grouped in one index ─▶ one page of tiles, the newest first ─▶ their facts

The tiles and their number come from one statement, so they cannot disagree.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sidecar.domain.downloads.download import Download
from sidecar.domain.files.tiles import tile_key
from sidecar.domain.items.natural_sort import natural_key
from sidecar.store.database import Database
from sidecar.store.dialects.dialect import WordSearch
from sidecar.store.downloads.filter import (
    DownloadFilter,
    Statement,
    build_scope_conditions,
    join_statements,
)
from sidecar.store.downloads.queries import from_columns
from sidecar.store.files.search import (
    ALL,
    COLUMNS,
    PRESENT,
    build_kept_tiles,
    select_files,
    select_tiled,
)

OF_TILES = (
    "FROM json_each(?) AS wanted CROSS JOIN downloads AS d INDEXED BY downloads_by_tile"
    " ON d.tile = wanted.value WHERE d.status = 'completed' AND d.missing_since IS NULL"
)


KEPT = "SELECT newest, files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A group of files that is shown as one entry.

    Attributes:
        key: The album's id, the series' name after `series:`, or the single item's id.
        newest: The file that was completed last; the tile has its cover and its names.
        artist: None if its files have different ones, or none.
        files, bytes: Of all its files, whatever text was searched for.
        items, devices: What these files are copies of, and where they are.
    """

    key: str
    newest: Download
    artist: str | None
    files: int
    bytes: int
    items: int
    devices: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of matching tiles and of matching files."""

    tiles: int
    files: int


class AlbumIndex:
    """Reads tiles. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def numbers(self, which: DownloadFilter) -> Numbers:
        """Return how many tiles and files a list has."""
        found = select_tiles(which, self._db.dialect.words)
        sql = f"SELECT count(*), coalesce(sum(files), 0) FROM ({found.text}) AS found"  # noqa: S608 - ours
        return Numbers(*map(int, self._db.sql(sql, found.values)[0]))

    def page(
        self, which: DownloadFilter, page: int, page_size: int
    ) -> tuple[Sequence[Tile], Numbers]:
        """Return one page of tiles, those with the newest files first, and the totals."""
        found = select_tiles(which, self._db.dialect.words)
        place = (page_size, (page - 1) * page_size)
        with self._db.read():
            rows = self._db.sql(select_page(found), (*found.values, *place))
            if not rows:
                return (), self.numbers(which)
            tiles, files = map(int, rows[0][1:])
            return self._read_tiles([row[0] for row in rows], which), Numbers(tiles, files)

    def newest(self, which: DownloadFilter, most: int) -> Sequence[Tile]:
        """Return the first tiles of a list, whatever text is searched for, and count none."""
        asked = select_newest(which)
        with self._db.read():
            rows = self._db.sql(asked.text, (*asked.values, most))
            return self._tiles_of([from_columns(row) for row in rows], which)

    def files(
        self, key: str, which: DownloadFilter, page: int, page_size: int
    ) -> tuple[list[Download], int]:
        """Return one page of a tile's files in their order, and the total number."""
        asked = join_statements(
            [Statement(OF_TILES, (json.dumps([key]),)), build_scope_conditions(which)]
        )
        with self._db.read():
            found = self._db.sql(f"SELECT d.id, d.path_key {asked.text}", asked.values)
            ids = [one for one, _ in sorted(found, key=lambda row: (natural_key(row[1]), row[0]))]
            start = (page - 1) * page_size
            return self._read_rows(ids[start : start + page_size]), len(ids)

    def tile(self, key: str, which: DownloadFilter) -> Tile | None:
        """Return one tile; None if it has no files."""
        asked = join_statements(
            [Statement(OF_TILES, (json.dumps([key]),)), build_scope_conditions(which)]
        )
        with self._db.read():
            newest = self._db.sql(f"SELECT max(d.id) {asked.text}", asked.values)[0][0]
            return None if newest is None else self._read_tiles([newest], which)[0]

    def _read_tiles(self, newest: Sequence[int], which: DownloadFilter) -> list[Tile]:
        """Read the tiles of which these are the newest files."""
        return self._tiles_of(self._read_rows(newest), which)

    def _tiles_of(self, newest: Sequence[Download], which: DownloadFilter) -> list[Tile]:
        rows = {tile_key(one): one for one in newest}
        asked = select_facts(list(rows), which)
        found = {row[0]: row[1:] for row in self._db.sql(asked.text, asked.values)}
        return [_to_tile(key, one, found[key]) for key, one in rows.items()]

    def _read_rows(self, ids: Sequence[int]) -> list[Download]:
        sql = (
            f"SELECT {COLUMNS} FROM json_each(?) AS wanted"  # noqa: S608 - names of our own columns
            " CROSS JOIN downloads AS d ON d.id = CAST(wanted.value AS INTEGER)"
            " ORDER BY CAST(wanted.key AS INTEGER)"
        )
        return [from_columns(row) for row in self._db.sql(sql, (json.dumps(list(ids)),))]


def select_tiles(which: DownloadFilter, search: WordSearch) -> Statement:
    """Return the statement that selects newest file and files of the tiles of a list.

    Tests check its query plan.
    """
    kept = build_kept_tiles(which)
    if kept is not None:
        return Statement(f"{KEPT} {kept.text}", kept.values)
    tiled = select_tiled(which, search)
    if tiled is not None:
        text = f"SELECT max(t.download_id) AS newest, count(*) AS files {tiled.text}"
        return Statement(f"{text} GROUP BY t.tile_id", tiled.values)
    asked = select_files(which, search)
    # Grouped as they stand there; SQLite would rather sort all files.
    whence = asked.text.replace(ALL, ALL.replace(" WHERE", " INDEXED BY downloads_by_tile WHERE"))
    text = f"SELECT max(d.id) AS newest, count(*) AS files {whence} GROUP BY d.tile"
    return Statement(text, asked.values)


def select_newest(which: DownloadFilter) -> Statement:
    """Return the statement that selects the newest files of the first tiles of a list.

    Tests check its query plan.
    """
    asked = join_statements([PRESENT, build_scope_conditions(which)])
    later = asked.of("later")
    # From the newest file on: what has a later one in its tile is passed over.
    text = f"""SELECT {COLUMNS} FROM downloads AS d INDEXED BY downloads_by_status
        WHERE d.status = 'completed'{asked.text} AND NOT EXISTS (
            SELECT 1 FROM downloads AS later INDEXED BY downloads_by_tile
            WHERE later.status = 'completed' AND later.tile = d.tile AND later.id > d.id{later.text}
        ) ORDER BY d.id DESC LIMIT ?"""  # noqa: S608 - ours
    return Statement(text, (*asked.values, *later.values))


def select_page(found: Statement) -> str:
    """Return the SQL that selects one page of the tiles, and the totals."""
    # What is there already is read by its index, and not copied to be sorted.
    how = "NOT MATERIALIZED" if found.text.startswith(KEPT) else "MATERIALIZED"
    return (
        f"WITH found AS {how} ({found.text}) SELECT newest,"  # noqa: S608 - ours
        " (SELECT count(*) FROM found), (SELECT sum(files) FROM found)"
        " FROM found ORDER BY newest DESC LIMIT ? OFFSET ?"
    )


def select_facts(keys: Sequence[str], which: DownloadFilter) -> Statement:
    """Return the statement that selects the facts of tiles, whatever text was searched for."""
    whole = build_scope_conditions(replace(which, item_types=frozenset()))
    asked = join_statements([Statement(OF_TILES, (json.dumps(list(keys)),)), whole])
    text = (
        "SELECT d.tile, count(*), coalesce(sum(d.file_size), 0), min(d.artist), max(d.artist),"
        " count(DISTINCT d.item_id), count(DISTINCT d.device_id)"
        f" {asked.text} GROUP BY d.tile"
    )
    return Statement(text, asked.values)


def _to_tile(
    key: str, newest: Download, found: tuple[int, int, str | None, str | None, int, int]
) -> Tile:
    files, octets, first, last, items, devices = found
    return Tile(
        key=key,
        newest=newest,
        artist=first if first == last else None,
        files=files,
        bytes=octets,
        items=items,
        devices=devices,
    )
