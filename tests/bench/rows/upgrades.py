"""How long an update of a hundred thousand downloads takes, from each version of the tables.

    python -m tests.bench.rows.upgrades                       from each version: minutes
    python -m tests.bench.rows.upgrades --from 1 20           from some
    python -m tests.bench.rows.upgrades --count 10000         with fewer

A database of the old version gets the rows that its tables could hold, and is opened as a start of
the sidecar opens it. A row that is lost or changed ends it with an error.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path

from sidecar.clock import SystemClock
from sidecar.store.database import Database
from sidecar.store.schema.migrations import STEPS, list_copies
from tests.store.examples import ANN, STICK, item_id
from tests.store.schema.test_upgrades import DONE, Values, columns, download, tables, written

BATCH = 5_000
FIRST = 1_000
# Of these there is one for each download.
KEPT = ("downloads", "holds", "plays")


def main() -> int:
    """Measure and print a line for each version."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rows.upgrades")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--from", dest="steps", nargs="+", type=int, default=range(1, len(STEPS)))
    asked = parser.parse_args()
    print(f"{asked.count} downloads, as many reasons and plays, to version {len(STEPS)}")
    print("version      MB   copy and update, s   start of today's version, s", flush=True)
    with tempfile.TemporaryDirectory(prefix="sidecar-upgrades-") as folder:
        for step in asked.steps:
            _measure(Path(folder) / f"{step}.db", step, asked.count)
    return 0


def _measure(path: Path, step: int, count: int) -> None:
    there = written(path, step)
    _fill(path, there, count)
    before = _digest(path, there)
    megabytes = path.stat().st_size / 1e6
    took, again = _open(path), _open(path)
    (copy,) = list_copies(path)
    assert _digest(path, there) == before, f"from {step}: rows were lost or changed"
    assert _digest(copy, there) == before, f"from {step}: the copy is another one"
    print(f"{step:7}  {megabytes:6.0f}  {took:19.1f}  {again:27.2f}", flush=True)
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def _open(path: Path) -> float:
    began = time.perf_counter()
    Database.open(path, clock=SystemClock()).close()
    return time.perf_counter() - began


def _rows(count: int) -> Iterator[tuple[str, Values]]:
    for number in range(FIRST, FIRST + count):
        yield "downloads", download(number, "completed", **DONE)
        yield (
            "holds",
            {
                "id": number,
                "user_id": ANN,
                "device_id": STICK,
                "item_id": item_id(number),
                "rule": "favourites",
                "source_id": item_id(number),
                "text": "a favourite of yours",
            },
        )
        yield (
            "plays",
            {
                "id": number,
                "user_id": ANN,
                "item_id": item_id(number),
                "title": f"Tóne {number}",
                "album_id": item_id(900),
                "session_id": "s1",
                "started_at": number,
                "ended_at": number + 1,
                "position_s": 30.0,
                "seconds_heard": 30.0,
                "counts": 1,
            },
        )


def _fill(path: Path, there: Mapping[str, list[str]], count: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        rows = _rows(count)
        while batch := list(islice(rows, BATCH)):
            connection.execute("BEGIN")
            for table, row in batch:
                _insert(connection, table, row, there)
            connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert {*tables(connection)} == {*there}
        assert columns(connection, "downloads") == there["downloads"]


def _insert(
    connection: sqlite3.Connection, table: str, row: Values, there: Mapping[str, list[str]]
) -> None:
    known = {name: value for name, value in row.items() if name in there.get(table, ())}
    if known:
        names, marks = ", ".join(known), ", ".join("?" * len(known))
        connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
            list(known.values()),
        )


def _digest(path: Path, there: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return something that differs when a row of the big tables does."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: hash(
                tuple(
                    connection.execute(
                        f"SELECT {', '.join(there[table])} FROM {table} ORDER BY id"  # noqa: S608
                    )
                )
            )
            for table in KEPT
            if table in there
        }


if __name__ == "__main__":
    sys.exit(main())
