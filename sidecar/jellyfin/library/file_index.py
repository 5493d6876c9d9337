"""Lists the whole library of an account, and reads samples of its files. Caches nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus

import requests
from urllib3.exceptions import HTTPError

from sidecar.bounded_http import open_session
from sidecar.domain.files.groups import Group
from sidecar.domain.items.item import PLAYABLE, Item
from sidecar.errors import ServerAway, UnexpectedAnswer
from sidecar.jellyfin.client import FULL_FIELDS, STABLE_ORDER, Jellyfin
from sidecar.jellyfin.http.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Query
from sidecar.jellyfin.library.groups import GroupLookup
from sidecar.jellyfin.listing import Listing, read_set
from sidecar.messages import msg

# For a whole library with sizes: few requests, each takes the server about a second.
PAGE_ITEMS = 200
# More of one title than that are no help.
MOST_TITLED = 100
EVERYTHING: Query = {
    "recursive": "true",
    "includeItemTypes": ",".join(sorted(PLAYABLE)),
    "excludeLocationTypes": "Virtual",
    "enableUserData": "false",
}


class ServerFileIndex:
    """The server's files as one account sees them. Raises what `Jellyfin` raises."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def all(self) -> Listing:
        """List all items that have a file of their own, without sizes and validators."""
        query = {**EVERYTHING, **STABLE_ORDER}
        return self._client.listing(read_set(self._client.pages("Items", query=query)))

    def all_full(self) -> Listing:
        """List the same with sizes and validators, in few requests."""
        query = {**EVERYTHING, **STABLE_ORDER, "fields": FULL_FIELDS}
        pages = self._client.pages("Items", query=query)
        return self._client.listing(read_set(pages, page_items=PAGE_ITEMS))

    def playlists(self) -> Listing:
        """List the playlists that the account sees."""
        query = {"recursive": "true", "includeItemTypes": "Playlist", **STABLE_ORDER}
        return self._client.listing(read_set(self._client.pages("Items", query=query)))

    def count(self) -> int:
        """Return how many of them there are."""
        return self._client.page("Items", query={**EVERYTHING, "limit": 1}).total_record_count

    def known(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of the ids, of items and containers, that exist on the server.

        Items that this account may not see are among them: this says nothing about its rights.
        """
        query: Query = {"enableUserData": "false", "enableImages": "false"}
        pages = self._client.pages_of(sorted(ids), query=query)
        return frozenset(one.id for page in pages for one in page.items if one is not None)

    def described(self, ids: Collection[str]) -> tuple[Item, ...]:
        """Return full items by their ids, those hidden from the account included."""
        return tuple(self._client.items(ids).values())

    def groups(self, items: Collection[Item]) -> Mapping[str, Group]:
        """Return the albums, seasons and books of full items, by the ids of the items."""
        return GroupLookup(self._client).of(items)

    def titled(self, title: str, kind: str) -> tuple[Item, ...]:
        """Search for full items of a kind by title."""
        query = {
            **EVERYTHING,
            "includeItemTypes": kind,
            "searchTerm": title,
            "fields": FULL_FIELDS,
            "limit": MOST_TITLED,
        }
        page = self._client.listed_page("Items", query=query)
        return tuple(one for one in page.items if one is not None)

    def sample(self, item_id: str, start: int, length: int, *, size: int) -> bytes | None:
        """Return some bytes of an item's file; None if the file is another one than expected.

        Args:
            item_id: Of which item.
            start: The first byte.
            length: How many.
            size: Of the whole file.

        Raises:
            ServerAway: It does not answer.
            UnexpectedAnswer: It answers with anything but these bytes.
        """
        connection = self._client.connection
        headers = {
            **self._client.authorization_header(),
            "Range": f"bytes={start}-{start + length - 1}",
            "Accept-Encoding": "identity",
        }
        with open_session(connection.ca_file) as session:
            try:
                # Not `/Download`: the server would record it in its activity log.
                with session.get(
                    connection.address.url("Items", item_id, "File"),
                    headers=headers,
                    timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    return _read_range(answer, start, length, size)
            except (requests.RequestException, HTTPError, OSError) as error:
                text = msg("Jellyfin at {server} does not answer", server=connection.address)
                raise ServerAway(text) from error


def _read_range(answer: requests.Response, start: int, length: int, size: int) -> bytes | None:
    if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}:
        return None
    told = answer.headers.get("Content-Range", "")
    if answer.status_code != HTTPStatus.PARTIAL_CONTENT or "text/html" in answer.headers.get(
        "Content-Type", ""
    ):
        raise UnexpectedAnswer(
            msg("Jellyfin answered {status} for a part of a file", status=answer.status_code)
        )
    if told != f"bytes {start}-{start + length - 1}/{size}":
        return None
    content = answer.raw.read(length, decode_content=False)
    return content if len(content) == length else None
