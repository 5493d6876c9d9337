"""Reads downloads by title: what several devices want of one item belongs together.

    downloads in their order    a/stick  b/stick  a/card  c/card
    titles                      a (stick, card)   b (stick)   c (card)

A title stands where the first of its downloads stands, its leader. Only leaders are counted and cut
into pages. What has no copies (`schema.owners`) is a leader without a look at others, and how many
files that are there follow one is kept (`schema.own_copies`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.store.database import Database
from sidecar.store.downloads.filter import (
    DownloadFilter,
    Statement,
    build_conditions,
    join_statements,
    name_table,
)
from sidecar.store.downloads.queries import (
    NAMES,
    ORDERS,
    DownloadQueries,
    count_listed,
    cut_page,
    from_columns,
    in_order,
    list_copied,
)
from sidecar.store.schema.own_copies import EVERYBODY

COPIES = "downloads AS copy INDEXED BY downloads_with_copies"
# What is in the index, in its order: no row is read, and nothing sorted.
COPIES_OF_TITLES = """SELECT count(*) AS files FROM downloads AS d INDEXED BY downloads_with_copies
    WHERE d.has_copies = 1"""
ARRIVED = frozenset({Status.COMPLETED})
KEPT_FOLLOWERS = """SELECT CAST(coalesce(sum(files - 1), 0) AS INTEGER) FROM own_copies
    WHERE user_id = ? AND files > 1"""
# Those of `chosen`, and all downloads of the same items.
WITH_COPIES = f"""listed (download_id) AS (SELECT id FROM chosen UNION SELECT copy.id FROM chosen
    CROSS JOIN downloads AS one ON one.id = chosen.id
    CROSS JOIN {COPIES} ON copy.has_copies = 1 AND copy.item_id = one.item_id)"""  # noqa: S608 - ours
# In this order: SQLite would walk through an index that has all of a state in the list's order.
OF_THEM = "FROM listed CROSS JOIN downloads AS d ON d.id = listed.download_id WHERE TRUE"
CHOSEN = f"WITH chosen AS (SELECT CAST(? AS INTEGER) AS id), {WITH_COPIES}"


@dataclass(frozen=True, slots=True)
class Titles:
    """A page of titles.

    Attributes:
        rows: The downloads of each title that match, in the order of their ids.
        following: The download that the next page begins with; None on the last one.
        files: How many downloads all pages have.
        total: How many titles all pages have.
    """

    rows: Sequence[Sequence[Download]]
    following: Download | None
    files: int
    total: int


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
            total = files - self._count_followers(which)
            if total <= before:
                return Titles([], None, files, total)
            asked = build_conditions(which)
            leaders = join_statements(
                [
                    self._downloads.source(which, files, sort),
                    asked,
                    _build_leader_condition(which, sort),
                    cut_page(sort, total, before, page_size + 1),
                ]
            )
            rows = self._db.sql(
                f"WITH chosen AS MATERIALIZED (SELECT d.id AS id {leaders.text}),"
                f" {WITH_COPIES} SELECT {NAMES} {OF_THEM}{asked.text} ORDER BY {in_order(sort)}",
                (*leaders.values, *asked.values),
            )
        titles: dict[str, list[Download]] = {}
        for one in map(from_columns, rows):
            titles.setdefault(one.item_id, []).append(one)
        found = list(titles.values())
        following = found.pop()[0] if len(found) > page_size else None
        return Titles(
            [sorted(one, key=lambda row: row.id) for one in found], following, files, total
        )

    def copies(self, which: DownloadFilter, download_id: int) -> Sequence[Download]:
        """Return the downloads of a download's title in this list; none if it is not in it."""
        asked = build_conditions(which)
        found = [
            from_columns(row)
            for row in self._db.sql(
                f"{CHOSEN} SELECT {NAMES} {OF_THEM}{asked.text} ORDER BY d.id",
                (download_id, *asked.values),
            )
        ]
        return found if any(one.id == download_id for one in found) else []

    def rank(self, which: DownloadFilter, download_id: int, *, sort: Sort) -> int | None:
        """Return the place of a download's title in this list, from 1; None if it is not in it."""
        asked = build_conditions(which)
        keys = ", ".join(key for key, _ in ORDERS[sort])
        with self._db.read():
            rows = self._db.sql(
                f"{CHOSEN} SELECT d.id, {keys} {OF_THEM}{asked.text} ORDER BY {in_order(sort)}",
                (download_id, *asked.values),
            )
            if download_id not in {found for found, *_ in rows}:
                return None
            _, *leader = rows[0]
            earlier = join_statements(
                [
                    asked,
                    _build_leader_condition(which, sort),
                    _build_earlier_condition(sort, leader),
                ]
            )
            text = f"SELECT count(*) FROM downloads AS d WHERE TRUE{earlier.text}"  # noqa: S608 - ours
            return 1 + int(self._db.sql(text, earlier.values)[0][0])

    def _count_followers(self, which: DownloadFilter) -> int:
        """Return how many downloads of a list are no leaders."""
        if which.device_id is not None:
            return 0
        if which.text:
            copied = list_copied(which, self._downloads.matches(which))
            return len(copied) - len(set(copied))
        if which == DownloadFilter(statuses=ARRIVED, viewer=which.viewer):
            whose = EVERYBODY if which.viewer is None else which.viewer
            kept: int = self._db.sql(KEPT_FOLLOWERS, (whose,))[0][0]
            return kept
        asked = build_conditions(which)
        text = (
            "SELECT CAST(coalesce(sum(files - 1), 0) AS INTEGER)"  # noqa: S608 - ours
            f" FROM ({COPIES_OF_TITLES}{asked.text} GROUP BY d.item_id) AS titles"
        )
        followers: int = self._db.sql(text, asked.values)[0][0]
        return followers


def _build_leader_condition(which: DownloadFilter, sort: Sort) -> Statement:
    """Return the condition that a download of a list is the first of its title there."""
    if which.device_id is not None:
        return Statement("", ())
    asked = build_conditions(which).of("copy")
    text = f""" AND (d.has_copies = 0 OR d.id = (SELECT copy.id FROM {COPIES}
        WHERE copy.has_copies = 1 AND copy.item_id = d.item_id{asked.text}
        ORDER BY {name_table(in_order(sort), "copy")} LIMIT 1))"""  # noqa: S608 - ours
    return Statement(text, asked.values)


def _build_earlier_condition(sort: Sort, keys: Sequence[object]) -> Statement:
    """Return the condition that a download stands before what has these keys of the order."""
    (*first, (last, is_descending)), (*values, value) = ORDERS[sort], keys
    found = Statement(f"{last} {'>' if is_descending else '<'} ?", (value,))
    for (key, descends), given in zip(reversed(first), reversed(values), strict=True):
        text = f"({key} {'>' if descends else '<'} ? OR ({key} = ? AND {found.text}))"
        found = Statement(text, (given, given, *found.values))
    return Statement(f" AND {found.text}", found.values)
