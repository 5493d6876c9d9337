"""What people do with downloads: one at a time, a handful, or all that fit.

    add ─▶ `add`      pause, resume, retry, accept, order ─▶ `queue`
                      cancel, delete, let go              ─▶ `remove`

Many at once are done in batches, each in one transaction; each one has its own result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

from sidecar.domain.downloads.actions import GOES, Action
from sidecar.domain.downloads.shares import Share
from sidecar.domain.downloads.states import Status
from sidecar.errors import NotVisible
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person, viewer
from sidecar.services.downloads.add import AddDownloads
from sidecar.services.downloads.commands import (
    ActionResult,
    AddedItem,
    DownloadCommand,
    ResultKind,
    Selection,
)
from sidecar.services.downloads.queue import NOT_THERE, QueueActions
from sidecar.services.downloads.remove import RemoveDownloads
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.stores import Stores

BATCH = 100
MOST_AT_ONCE = 10_000
ENDING = frozenset({Action.CANCEL, Action.DELETE, Action.LET_GO})
# What is waiting but does not cool down needs no retry; what was removed is nobody's failure.
FITTING = {**GOES, Action.RETRY: frozenset({Status.FAILED})}


class DownloadActions:
    """What people do with downloads. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        ownership: Ownership,
        adding: AddDownloads,
        queue: QueueActions,
        removing: RemoveDownloads,
    ) -> None:
        """Prepare.

        Args:
            stores: The downloads.
            ownership: Whose downloads are whose.
            adding: Takes what people ask for.
            queue: Changes what waits and runs.
            removing: Ends what people do not want any more.
        """
        self._db = stores.db
        self._downloads = stores.downloads
        self._ownership = ownership
        self._adding = adding
        self._queue = queue
        self._removing = removing

    def add(
        self,
        person: Person,
        item_ids: Sequence[str],
        *,
        device: str | None = None,
        priority: int | None = None,
    ) -> Sequence[AddedItem]:
        """Ask for items of any kind; containers expand, what exists is not doubled.

        Args:
            person: Who asks: as a person's own request it is held until they let go of it.
            item_ids: Of Jellyfin.
            device: A device's id or name; None is the first one that serves this person.
            priority: Higher first; None as any own request.

        Raises:
            errors.JellyfinError: The server cannot be asked; nothing was queued.
        """
        return self._adding.add(person, item_ids, device=device, priority=priority)

    def act(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        """Do one thing to one download.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        if order.action in ENDING:
            return self._removing.act(person, download_id, order)
        return self._queue.act(person, download_id, order)

    def act_on(
        self, person: Person, ids: Sequence[int], order: DownloadCommand
    ) -> Sequence[ActionResult]:
        """Do one thing to each of these downloads, each once."""
        return list(self._each(person, list(dict.fromkeys(ids)), order))

    def act_on_all(
        self, person: Person, which: Selection, order: DownloadCommand
    ) -> Sequence[ActionResult]:
        """Do one thing to each download that fits, at most 10,000 at once."""
        outcomes = self.act_on(person, self.fitting(person, which, order.action), order)
        return [one for one in outcomes if one.result is not ResultKind.NOT_FOUND]

    def fitting(self, person: Person, which: Selection, action: Action) -> Sequence[int]:
        """Return the downloads that `act_on_all` would do something to."""
        statuses = FITTING[action] & (which.statuses or frozenset(Status))
        return self._fitting(person, which, statuses)

    def shares(self, person: Person, ids: Sequence[int]) -> Share:
        """Count whose these downloads are, as far as the person may know it."""
        return self._ownership.shares(person, ids)

    def others(self, person: Person, download_id: int) -> int:
        """Count the other people who want this download.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        found = self._ownership.visible(person, download_id)
        return sum(one != person.user_id for one in self._ownership.owners(found))

    def _each(
        self, person: Person, ids: Sequence[int], order: DownloadCommand
    ) -> Iterator[ActionResult]:
        for start in range(0, len(ids), BATCH):
            # A file is never removed inside a transaction: everybody else would wait for a stick.
            with self._db.write() if order.action is not Action.DELETE else nullcontext():
                batch = [self._act(person, one, order) for one in ids[start : start + BATCH]]
            yield from batch

    def _act(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        """Do it as one of many: what is not there is told beside the others."""
        try:
            return self.act(person, download_id, order)
        except NotVisible:
            return ActionResult(download_id, ResultKind.NOT_FOUND, NOT_THERE)

    def _fitting(
        self, person: Person, which: Selection, statuses: frozenset[Status]
    ) -> Sequence[int]:
        if not statuses:
            return []
        filtered = DownloadFilter(
            statuses=statuses,
            viewer=viewer(person),
            # A name that nobody has, or that is not theirs to ask for, selects nothing.
            owners=self._ownership.owners_named(person, which.owners) if which.owners else None,
            device_id=which.device_id,
            text=which.text,
            item_types=which.item_types,
        )
        return self._downloads.queries.ids(filtered, MOST_AT_ONCE)
