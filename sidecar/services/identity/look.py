"""Looks whether the server still knows the items of our files, in as few requests as may be.

    few rows, few news ─▶ asked by their ids, a hundred at a time
    many ──────────────▶ the library is listed with its files, five hundred at a time

A listing that is not whole proves nothing. What others want as well is gone only if the server
does not know its id at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from math import ceil

from sidecar.domain.imports.identity import Facts
from sidecar.domain.items.item import Item
from sidecar.jellyfin.client import IDS_PER_REQUEST, Jellyfin
from sidecar.jellyfin.library.file_index import PAGE_ITEMS, ServerFileIndex
from sidecar.services.identity.matching import ItemMatching
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

# So many requests are not worth another one that may save some.
FEW_REQUESTS = 3


class LibraryLook:
    """Looks for one account at a time. Safe for many threads."""

    def __init__(
        self, downloads: Downloads, matching: ItemMatching, client: Callable[[str], Jellyfin]
    ) -> None:
        self._downloads = downloads
        self._matching = matching
        self._client = client

    def look(self, user_id: str, added: Collection[str] | None = None) -> None:
        """Look, and let everything follow that has another id.

        Args:
            user_id: Whose files.
            added: Items that came to the library, as the server told; None if nobody knows.

        Raises:
            errors.JellyfinError: It cannot be asked; nothing was changed.
        """
        known = self._downloads.identity.facts(user_id)
        if not known:
            return
        index = ServerFileIndex(self._client(user_id))
        by_ids = ceil(len(known) / IDS_PER_REQUEST)
        if added is not None:
            by_ids += ceil(len(added) / IDS_PER_REQUEST)
        if by_ids <= FEW_REQUESTS or by_ids <= ceil(index.count() / (PAGE_ITEMS - 1)):
            self._by_ids(index, known, added)
        else:
            self._by_listing(index, known, user_id)

    def look_at_names(self, user_id: str, changed: Collection[str]) -> None:
        """Look what some items are called by now, as far as we have files of them.

        Raises:
            errors.JellyfinError: It cannot be asked.
        """
        if changed:
            self._matching.rename(ServerFileIndex(self._client(user_id)), changed)

    def look_at_all(self, index: ServerFileIndex) -> None:
        """The same for everybody's files at once, at a server that is new to us."""
        known = self._downloads.identity.facts(None)
        if known:
            self._by_listing(index, known, None)

    def _by_ids(
        self, index: ServerFileIndex, known: Collection[Facts], added: Collection[str] | None
    ) -> None:
        there = index.known([one.id for one in known])
        gone = [one for one in known if one.id not in there]
        candidates: Collection[Item] = ()
        if gone and added is not None:
            candidates = index.described(added)
        elif gone and self._is_news(gone):
            candidates = index.all_full().items
        self._settle(index, gone, candidates, known=there)

    def _by_listing(
        self, index: ServerFileIndex, known: Collection[Facts], user_id: str | None
    ) -> None:
        listing = index.all_full()
        if not listing.complete:
            log.info("the library was not listed as a whole: nothing is taken for gone")
            return
        there = {one.id for one in listing.items}
        absent = [one for one in known if one.id not in there]
        if user_id is not None:
            shared = self._downloads.identity.wanted_by_others([one.id for one in absent], user_id)
            # What this account does not see, another one may.
            hidden = index.known(shared) if shared else frozenset()
            absent = [one for one in absent if one.id not in hidden]
        ours = {one.id for one in known}
        candidates = [one for one in listing.items if one.id not in ours]
        self._settle(index, absent, candidates, known=there & ours)

    def _settle(
        self,
        index: ServerFileIndex,
        absent: Collection[Facts],
        candidates: Collection[Item],
        *,
        known: Collection[str],
    ) -> None:
        lost = self._matching.settle(index, absent, candidates).lost if absent else frozenset()
        hidden = index.known(lost) if lost and candidates else frozenset()
        self._downloads.identity.mark(gone=lost - hidden, known=frozenset({*known, *hidden}))

    def _is_news(self, gone: Collection[Facts]) -> bool:
        """Whether any was not gone before: only then it is worth to list the library."""
        rows = self._downloads.identity.of_items([one.id for one in gone])
        return any(one.gone_since is None for one in rows)
