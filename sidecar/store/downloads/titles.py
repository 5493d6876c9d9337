"""Reads downloads by title: what several devices want of one item belongs together.

    downloads in their order    a/stick  b/stick  a/card  c/card
    titles                      a (stick, card)   b (stick)   c (card)

A title stands where the first of its downloads stands, its leader. Only leaders are cut into pages.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.domain.downloads.download import Download
from sidecar.domain.downloads.sorting import Sort
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter, build_conditions
from sidecar.store.downloads.queries import (
    LISTED,
    DownloadQueries,
    count_listed,
    from_columns,
    in_order,
    name_index,
)

# In longer lists titles are counted only as far as it takes no look at each row.
COUNTED_AT_MOST = 5000
USED_DEVICES = "SELECT count(DISTINCT device_id) FROM tallies WHERE files > 0"
# Device by device, so that each copy is found by the key that has both.
OF_ITEMS = f"""{LISTED} AND d.id IN (SELECT copy.id FROM json_each(?) AS asked
    CROSS JOIN devices AS one ON TRUE CROSS JOIN downloads AS copy
    ON copy.device_id = one.id AND copy.item_id = asked.value)"""  # noqa: S608 - ours


@dataclass(frozen=True, slots=True)
class Titles:
    """A page of titles.

    Attributes:
        rows: The downloads of each title that match, in the order of their ids.
        following: The download that the next page begins with; None on the last one.
        files: How many downloads all pages have.
        total: How many titles all pages have; None where that would take long to count.
    """

    rows: Sequence[Sequence[Download]]
    following: Download | None
    files: int
    total: int | None


class TitleQueries:
    """Lists downloads by title. Safe to use from any thread."""

    def __init__(self, db: Database, downloads: DownloadQueries) -> None:
        self._db = db
        self._downloads = downloads

    def page(
        self, which: DownloadFilter, page: int, page_size: int, *, sort: Sort = Sort.NEWEST
    ) -> Titles:
        """Return one page of a list; one behind the last is empty and knows the total.

        Args:
            which: What is listed.
            page: From 1.
            page_size: The most titles on a page.
            sort: The order.
        """
        before = (page - 1) * page_size
        with self._db.read():
            files = count_listed(which, self._downloads.counts(which))
            index = name_index(which, files)
            leaders = self._list_leaders(which, index, sort, before, page_size + 1)
            found = self._read_members(which, [item_id for item_id, _ in leaders])
            if len(leaders) <= page_size and (leaders or not before):
                total: int | None = before + len(leaders)
            else:
                total = self._count(which, files, is_quick=bool(leaders))
        following = None
        if len(leaders) > page_size:
            item_id, first = leaders.pop()
            following = next(one for one in found[item_id] if one.id == first)
        return Titles([found[item_id] for item_id, _ in leaders], following, files, total)

    def rank(self, which: DownloadFilter, download_id: int, *, sort: Sort) -> int | None:
        """Return the place of a download's title in this list, from 1; None if it is not in it."""
        asked = build_conditions(which)
        rows = self._db.sql(
            "WITH ranked AS MATERIALIZED (SELECT d.id AS id, d.item_id AS item_id,"  # noqa: S608 - ours
            f" row_number() OVER (ORDER BY {in_order(sort)}) AS rank"
            f" FROM downloads AS d WHERE TRUE{asked.text})"
            " SELECT count(DISTINCT item_id) FROM ranked WHERE rank <="
            " (SELECT min(rank) FROM ranked"
            " WHERE item_id = (SELECT item_id FROM ranked WHERE id = ?))",
            (*asked.values, download_id),
        )
        return rows[0][0] or None

    def _list_leaders(
        self, which: DownloadFilter, index: str, sort: Sort, before: int, most: int
    ) -> list[tuple[str, int]]:
        """Return the items of some titles, each with the first of its downloads."""
        asked = build_conditions(which)
        # By their ids first: so the sort needs no more than its index has.
        ids = (
            f"SELECT d.id FROM downloads AS d{index} WHERE TRUE{asked.text}"  # noqa: S608 - ours
            f" ORDER BY {in_order(sort)} LIMIT ?"
        )
        text = (
            f"SELECT d.item_id, d.id FROM downloads AS d WHERE d.id IN ({ids})"  # noqa: S608 - ours
            f" ORDER BY {in_order(sort)}"
        )
        looked_at = before + most
        while True:
            # More than there are titles, for copies; a second look where there are many.
            looked_at *= 2
            rows = self._db.sql(text, (*asked.values, looked_at))
            first: dict[str, int] = {}
            for item_id, download_id in rows:
                first.setdefault(item_id, download_id)
            if len(first) >= before + most or len(rows) < looked_at:
                return list(first.items())[before : before + most]

    def _read_members(
        self, which: DownloadFilter, item_ids: Sequence[str]
    ) -> dict[str, list[Download]]:
        asked = build_conditions(which)
        found = defaultdict(list)
        values = (json.dumps(item_ids), *asked.values)
        for row in self._db.sql(f"{OF_ITEMS}{asked.text} ORDER BY d.id", values):
            one = from_columns(row)
            found[one.item_id].append(one)
        return found

    def _count(self, which: DownloadFilter, files: int, *, is_quick: bool) -> int | None:
        """Count the titles of a list; if it has to be quick, only where few rows are looked at."""
        if which.device_id is not None:
            return files
        if is_quick and files > COUNTED_AT_MOST:
            return files if self._db.sql(USED_DEVICES, ())[0][0] <= 1 else None
        asked = build_conditions(which)
        index = name_index(which, files)
        text = f"SELECT count(DISTINCT d.item_id) FROM downloads AS d{index} WHERE TRUE{asked.text}"  # noqa: S608 - ours
        total: int = self._db.sql(text, asked.values)[0][0]
        return total
