"""Every list of downloads behind `GET /api/v1/downloads`, asked for at the desk itself.

And the same by title, as the page shows them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

from sidecar.domain.downloads.download import Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.items.item import ItemType
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.listing import DownloadListing
from sidecar.services.downloads.views import DownloadQuery
from sidecar.services.files.search import FileQuery
from sidecar.web.pages.downloads.view import GROUPS, STATUSES, USUAL_ROWS, Tab, sorts_of
from tests.bench.rows.household import opened
from tests.bench.rows.large import ADMIN, PEOPLE, Household
from tests.bench.timing import Ask, compare, table

EVE = Person(ADMIN, "eve", is_admin=True)
ANN = Person(PEOPLE["ann"], "ann", is_admin=False)
BARE = "SELECT * FROM downloads ORDER BY id DESC LIMIT 10"
PEER = "bare SELECT"
WORDS = ("träume 4242", "band 77", "album", "nothing like it")


def measure(household: Household, rounds: int) -> None:
    """Print a table for the admin, who sees all, and one for a person who sees their own."""
    with (
        opened(household) as (services, store),
        closing(sqlite3.connect(store.db.path)) as bare,
    ):
        devices = [one.id for one in services.devices.registry.all()]

        def peer() -> object:
            return bare.execute(BARE).fetchall()

        for person in (EVE, ANN):
            asks: dict[str, Ask] = {}
            for name, query in _queries(devices, is_admin=person.is_admin):
                asks |= _both_ends(services.web.downloads, person, name, query)
            table(f"Lists, for {_called(person)}", PEER, compare(asks, peer, rounds))
            by_title: dict[str, Ask] = {}
            for tab in Tab:
                for sort in sorts_of(tab):
                    query = DownloadQuery(statuses=STATUSES[tab], sort=sort, page_size=USUAL_ROWS)
                    by_title |= _throughout(services.web.downloads, person, f"{tab}, {sort}", query)
            table(f"By title, for {_called(person)}", PEER, compare(by_title, peer, rounds))
            others: dict[str, Ask] = {
                "counts, all": partial(services.web.downloads.counts, person),
                "counts, a word": partial(
                    services.web.downloads.counts, person, DownloadQuery(text="träume")
                ),
                "bytes waiting": partial(services.web.downloads.bytes_waiting, person),
                "devices": partial(services.web.devices.devices, person),
                "notices": partial(services.web.notices.notices, person),
            }
            for words in ("", *WORDS):
                asked = FileQuery(text=words, page_size=10)
                search, tiles = services.web.file_search.files, services.web.files.tiles
                others[f"offline, {words!r}"] = partial(search, person, asked)
                others[f"tiles, {words!r}"] = partial(tiles, person, asked)
            table(f"Beside lists, for {_called(person)}", PEER, compare(others, peer, rounds))


def _queries(devices: list[str], *, is_admin: bool) -> Iterator[tuple[str, DownloadQuery]]:
    for sort in Sort:
        yield f"everything, {sort}", DownloadQuery(sort=sort)
    for tab in Tab:
        for sort in Sort:
            yield f"tab {tab}, {sort}", DownloadQuery(statuses=STATUSES[tab], sort=sort)
    for status in Status:
        yield f"state {status}", DownloadQuery(statuses=frozenset({status}))
    for device, name in zip(devices, ("62 %", "25 %", "13 %"), strict=True):
        yield f"device of {name}", DownloadQuery(device_id=device)
        yield f"device of {name}, completed", DownloadQuery(device_id=device, statuses=_DONE)
    for group, kinds in GROUPS.items():
        yield f"kind {group}", DownloadQuery(item_types=kinds)
        yield f"kind {group}, completed", DownloadQuery(item_types=kinds, statuses=_DONE)
    yield (
        "kind Movie, by title",
        DownloadQuery(item_types=frozenset({ItemType.MOVIE}), sort=Sort.TITLE),
    )
    if is_admin:
        for owners in (("ann",), ("dov",), ("ann", "ben"), ("nobody",)):
            yield f"owners {'+'.join(owners)}", DownloadQuery(owners=owners)
            yield (
                f"owners {'+'.join(owners)}, completed",
                DownloadQuery(owners=owners, statuses=_DONE),
            )
    for words in WORDS:
        yield f"words {words!r}", DownloadQuery(text=words)
        yield f"words {words!r}, by title", DownloadQuery(text=words, sort=Sort.TITLE)


_DONE = frozenset({Status.COMPLETED})


def _both_ends(
    desk: DownloadListing, person: Person, name: str, query: DownloadQuery
) -> dict[str, Ask]:
    last = max(1, -(-desk.downloads(person, query).total // query.page_size))
    asks: dict[str, Ask] = {name: partial(desk.downloads, person, query)}
    if last > 1:
        at_end = replace(query, page=last)
        asks[f"{name}, page {last}"] = partial(desk.downloads, person, at_end)
    return asks


def _throughout(
    desk: DownloadListing, person: Person, name: str, query: DownloadQuery
) -> dict[str, Ask]:
    """The first, the middle and the last page of titles, and where a title of the middle one is."""
    asks: dict[str, Ask] = {name: partial(desk.titles, person, query)}
    last = -(-desk.titles(person, query).total // query.page_size)
    for page in sorted({last // 2, last} - {0, 1}):
        there = replace(query, page=page)
        asks[f"{name}, page {page}"] = partial(desk.titles, person, there)
        one = desk.titles(person, there).rows[0][0].id
        asks[f"{name}, place of one on page {page}"] = partial(desk.rank, person, query, one)
    return asks


def _called(person: Person) -> str:
    return "the admin" if person.is_admin else "a person with two fifths of it"
