"""Turns wishes into holds and into the queue; lets go of holds whose grace is over.

A wish that is kept again costs nothing. Nothing is ever let go because a listing was empty, short
or failed: only on somebody's word.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice

from sidecar.clock import Clock
from sidecar.domain.downloads import Download, Status
from sidecar.domain.failures import Failure, FailureClass
from sidecar.domain.items import Item
from sidecar.domain.naming import distinct, path_key, wanted_path
from sidecar.domain.wishes import Wish
from sidecar.store.database import Database
from sidecar.store.downloads import Downloads, NewDownload, Place
from sidecar.store.holds import Holds

log = logging.getLogger(__name__)

BATCH = 200

Describe = Callable[[Sequence[str]], dict[str, Item]]


class Planning:
    """Keeps wishes. Safe for many threads."""

    def __init__(self, db: Database, holds: Holds, downloads: Downloads, clock: Clock) -> None:
        self._db = db
        self._holds = holds
        self._downloads = downloads
        self._clock = clock

    def keep(self, wishes: Iterable[Wish], describe: Describe) -> int:
        """Hold what is wished for, and queue what is on no device and in no queue yet.

        Args:
            wishes: Their items may be light: without size, extension and permission.
            describe: Asks for the full items of what has to be queued, by id; called outside of
                any transaction.

        Returns:
            How many downloads were queued.
        """
        queued = 0
        remaining = iter(wishes)
        while batch := list(islice(remaining, BATCH)):
            missing = self._missing(batch)
            full = describe(sorted(missing)) if missing else {}
            with self._db.write():
                queued += sum(self._keep(wish, full) for wish in batch)
        return queued

    def release(self, user_id: str, rule: str, source_id: str, *, grace: timedelta) -> None:
        """End a user's holds that come from one source, after a grace."""
        self._holds.release(
            user_id=user_id, rule=rule, source_id=source_id, at=self._clock.now() + grace
        )

    def release_items(
        self, user_id: str, rule: str, source_id: str, kept: Iterable[str], *, grace: timedelta
    ) -> None:
        """End, after a grace, a user's holds from one source on all items but those `kept`."""
        self._holds.release(
            user_id=user_id,
            rule=rule,
            source_id=source_id,
            at=self._clock.now() + grace,
            except_items=frozenset(kept),
        )

    def let_go(self) -> None:
        """Drop the holds whose grace is over; what nobody wants any more leaves the queue.

        A file that is there stays until its room is needed: it merely has no hold any more.
        """
        for hold in self._holds.drop_due(self._clock.now()):
            log.info("%s is no longer held: %s", hold.item_id, hold.reason.text)
            waiting = self._downloads.by_item(hold.device_id, hold.item_id)
            if waiting is not None and self._is_unwanted(waiting):
                self._downloads.cancel(waiting)

    def _missing(self, wishes: Iterable[Wish]) -> set[str]:
        return {
            wish.item.id
            for wish in wishes
            if self._downloads.by_item(wish.device_id, wish.item.id) is None
        }

    def _keep(self, wish: Wish, full: dict[str, Item]) -> bool:
        is_new = self._holds.keep(wish)
        there = self._downloads.by_item(wish.device_id, wish.item.id)
        if there is None:
            item = full.get(wish.item.id)
            return item is not None and self._queue(wish, item)
        if is_new and there.status is Status.REMOVED:
            return self._downloads.want_again(there, user_id=wish.user_id)
        return False

    def _queue(self, wish: Wish, item: Item) -> bool:
        download, queued = self._downloads.enqueue(
            NewDownload(
                item=item,
                device_id=wish.device_id,
                user_id=wish.user_id,
                places=_places(item),
            )
        )
        refusal = _refusal(item)
        if queued and refusal is not None:
            self._downloads.give_up(download, until=None, failure=refusal, retry_count=0)
        return queued

    def _is_unwanted(self, download: Download) -> bool:
        is_there = download.status in {Status.COMPLETED, Status.REMOVED}
        return not is_there and not self._holds.holders(download.device_id, download.item_id)


def _places(item: Item) -> Iterator[Place]:
    wanted = wanted_path(item)
    for path in (wanted, distinct(wanted, item.id)):
        yield Place(path, path_key(path))


def _refusal(item: Item) -> Failure | None:
    if item.is_remote:
        text = f"{item.title} has no file of its own on the server: it only points to one"
        return Failure(FailureClass.REFUSED, "no-file", text)
    if item.can_download is False:
        text = f"Jellyfin does not let this account download {item.title}"
        return Failure(FailureClass.REFUSED, "not-allowed", text)
    return None
