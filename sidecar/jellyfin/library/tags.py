"""A track's metadata on the server as tags, for files whose own are missing or broken."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.domain.formats.tags import Tags
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.mapping import to_item
from sidecar.jellyfin.models import BaseItem


class LibraryTags:
    """Fetches tags for one account. Raises what `Jellyfin` raises."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def of(self, item_id: str) -> Tags:
        """Return an item's tags, under the names of `domain.formats.tag_fields`.

        Raises:
            NotFound: The server does not know it, or hides it from this account.
        """
        return as_tags(self._client.base_item(item_id))


def as_tags(base: BaseItem) -> Tags:
    """Return an item as tags; what the server does not know is left out."""
    item = to_item(base)
    album_artists = [one.name for one in base.album_artists if one is not None]
    found = {
        "title": [base.name],
        "artist": base.artists,
        "albumartist": album_artists if any(album_artists) else [base.album_artist],
        "album": [base.album],
        "tracknumber": [_number(item.number)],
        "discnumber": [_number(item.disc)],
        "date": [_number(item.year)],
        "genre": base.genres,
    }
    return {name: values for name, told in found.items() if (values := _said(told))}


def _number(told: int | None) -> str | None:
    return str(told) if told else None


def _said(told: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(one.strip() for one in told if one and one.strip())
