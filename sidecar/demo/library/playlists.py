"""Playlists: an owner, an order, and whether everybody may see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sidecar.demo.library.items import BaseItemKind, DemoItem
from sidecar.demo.library.naming import item_id, playlist_path, sort_name
from sidecar.demo.protocol.formats import Json, add_dashes, now, parse_date


@dataclass(slots=True)
class DemoPlaylist:
    """One playlist; `item_ids` in its order, and the same one may be there twice."""

    id: str
    name: str
    owner_id: str
    path: str
    item_ids: list[str] = field(default_factory=list)
    is_public: bool = True
    created: str = field(default_factory=lambda: now().isoformat())

    def to_item(self) -> DemoItem:
        """Return it as an entry of the library."""
        return DemoItem(
            id=self.id,
            kind=BaseItemKind.PLAYLIST,
            name=self.name,
            sort_name=sort_name(self.name),
            path=self.path,
            key=add_dashes(self.id),
            created=parse_date(self.created),
        )

    def is_visible_to(self, user_id: str) -> bool:
        """Whether a user may see it."""
        return self.is_public or self.owner_id == user_id

    def add(self, item_ids: list[str], position: int | None) -> None:
        """Put items at a position, or at the end."""
        at = len(self.item_ids) if position is None else max(0, position)
        self.item_ids[at:at] = item_ids

    def remove(self, entry_ids: list[str]) -> None:
        """Remove entries by id; an item that is there twice has one entry id: both are removed."""
        self.item_ids = [one for one in self.item_ids if one not in entry_ids]

    def move(self, entry_id: str, position: int) -> bool:
        """Move an entry; return whether it was there."""
        if entry_id not in self.item_ids:
            return False
        self.item_ids.remove(entry_id)
        self.item_ids.insert(min(max(0, position), len(self.item_ids)), entry_id)
        return True


class DemoPlaylists:
    """All playlists of the server."""

    def __init__(self) -> None:
        self.by_id: dict[str, DemoPlaylist] = {}

    def create(
        self, name: str, owner_id: str, item_ids: list[str], *, is_public: bool = True
    ) -> DemoPlaylist:
        """Create a playlist; if its name is taken, only its path gets a number."""
        path = next(
            one for one in _paths(name) if item_id(BaseItemKind.PLAYLIST, one) not in self.by_id
        )
        made = DemoPlaylist(
            item_id(BaseItemKind.PLAYLIST, path), name, owner_id, path, list(item_ids), is_public
        )
        self.by_id[made.id] = made
        return made

    def visible_to(self, user_id: str) -> Iterator[DemoPlaylist]:
        """Yield the playlists that a user may see."""
        return (one for one in self.by_id.values() if one.is_visible_to(user_id))

    def to_json(self) -> list[Json]:
        """Return all of them as JSON, to be stored."""
        return [asdict(one) for one in self.by_id.values()]

    def restore(self, saved: list[dict[str, Any]]) -> None:
        """Replace all playlists by stored ones."""
        self.by_id = {one["id"]: DemoPlaylist(**one) for one in saved}


def _paths(name: str) -> Iterator[str]:
    yield playlist_path(name)
    number = 1
    while True:
        yield playlist_path(f"{name}{number}")
        number += 1
