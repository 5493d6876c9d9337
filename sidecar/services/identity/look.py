"""Checks whether the server still knows the items of our files, with few requests.

    few files and few new items ─▶ asked by ids, a hundred to a request
    many ───────────────────────▶ the whole library is listed, two hundred to a page

An incomplete listing proves nothing. An item that other accounts want as well is gone only if the
server does not know its id at all: this account may just not see it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from math import ceil

from sidecar.domain.items.item import Item
from sidecar.jellyfin.client import IDS_PER_REQUEST, Jellyfin
from sidecar.jellyfin.library.file_index import PAGE_ITEMS, ServerFileIndex
from sidecar.services.identity.matching import ItemMatching
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.playlists import ChosenPlaylists

log = logging.getLogger(__name__)

# With so few requests it is not worth asking for the size of the library first.
FEW_REQUESTS = 3


class LibraryLook:
    """Checks the items of an account's files. Safe for many threads."""

    def __init__(
        self,
        downloads: Downloads,
        chosen: ChosenPlaylists,
        matching: ItemMatching,
        client: Callable[[str], Jellyfin],
        *,
        hidden: Callable[[str], Collection[str]] = lambda _user_id: (),
    ) -> None:
        """Prepare; `hidden` returns the items that an account is known not to see any more."""
        self._downloads = downloads
        self._chosen = chosen
        self._matching = matching
        self._client = client
        self._hidden = hidden

    def look(self, user_id: str, added: Collection[str] | None = None) -> None:
        """Check all items of an account's files; update those that have another id.

        Args:
            user_id: The account.
            added: Ids of new items, as the server reported them; None if they are not known.

        Raises:
            errors.JellyfinError: It cannot be asked; nothing was changed.
        """
        index = ServerFileIndex(self._client(user_id))
        if added is None:
            self._look_at_playlists(index, user_id)
        # They are read once the server has answered: there may be very many.
        number = self._downloads.identity.count_items(user_id)
        if not number:
            return
        by_ids = ceil(number / IDS_PER_REQUEST)
        if added is not None:
            by_ids += ceil(len(added) / IDS_PER_REQUEST)
        if by_ids <= FEW_REQUESTS or by_ids <= ceil(index.count() / (PAGE_ITEMS - 1)):
            self._by_ids(index, added, user_id)
        else:
            self._by_listing(index, user_id)

    def _look_at_playlists(self, index: ServerFileIndex, user_id: str) -> None:
        """Find the playlists that an account chose under their new ids, by their titles.

        A title is enough only if exactly one playlist has it that was not chosen already.
        """
        chosen = self._chosen.titles_of(user_id)
        gone = chosen.keys() - index.known(chosen.keys()) if chosen else frozenset()
        if not gone:
            return
        by_title: dict[str, list[str]] = {}
        for one in index.playlists().items:
            if one.id not in chosen:
                by_title.setdefault(one.title.casefold(), []).append(one.id)
        wanted = Counter(chosen[one].casefold() for one in gone)
        moved = {
            old: found[0]
            for old in sorted(gone)
            for title in [chosen[old].casefold()]
            for found in [by_title.get(title, [])]
            if len(found) == 1 and wanted[title] == 1
        }
        if moved:
            self._downloads.identity.follow({}, moved)
            log.info("%d playlists that were chosen are known under new ids", len(moved))

    def look_at_names(
        self, user_id: str, changed: Collection[str], added: Collection[str] = ()
    ) -> None:
        """Check whether changed items that we have files of have other names, or other files.

        Raises:
            errors.JellyfinError: It cannot be asked.
        """
        if changed:
            self._matching.rename(ServerFileIndex(self._client(user_id)), changed, added)

    def look_at_all(self, index: ServerFileIndex) -> None:
        """Check the items of all accounts' files, at a server that is to become ours."""
        if self._downloads.identity.count_items(None):
            self._by_listing(index, None)

    def _by_ids(self, index: ServerFileIndex, added: Collection[str] | None, user_id: str) -> None:
        known = self._downloads.identity.items_of(user_id)
        items = {one.id: one for one in index.described(sorted(known))}
        self._matching.change_places(index, items, lambda: index.described(added) if added else ())
        there = frozenset(items)
        gone = known - there
        candidates: Collection[Item] = ()
        if gone and added is not None:
            candidates = index.described(added)
        elif gone and self._is_news(gone):
            candidates = index.all_full().items
        self._settle(index, gone, candidates, known=there, user_id=user_id)

    def _by_listing(self, index: ServerFileIndex, user_id: str | None) -> None:
        listing = index.all_full()
        if not listing.complete:
            log.info("the library was not listed as a whole: nothing is taken for gone")
            return
        items = {one.id: one for one in listing.items}
        self._matching.change_places(index, items)
        ours = self._downloads.identity.items_of(user_id)
        absent = ours - items.keys()
        if user_id is not None:
            shared = self._downloads.identity.wanted_by_others(absent, user_id)
            # An item that this account does not see may be visible to another.
            absent -= index.known(shared) if shared else frozenset()
        candidates = [one for one in listing.items if one.id not in ours]
        self._settle(index, absent, candidates, known=ours & items.keys(), user_id=user_id)

    def _settle(
        self,
        index: ServerFileIndex,
        absent: Collection[str],
        candidates: Collection[Item],
        *,
        known: Collection[str],
        user_id: str | None,
    ) -> None:
        facts = self._downloads.identity.facts_of_items(absent) if absent else ()
        lost = self._matching.settle(index, facts, candidates).lost if facts else frozenset()
        hidden = index.known(lost) if lost and candidates else frozenset()
        if user_id is not None:
            lost -= frozenset(self._hidden(user_id))
        self._downloads.identity.mark(gone=lost - hidden, known=frozenset({*known, *hidden}))

    def _is_news(self, gone: Collection[str]) -> bool:
        """Whether any item was not marked as gone before: only then the library is listed."""
        rows = self._downloads.identity.of_items(gone)
        return any(one.gone_since is None for one in rows)
