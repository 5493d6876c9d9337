"""Looks up what decides the names of files: album items, the folders of books, and their contents.

files ─▶ their albums and folders, a hundred to a request
      └▶ what else is in each album, season or book: one short list, unless all of it is known
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from sidecar.batched import batched
from sidecar.domain.files.groups import Container, Group, group_id, make_groups
from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import NotAllowed, NotFound, UnexpectedAnswer
from sidecar.jellyfin.client import IDS_PER_REQUEST, PRIMARY_IMAGE_ONLY, Jellyfin
from sidecar.jellyfin.mapping import to_item
from sidecar.jellyfin.models import BaseItem

FOLDER = "Folder"


class GroupLookup:
    """The albums, seasons and books of files, as one account sees them.

    Raises what `Jellyfin` raises, but no `NotFound`.
    """

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def of(self, items: Collection[Item], known: Iterable[Item] = ()) -> Mapping[str, Group]:
        """Return the group of each of these files, by its id.

        Args:
            items: Full items.
            known: Other items of the same albums, seasons and books, as far as they were listed.
        """
        kinds = {its: one.type for one in items if (its := group_id(one)) is not None}
        named = {its for its, kind in kinds.items() if kind is not ItemType.EPISODE}
        bases = self._bases(named)
        authors = self._authors([bases[its] for its in sorted(named & bases.keys())], kinds)
        containers = {
            its: _to_container(base, authors.get(base.parent_id or ""))
            for its, base in bases.items()
        }
        fellows = {one.id: one for one in (*known, *items)}
        counts = Counter(map(group_id, fellows.values()))
        for its, kind in kinds.items():
            base = bases.get(its)
            is_known = base is not None and base.recursive_item_count == counts[its]
            if kind is not ItemType.AUDIO or not is_known:
                fellows |= {one.id: one for one in self._members(its, kind)}
        return make_groups(items, fellows.values(), containers)

    def _bases(self, ids: Iterable[str]) -> dict[str, BaseItem]:
        query = {"fields": "ParentId,Path,RecursiveItemCount", **PRIMARY_IMAGE_ONLY}
        found: dict[str, BaseItem] = {}
        for batch in batched(sorted(ids), IDS_PER_REQUEST):
            try:
                for page in self._client.pages_of(batch, query=query):
                    found |= {one.id: one for one in page.items if one is not None}
            except (NotFound, NotAllowed, UnexpectedAnswer):
                continue
        return found

    def _authors(
        self, folders: Iterable[BaseItem], kinds: Mapping[str, ItemType]
    ) -> dict[str, str]:
        """Return the names of the folders above those of books; not of a library's own folder."""
        books = [one for one in folders if kinds[one.id] is ItemType.AUDIO_BOOK]
        above = self._bases(one.parent_id for one in books if one.parent_id)
        roots = self._bases(one.parent_id for one in above.values() if one.parent_id)
        return {
            one.id: one.name
            for one in above.values()
            if one.type == FOLDER
            and one.name
            and (root := roots.get(one.parent_id or "")) is not None
            and root.type == FOLDER
        }

    def _members(self, its_id: str, kind: ItemType) -> Iterable[Item]:
        query = {"parentId": its_id, "includeItemTypes": kind.value}
        if kind is ItemType.AUDIO_BOOK:
            query["fields"] = "ParentId,Path"
        try:
            return self._client.files(query).entries
        except (NotFound, NotAllowed, UnexpectedAnswer):
            # Names need not wait for it: those of the file itself are used.
            return ()


def _to_container(base: BaseItem, author: str | None) -> Container:
    item = to_item(base)
    is_folder = base.type == FOLDER
    return Container(
        title=item.title,
        artist=author if is_folder else item.album_artist,
        year=None if is_folder else item.year,
        path=base.path if is_folder else None,
    )
