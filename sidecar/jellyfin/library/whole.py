"""Measures a library before all of it is fetched: how many files it holds, and how many bytes.

A small one is counted file by file. Of a large one some pages are read, spread over all of it, and
the size is estimated from them: reading each item would take the server minutes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sidecar.domain.items.item import PLAYABLE, Item
from sidecar.domain.items.kinds import MediaKind, is_taken
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.http.connection import Query

SAMPLES = 5
PAGE_ITEMS = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """The content of a library; `is_estimate` if not each file was asked for its size."""

    files: int
    bytes: int
    is_estimate: bool


def measure(client: Jellyfin, library: Item, kinds: Collection[MediaKind]) -> Measured:
    """Return what a library holds of these kinds of media; raises what `Jellyfin` raises."""
    types = sorted(one for one in PLAYABLE if is_taken(one, kinds))
    query: Query = {
        "parentId": library.id,
        "recursive": "true",
        "includeItemTypes": ",".join(types),
        "excludeLocationTypes": "Virtual",
        "sortBy": "SortName",
        "fields": "MediaSources",
        "enableUserData": "false",
        "enableImages": "false",
        "limit": PAGE_ITEMS,
    }
    first = client.listed_page("Items", query={**query, "startIndex": 0})
    total = first.total_record_count
    if total == 0:
        return _measure_members(client, library, kinds)
    pages = -(-total // PAGE_ITEMS)
    chosen = {number * (pages - 1) // SAMPLES for number in range(1, SAMPLES + 1)} - {0}
    seen = list(first.items)
    for number in sorted(chosen):
        start: Query = {"startIndex": number * PAGE_ITEMS}
        seen += client.listed_page("Items", query={**query, **start}).items
    sizes = [one.size or 0 for one in seen if one is not None]
    if len(sizes) >= total or not sizes:
        return Measured(total, sum(sizes), is_estimate=False)
    return Measured(total, total * sum(sizes) // len(sizes), is_estimate=True)


def _measure_members(client: Jellyfin, library: Item, kinds: Collection[MediaKind]) -> Measured:
    """Measure a library of playlists or collections, whose files are elsewhere."""
    ids = [one.id for one in client.expand(library).items if is_taken(one.type, kinds)]
    sample = ids[:: max(1, len(ids) // (SAMPLES * PAGE_ITEMS))]
    sizes = [one.size or 0 for one in client.items(sample).values()] if sample else []
    total = len(ids) * sum(sizes) // max(1, len(sizes))
    return Measured(len(ids), total, is_estimate=len(sizes) < len(ids))
