"""Plays imported from players' logs: each once, however often its log is read.

    begun, with the count that Jellyfin is to have ─▶ Jellyfin is told ─▶ done, the play is kept

What was begun and not done is gone on with: nobody knows then whether Jellyfin heard it, but the
count that it was to have tells.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from sidecar.domain.player_logs.matching import ImportedPlay, OurFile
from sidecar.domain.player_logs.parsing import LogKind
from sidecar.store.database import Database, Row
from sidecar.store.schema.tables import ImportedPlayRow

FILES = """SELECT item_id, file_path, title, artist, album FROM downloads AS d
    WHERE device_id = ?1 AND (?2 = 1 OR EXISTS (SELECT 1 FROM holds AS h
            WHERE h.device_id = d.device_id AND h.item_id = d.item_id AND h.user_id = ?3)
        OR (d.user_id = ?3 AND NOT EXISTS (SELECT 1 FROM holds AS h
            WHERE h.device_id = d.device_id AND h.item_id = d.item_id)))"""
AT = " AND path_key IN (SELECT value FROM json_each(?4))"

ADD_UNDATED = """UPDATE player_states SET undated = max(0, undated + ?)
    WHERE device_id = ? AND item_id = ?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedListening:
    """A listening to be imported.

    Attributes:
        was_counted: Whether a changelog had counted it already, without a date.
    """

    item_id: str
    mark: ImportedPlay
    started_at: datetime
    ended_at: datetime
    seconds_heard: float
    was_counted: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """Listenings of one item whose telling was begun, and what Jellyfin is to count then."""

    item_id: str
    count: int
    ids: tuple[int, ...]
    listenings: tuple[ImportedListening, ...]


class ImportedPlays:
    """Stores imported plays. Safe to use from any thread."""

    def __init__(self, db: Database, row: type[ImportedPlayRow] = ImportedPlayRow) -> None:
        """Prepare; `row` says in which table: of devices' logs, or of browsers."""
        self._db = db
        self._row = row

    def files(self, device_id: str, user_id: str | None) -> Iterator[OurFile]:
        """Yield the files that are or were on a device: of one user, with None of everybody.

        They are read when the first one is asked for.
        """
        for row in self._db.sql(FILES, (device_id, user_id is None, user_id or "")):
            yield OurFile(*row)

    def files_at(
        self, device_id: str, user_id: str | None, keys: Collection[str]
    ) -> Iterator[OurFile]:
        """Return those of `files` whose paths have these keys."""
        values = (device_id, user_id is None, user_id or "", json.dumps(list(keys)))
        return (OurFile(*row) for row in self._db.sql(FILES + AT, values))

    def marks(self, device_id: str) -> Iterator[tuple[str, ImportedPlay]]:
        """Yield by what listenings on a device are found again, whoever took them over.

        They are read when the first one is asked for.
        """
        query = self._row.select(
            self._row.item_id,
            self._row.kind,
            self._row.stamp,
            self._row.heard_s,
        ).where(self._row.device_id == device_id)
        for row in self._db.rows(query):
            yield row["item_id"], _mark(row)

    def begin(
        self, user_id: str, device_id: str, listenings: Sequence[ImportedListening], count: int
    ) -> Begun:
        """Note, before Jellyfin is told, what it is told and what it will count then.

        Args:
            user_id: Whose plays they are.
            device_id: Where they were heard.
            listenings: All of one item.
            count: What Jellyfin is to count when it was told.
        """
        rows = [
            {
                "user_id": user_id,
                "device_id": device_id,
                "item_id": one.item_id,
                "kind": one.mark.kind,
                "stamp": one.mark.stamp,
                "heard_s": one.mark.heard_s,
                "started_at": one.started_at,
                "ended_at": one.ended_at,
                "seconds_heard": one.seconds_heard,
                "count_after": count,
                "was_counted": one.was_counted,
            }
            for one in listenings
        ]
        with self._db.write():
            ids = [
                self._db.execute_returning(self._row.insert(row).returning(self._row.id))[0]["id"]
                for row in rows
            ]
            self._add_undated(device_id, listenings[0].item_id, listenings, -1)
        return Begun(listenings[0].item_id, count, tuple(ids), tuple(listenings))

    def list_begun(self, user_id: str, device_id: str) -> list[Begun]:
        """Return what was begun for a user and never done, item by item."""
        query = (
            self._row.select()
            .where(
                self._row.count_after.is_null(is_null=False),
                self._row.user_id == user_id,
                self._row.device_id == device_id,
            )
            .order_by(self._row.id)
        )
        together: dict[tuple[str, int], list[Row]] = {}
        for row in self._db.rows(query):
            together.setdefault((row["item_id"], row["count_after"]), []).append(row)
        return [
            Begun(item_id, count, tuple(one["id"] for one in rows), tuple(map(_to_listening, rows)))
            for (item_id, count), rows in together.items()
        ]

    def begin_again(self, begun: Begun, count: int) -> Begun:
        """Note another count for what was begun: Jellyfin had not heard of it."""
        with self._db.write():
            self._db.execute(self._row.update(count_after=count).where(self._match_ids(begun.ids)))
        return Begun(begun.item_id, count, begun.ids, begun.listenings)

    def split(self, begun: Begun) -> Iterator[Begun]:
        """Return each listening of what was begun as one of its own."""
        for row_id, one in zip(begun.ids, begun.listenings, strict=True):
            yield Begun(begun.item_id, begun.count, (row_id,), (one,))

    def mark_done(self, begun: Begun) -> None:
        """Record that Jellyfin has the plays."""
        with self._db.write():
            self._db.execute(self._row.update(count_after=None).where(self._match_ids(begun.ids)))

    def forget(self, begun: Begun) -> None:
        """Delete what could not be reported to Jellyfin."""
        with self._db.write():
            text = f"SELECT device_id FROM {self._row._meta.table_name} WHERE id = ?"  # noqa: S608, SLF001
            for (device_id,) in self._db.execute_sql(text, begun.ids[:1]):
                self._add_undated(device_id, begun.item_id, begun.listenings, 1)
            self._db.execute(peewee.ModelDelete(self._row).where(self._match_ids(begun.ids)))

    def _match_ids(self, ids: Iterable[int]) -> peewee.Expression:
        numbers = peewee.SQL(
            "(SELECT CAST(value AS INTEGER) FROM json_each(?))", [json.dumps(list(ids))]
        )
        return self._row.id.in_(numbers)

    def _add_undated(
        self, device_id: str, item_id: str, listenings: Iterable[ImportedListening], sign: int
    ) -> None:
        """Change how many plays a changelog has counted that no log has told."""
        plays = sign * sum(one.was_counted for one in listenings)
        if plays:
            self._db.execute_sql(ADD_UNDATED, (plays, device_id, item_id))


def _mark(row: Row) -> ImportedPlay:
    return ImportedPlay(LogKind(row["kind"]), row["stamp"], row["heard_s"])


def _to_listening(row: Row) -> ImportedListening:
    return ImportedListening(
        item_id=row["item_id"],
        mark=_mark(row),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        seconds_heard=row["seconds_heard"],
        was_counted=bool(row["was_counted"]),
    )
