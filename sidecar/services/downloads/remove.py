"""Carries out the actions that end a download for a person: cancel, delete and let go.

    others want it too ──▶ cancel, delete: only this person's holds end, the download stays
    nobody else        ──▶ cancel: the row goes, the part file goes or is kept
                           delete: the file goes (only if it is ours), the row says `removed`
    let go             ──▶ the person's pin ends, the file stays until its space is needed

A person who cancels or deletes gets a tombstone: no rule fetches it for them until they ask.
"""

from __future__ import annotations

import logging
from functools import partial
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.actions import (
    Action,
    ActionRefusal,
    ActionVerdict,
    judge,
    refuse_finishing,
)
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.undo import Reversal
from sidecar.domain.wishes import PIN
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.accounts.ownership import Ownership, OwnershipChange
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.downloads.commands import ActionResult, DownloadCommand, ResultKind
from sidecar.services.downloads.queue import refused
from sidecar.services.transfers.claims import Claims
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)


class RemoveDownloads:
    """Cancels, deletes and lets go of downloads for a person. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        ownership: Ownership,
        registry: DeviceRegistry,
        claims: Claims,
        clock: Clock,
    ) -> None:
        self._db = stores.db
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._ownership = ownership
        self._registry = registry
        self._claims = claims
        self._clock = clock
        # One file at a time: a second click must not delete a file that was fetched again since.
        self._deleting = Lock()

    def act(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        """Carry out an action on one download; raises `NotVisible`."""
        with self._db.write():
            found = self._ownership.visible(person, download_id)
            match judge(order.action, found, self._clock.now()):
                case ActionRefusal() as refusal:
                    return refused(found, refusal)
                case ActionVerdict.IS_SO:
                    text = msg("{title} is not on the device any more", title=found.title)
                    return ActionResult(found.id, ResultKind.UNCHANGED, text)
            outcome = self._end(person, found, order)
        return outcome or self._delete(person, download_id, order)

    def _end(self, person: Person, found: Download, order: DownloadCommand) -> ActionResult | None:
        """Do what needs no change on the device; return None if a file must be deleted."""
        if order.action is Action.LET_GO:
            return self._let_go(person, found, for_everyone=order.for_everyone)
        parting = self._parting(person, found, order)
        if parting.staying:
            undo = self._ownership.give_up(found, parting)
            return ActionResult(found.id, ResultKind.KEPT, _kept(found), undo=undo)
        if found.status is Status.COMPLETED:
            return None
        return self._cancel(found, parting, order)

    def _parting(self, person: Person, found: Download, order: DownloadCommand) -> OwnershipChange:
        for_everyone = order.for_everyone and person.is_admin
        return self._ownership.change_for(person, found, for_everyone=for_everyone)

    def _let_go(self, person: Person, found: Download, *, for_everyone: bool) -> ActionResult:
        everyone = for_everyone and person.is_admin
        users = self._ownership.owners(found) if everyone else [person.user_id]
        ended = [
            one
            for one in self._holds.of_item(found.device_id, found.item_id)
            if one.reason.rule == PIN and one.user_id in users and one.release_at is None
        ]
        self._holds.release_these(ended, self._clock.now())
        if not ended:
            text = msg(
                "{title} stays as it is: it is not here because you asked for it", title=found.title
            )
            return ActionResult(found.id, ResultKind.UNCHANGED, text)
        text = msg(
            "{title} is no longer kept for you: it stays until its room is needed",
            title=found.title,
        )
        return ActionResult(found.id, ResultKind.DONE, text, undo=Reversal(holds=tuple(ended)))

    def _cancel(
        self, found: Download, parting: OwnershipChange, order: DownloadCommand
    ) -> ActionResult:
        # Without valid bytes there is nothing to continue from.
        has_some = found.validator is not None and found.bytes_downloaded > 0
        keep_part = order.keep_part and order.action is Action.CANCEL and has_some
        if not self._downloads.queue.cancel(found, keep_part=keep_part):
            return refused(found, refuse_finishing(found))
        undo = self._ownership.give_up(found, parting)
        self._db.after_commit(partial(self._stop, found, keep_part=keep_part))
        text = (
            msg("{title} is cancelled; what it had is kept for a month", title=found.title)
            if keep_part
            else msg("{title} is cancelled", title=found.title)
        )
        return ActionResult(found.id, ResultKind.DONE, text, undo=undo)

    def _stop(self, gone: Download, *, keep_part: bool) -> None:
        self._claims.stop(gone.id)
        if not keep_part:
            self._claims.afterwards(gone.id, partial(self._remove_part, gone))

    def _remove_part(self, gone: Download) -> None:
        try:
            folder = self._registry.get(gone.device_id).folder
            folder.part(gone.id).remove()
            folder.film(gone.id).clear()
        except DeviceError as trouble:
            # It is removed when the device is attached again.
            log.info("the part file of %s stays for now: %s", gone.title, trouble)

    def _delete(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        """Remove the file, then update the row; the next start repairs a crash in between."""
        with self._deleting:
            found = next(self._ownership.visible_among(person, [download_id]), None)
            if found is None or found.status is not Status.COMPLETED:
                text = msg("It is not on the device any more")
                return ActionResult(download_id, ResultKind.UNCHANGED, text)
            parting = self._parting(person, found, order)
            if parting.staying:
                undo = self._ownership.give_up(found, parting)
                return ActionResult(found.id, ResultKind.KEPT, _kept(found), undo=undo)
            try:
                done = self._remove_file(found)
            except DeviceError as trouble:
                return refused(found, ActionRefusal(trouble.code, str(trouble)))
            return self._say_removed(person, found, parting, done)

    def _remove_file(self, found: Download) -> str:
        folder = self._registry.get(found.device_id).folder
        removed = folder.remove(found.file_path, size=found.file_size or 0)
        if not removed and folder.stat(found.file_path) is not None:
            return msg(
                "{title} is removed from the list; the file of its name is not the "
                "one that was fetched, so it stays",
                title=found.title,
            )
        return msg("{title} is deleted", title=found.title)

    def _say_removed(
        self, person: Person, found: Download, parting: OwnershipChange, text: str
    ) -> ActionResult:
        with self._db.write():
            # If somebody else came to want it meanwhile, it is queued again for them.
            owners = set(self._holds.holders(found.device_id, found.item_id))
            late = sorted(owners - parting.leaving)
            self._ownership.give_up(found, OwnershipChange(parting.leaving, ()))
            current = self._downloads.queries.get(found.id)
            if current is not None and current.status is Status.COMPLETED:
                self._downloads.transitions.delete(
                    current, by_user=person.user_id, owners=parting.leaving
                )
                current = self._downloads.queries.get(found.id)
            if late and current is not None and current.status is Status.REMOVED:
                self._downloads.transitions.want_again(current, user_id=late[0])
        return ActionResult(found.id, ResultKind.DONE, text)


def _kept(download: Download) -> str:
    return msg(
        "{title} is no longer yours. It stays on the device: somebody else wants it too",
        title=download.title,
    )
