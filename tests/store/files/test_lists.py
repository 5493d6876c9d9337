"""Lists of files, tiles and numbers say of each person what all rows say, looked at singly."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import product

import peewee

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.tiles import tile_key
from sidecar.domain.items.item import ItemType
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files.albums import AlbumIndex, Numbers
from sidecar.store.files.search import FileIndex
from tests.store.examples import ANN, BEN, CARD, STICK
from tests.store.schema.test_owners import CHANGES, CHOICES, OWNED

TEXTS = ("", "al", "alpha one", "one", "two beta", "zz")
TITLES: list[object] = ["Alpha One", "Beta One", "Alpha Two", "Beta Two"]
# Few rows go, so that there are some to be listed.
KEPT = [one for one in CHANGES if not one[0].startswith("DELETE FROM downloads")]
COME = [one for one in CHANGES if one[0].startswith("INSERT OR IGNORE INTO downloads")]
RETITLE = "UPDATE downloads SET title = ?1, search_key = lower(?1) WHERE item_id = ?2"
ARRIVE = "UPDATE downloads SET status = 'completed', missing_since = NULL WHERE item_id = ?"
MORE = [*KEPT, *COME * 8, *[(RETITLE, "title item"), (ARRIVE, "item")] * 5]


@dataclass
class Rows:
    """All rows, looked at one by one."""

    rows: list[Download]
    owners: Mapping[int, set[str]]

    def of(self, viewer: str | None, device: str | None) -> list[Download]:
        """Return those of a person and a device, the newest first; None means any."""
        return [
            one
            for one in self.rows
            if (viewer is None or viewer in self.owners[one.id]) and device in {None, one.device_id}
        ]


def read_all(db: Database, downloads: Downloads) -> Rows:
    owners: dict[int, set[str]] = {}
    for row_id, user_id, *_ in db.sql(OWNED):
        owners.setdefault(row_id, set()).add(user_id)
    rows = [downloads.queries.get(one) for (one,) in db.sql("SELECT id FROM downloads")]
    return Rows(sorted((one for one in rows if one), key=lambda one: -one.id), owners)


def test_lists_say_the_same_as_all_rows(db: Database, downloads: Downloads) -> None:
    chance, seen = random.Random(3), 0
    for number in range(250):
        change(db, chance)
        if number % 5 == 0:
            there = read_all(db, downloads)
            seen += check_files(db, there)
            check_counts(downloads, there)
    assert seen > 500


def change(db: Database, chance: random.Random) -> None:
    sql, values = chance.choice(MORE)
    given = [chance.choice(TITLES if one == "title" else CHOICES[one]) for one in values.split()]
    if db.dialect.skip_locked:
        sql = sql.replace("UPDATE OR IGNORE", "UPDATE")
    with suppress(peewee.IntegrityError), db.write():
        db.sql(sql, given)
    with db.write():
        # As each change of a state does.
        db.sql("UPDATE downloads SET missing_since = NULL WHERE status <> 'completed'")


def check_files(db: Database, there: Rows) -> int:
    """Compare files and tiles; return how many files were listed."""
    shelf, albums, seen = FileIndex(db), AlbumIndex(db), 0
    for viewer, text, device, kinds in product(
        (None, ANN, BEN), TEXTS, (None, STICK), (frozenset[str](), frozenset({ItemType.AUDIO}))
    ):
        which = DownloadFilter(viewer=viewer, text=text, device_id=device, item_types=kinds)
        right = [
            one
            for one in there.of(viewer, device)
            if one.status is Status.COMPLETED
            and one.missing_since is None
            and begin_words(one, text)
            and (not kinds or one.item_type in kinds)
        ]
        newest: dict[str, int] = {}
        for one in right:
            newest.setdefault(tile_key(one), one.id)
        found, total = shelf.page(which, 1, 100)
        tiles, numbers = albums.page(which, 1, 100)
        assert ([one.id for one in found], total) == ([one.id for one in right], len(right)), which
        assert {one.key: one.newest.id for one in tiles} == newest, which
        assert numbers == albums.numbers(which) == Numbers(len(newest), len(right)), which
        if not text:
            first = [one.newest.id for one in albums.newest(which, 100)]
            assert first == sorted(newest.values(), reverse=True)
        seen += len(right)
    return seen


def check_counts(downloads: Downloads, there: Rows) -> None:
    for viewer, text, device, left_out in product(
        (None, ANN, BEN), TEXTS, (None, STICK), (frozenset[str](), frozenset({CARD}))
    ):
        which = DownloadFilter(viewer=viewer, text=text, device_id=device, left_out=left_out)
        right = Counter(
            "missing" if one.missing_since else str(one.status)
            for one in there.of(viewer, device)
            if one.device_id not in left_out
            and all(word in one.title.casefold() for word in text.split())
        )
        assert Counter(downloads.queries.counts(which)) == right, which


def begin_words(one: Download, text: str) -> bool:
    words = one.title.casefold().split()
    return all(any(word.startswith(want) for word in words) for want in text.split())
