"""Changes playlists: adds, removes and moves entries, creates new ones and deletes them.

The server knows entries by ids of their own. What is there twice has one entry id for both.
"""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.batched import batched
from sidecar.domain.files.playlist_changes import plan_moves
from sidecar.domain.items.item import ItemType
from sidecar.jellyfin import models
from sidecar.jellyfin.client import IDS_PER_REQUEST, STABLE_ORDER, Jellyfin
from sidecar.jellyfin.http.connection import Body, Query
from sidecar.jellyfin.http.responses import Answer, Unconfirmed, check_answer, read

PAGE = 500
MOST_ENTRIES = 20_000
MOST_PLAYLISTS = 5000


class PlaylistEditor:
    """The playlists of one account. Raises what `Jellyfin` raises."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def entries(self, playlist_id: str) -> list[tuple[str, str]]:
        """Return the entries of a playlist in order: their own ids, and their items'."""
        found: list[tuple[str, str]] = []
        for start in range(0, MOST_ENTRIES, PAGE):
            query: Query = {"startIndex": start, "limit": PAGE}
            page = self._client.page("Playlists", playlist_id, "Items", query=query)
            found += ((one.playlist_item_id or one.id, one.id) for one in page.items if one)
            if not page.items or start + PAGE >= page.total_record_count:
                break
        return found

    def named(self, name: str) -> Sequence[str]:
        """Return the playlists of a name that the account sees, whoever made them."""
        found: list[str] = []
        kind: Query = {"recursive": "true", "includeItemTypes": ItemType.PLAYLIST, **STABLE_ORDER}
        for start in range(0, MOST_PLAYLISTS, PAGE):
            page = self._client.page("Items", query={**kind, "startIndex": start, "limit": PAGE})
            found += (one.id for one in page.items if one and one.name == name)
            if not page.items or start + PAGE >= page.total_record_count:
                break
        return found

    def create(self, name: str, item_ids: Sequence[str]) -> str:
        """Create a playlist that only its owner sees; return its id."""
        body: Body = {
            "Name": name,
            "Ids": list(item_ids),
            "UserId": self._client.user_id,
            "MediaType": "Audio",
            "IsPublic": False,
        }
        return read(self._send("POST", body=body), models.CREATED_PLAYLIST).id

    def delete(self, playlist_id: str) -> None:
        """Delete a playlist of the account."""
        answer = self._client.connection.send("DELETE", "Items", playlist_id)
        try:
            check_answer(answer)
        except Unconfirmed:
            # It says so of what is not the account's, too.
            self._client.me()
            raise

    def change(self, playlist_id: str, target: Sequence[str]) -> None:
        """Bring a playlist to these items in this order, with the fewest changes.

        An interrupted change is completed by the next one with the same target.
        """
        current = self.entries(playlist_id)
        wanted, there = set(target), {item_id for _, item_id in current}
        gone = [entry_id for entry_id, item_id in current if item_id not in wanted]
        for some in batched(dict.fromkeys(gone), IDS_PER_REQUEST):
            query: Query = {"entryIds": ",".join(some)}
            self._send("DELETE", playlist_id, "Items", query=query)
        missing = dict.fromkeys(one for one in target if one not in there)
        for some in batched(missing, IDS_PER_REQUEST):
            query = {"ids": ",".join(some), "userId": self._client.user_id or ""}
            self._send("POST", playlist_id, "Items", query=query)
        now = self.entries(playlist_id)
        entry_of = {item_id: entry_id for entry_id, item_id in now}
        for item_id, index in plan_moves([item_id for _, item_id in now], target):
            self._send("POST", playlist_id, "Items", entry_of[item_id], "Move", str(index))

    def _send(
        self, method: str, *path: str, query: Query | None = None, body: Body | None = None
    ) -> Answer:
        answer = self._client.connection.send(method, "Playlists", *path, query=query, body=body)
        check_answer(answer)
        return answer
