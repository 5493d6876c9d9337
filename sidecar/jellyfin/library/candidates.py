"""Lists the tracks of a library that may fill a device, in a bounded number of requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.domain.items.item import Item
from sidecar.errors import NotAllowed, NotFound, UnexpectedAnswer
from sidecar.jellyfin.client import FULL_FIELDS, PRIMARY_IMAGE_ONLY, Jellyfin
from sidecar.jellyfin.http.connection import Query

PAGE_ITEMS = 500
MOST_SUGGESTED = 30
# What was played last comes first, then what is new: what is left out of a huge library is neither.
TRACKS: Query = {
    "recursive": "true",
    "includeItemTypes": "Audio",
    "excludeLocationTypes": "Virtual",
    "fields": f"{FULL_FIELDS},Genres,DateCreated",
    "sortBy": "DatePlayed,DateCreated",
    "sortOrder": "Descending",
    **PRIMARY_IMAGE_ONLY,
}


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """A track with what only the choice of what fills a device needs of it.

    Attributes:
        added: The day when it came to the library, as `date.toordinal` numbers it.
    """

    item: Item
    genre: str | None
    added: int | None


@dataclass(frozen=True, slots=True)
class ListedTracks:
    """Tracks of a library.

    Attributes:
        is_whole: There are no others.
    """

    tracks: tuple[ListedTrack, ...]
    is_whole: bool


class FillCandidates:
    """The tracks that one account may have. Raises what `Jellyfin` raises."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def list_tracks(self, most_requests: int) -> ListedTracks:
        """List tracks, those played last first, in so many requests at most."""
        found: dict[str, ListedTrack] = {}
        for number in range(most_requests):
            start = number * PAGE_ITEMS
            place: Query = {"startIndex": start, "limit": PAGE_ITEMS}
            page = self._client.page("Items", query={**TRACKS, **place})
            listed = self._client.to_listed(page).items
            for base, item in zip(page.items, listed, strict=True):
                if base is None or item is None or not item.is_playable:
                    continue
                genre = next((one for one in base.genres if one), None)
                added = base.date_created.toordinal() if base.date_created else None
                found.setdefault(item.id, ListedTrack(item, genre, added))
            if start + PAGE_ITEMS >= page.total_record_count or not page.items:
                return ListedTracks(tuple(found.values()), is_whole=True)
        return ListedTracks(tuple(found.values()), is_whole=False)

    def list_similar(self, item_id: str) -> Sequence[str]:
        """Return the ids of what the server calls similar to an item; one request."""
        return self._list_suggested("Items", item_id, "Similar")

    def list_mixed(self, item_id: str) -> Sequence[str]:
        """Return the ids of what the server mixes with an item, by chance; one request."""
        return [
            one for one in self._list_suggested("Items", item_id, "InstantMix") if one != item_id
        ]

    def _list_suggested(self, *path: str) -> Sequence[str]:
        """Return nothing if the server does not tell: that is only one more sign of a taste."""
        query: Query = {"limit": MOST_SUGGESTED, "enableImages": "false"}
        try:
            page = self._client.page(*path, query=query)
        except (NotFound, NotAllowed, UnexpectedAnswer):
            return ()
        return [one.id for one in page.items if one is not None]
