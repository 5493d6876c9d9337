"""Carries out people's actions on one download, on several, or on all that match a selection.

    add ─▶ `add`      pause, resume, retry, accept, order ─▶ `queue`
                      cancel, delete, let go              ─▶ `remove`

Several downloads are handled in batches, each in one transaction (except deletions); each
download has its own result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sidecar.batched import batched
from sidecar.domain.downloads.actions import GOES, Action
from sidecar.domain.downloads.download import Status
from sidecar.domain.downloads.shares import Share
from sidecar.errors import NotVisible
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
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
from sidecar.store.stores import Stores

BATCH = 100
MOST_AT_ONCE = 10_000
ENDING = frozenset({Action.CANCEL, Action.DELETE, Action.LET_GO})
# "Retry all" is for failed downloads only, although pending and removed ones may be retried.
FITTING = {**GOES, Action.RETRY: frozenset({Status.FAILED})}


class DownloadActions:
    """Adds downloads and carries out actions on them. Safe for many threads."""

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
            ownership: Decides who may see and give up a download.
            adding: Adds items to the queue.
            queue: Carries out actions that keep the download.
            removing: Carries out actions that end it.
        """
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
        whole: bool = False,
    ) -> Sequence[AddedItem]:
        """Pin items and queue their downloads; containers are expanded.

        Args:
            person: Who asks.
            item_ids: Of Jellyfin, items or containers.
            device: A device's id or name; None is the first one that serves this person.
            priority: Higher first; None for the usual priority of a pin.
            whole: Whole libraries are meant; otherwise they are refused with what they hold.

        Raises:
            errors.JellyfinError: The server cannot be asked; nothing was queued.
        """
        return self._adding.add(person, item_ids, device=device, priority=priority, whole=whole)

    def act(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        """Carry out an action on one download.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        [outcome] = self.act_on(person, [download_id], order)
        if outcome.result is ResultKind.NOT_FOUND:
            raise NotVisible
        return outcome

    def act_on(
        self, person: Person, ids: Sequence[int], order: DownloadCommand
    ) -> Sequence[ActionResult]:
        """Carry out an action on each of these downloads; an unknown id gets `NOT_FOUND`."""
        return list(self._each(person, list(dict.fromkeys(ids)), order))

    def act_on_all(
        self, person: Person, which: Selection, order: DownloadCommand
    ) -> Sequence[ActionResult]:
        """Carry out an action on each download of a selection, at most 10,000."""
        outcomes = self.act_on(person, self.fitting(person, which, order.action), order)
        return [one for one in outcomes if one.result is not ResultKind.NOT_FOUND]

    def fitting(self, person: Person, which: Selection, action: Action) -> Sequence[int]:
        """Return the ids of the downloads that `act_on_all` would act on."""
        statuses = FITTING[action] & (which.statuses or frozenset(Status))
        return self._fitting(person, which, statuses)

    def possible(self, person: Person, which: Selection, action: Action) -> Sequence[int]:
        """Return the ids of the downloads of a list that an action is possible for."""
        statuses = GOES[action] & (which.statuses or frozenset(Status))
        return self._fitting(person, which, statuses)

    def shares(self, person: Person, ids: Sequence[int]) -> Share:
        """Count the owners of these downloads, with other people's names only for an admin."""
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
        for some in batched(ids, BATCH):
            acting = self._removing if order.action in ENDING else self._queue
            found = acting.act_on(person, some, order)
            yield from (
                found.get(one) or ActionResult(one, ResultKind.NOT_FOUND, NOT_THERE) for one in some
            )

    def _fitting(
        self, person: Person, which: Selection, statuses: frozenset[Status]
    ) -> Sequence[int]:
        if not statuses:
            return []
        filtered = replace(
            self._ownership.listed(person),
            statuses=statuses,
            # An unknown name, or one that this person may not filter by, selects nothing.
            owners=self._ownership.owners_named(person, which.owners) if which.owners else None,
            device_id=which.device_id,
            text=which.text,
            item_types=which.item_types,
        )
        return self._downloads.queries.ids(filtered, MOST_AT_ONCE)
