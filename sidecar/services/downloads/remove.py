"""Carries out the actions that end a download for a person: cancel, delete and let go.

    others want it too ──▶ cancel, delete: only this person's holds end, the download stays
    nobody else        ──▶ cancel: the row goes, the part file goes or is kept
                           delete: the file goes (only if it is ours), the row says `removed`
    let go             ──▶ the person's pin ends, the file stays until its space is needed

A person who cancels or deletes gets a tombstone: no rule fetches it for them until they ask.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from threading import Lock

from sidecar.batched import batched
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
from sidecar.domain.wishes import PIN, Hold
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.accounts.ownership import Ownership, OwnershipChange
from sidecar.services.accounts.person import Person
from sidecar.services.devices.orders import DeviceOrders
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.downloads import commands
from sidecar.services.downloads.commands import ActionResult, DownloadCommand, ResultKind
from sidecar.services.downloads.queue import refused
from sidecar.services.transfers.claims import Claims
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

# The kind of the order to delete files on another machine.
DELETE = "delete"


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
        orders: DeviceOrders,
    ) -> None:
        self._orders = orders
        self._db = stores.db
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._ownership = ownership
        self._registry = registry
        self._claims = claims
        self._clock = clock
        # One file at a time: a second click must not delete a file that was fetched again since.
        self._deleting = Lock()

    def act_on(
        self, person: Person, ids: Sequence[int], order: DownloadCommand
    ) -> Mapping[int, ActionResult]:
        """Carry out an action on many downloads, and return what became of each.

        Those that are not visible are left out. Apart from files that must be deleted, many are
        changed some at a time, with few statements: other writers come in between.
        """
        outcomes: dict[int, ActionResult] = {}
        left: list[Download] = []
        for some in batched(ids, commands.CHANGED_AT_ONCE):
            # Not asked in the transaction: a worker that claims something waits for its end.
            busy = frozenset(self._claims.busy())
            with self._db.write():
                concerned, ended = self._act_on_some(person, some, order, busy)
            outcomes |= ended
            left += (one for one in concerned if one.id not in ended)
        # A file is not deleted inside a transaction: other writers would wait for the device.
        outcomes |= self._ask_machines(person, left, order)
        outcomes |= {
            one.id: self._delete(person, one.id, order) for one in left if one.id not in outcomes
        }
        return outcomes

    def _act_on_some(
        self,
        person: Person,
        ids: Sequence[int],
        order: DownloadCommand,
        busy: Collection[int],
    ) -> tuple[Sequence[Download], Mapping[int, ActionResult]]:
        """Do what needs no change on the device; return whom it concerns, and what was done."""
        seen = list(self._ownership.visible_among(person, ids))
        outcomes: dict[int, ActionResult] = {}
        for one in seen:
            match judge(order.action, one, self._clock.now()):
                case ActionRefusal() as refusal:
                    outcomes[one.id] = refused(one, refusal)
                case ActionVerdict.IS_SO:
                    text = msg("{title} is not on the device any more", title=one.title)
                    outcomes[one.id] = ActionResult(one.id, ResultKind.UNCHANGED, text)
        concerned = [one for one in seen if one.id not in outcomes]
        holds = self._holds.reasons_for([one.id for one in concerned])
        ended = (
            self._let_go(person, concerned, holds, order)
            if order.action is Action.LET_GO
            else self._end(person, concerned, holds, order, busy)
        )
        return concerned, {**outcomes, **ended}

    def delete_there(
        self,
        person: Person,
        _device_id: str,
        seen: Sequence[tuple[int, datetime]],
        for_everyone: bool,  # noqa: FBT001 - as it is ordered
    ) -> Sequence[ActionResult]:
        """Delete the files that a person saw where it was asked for, by when each had come.

        What came since stays. No two clocks are compared: each machine has its own.
        """
        order = DownloadCommand(action=Action.DELETE, for_everyone=for_everyone)
        came = dict(seen)
        now = self._ownership.visible_among(person, came)
        same = [one for one in now if one.completed_at == came[one.id]]
        return [self._delete(person, one.id, order) for one in same]

    def _ask_machines(
        self, person: Person, downloads: Sequence[Download], order: DownloadCommand
    ) -> Mapping[int, ActionResult]:
        """Ask other machines to delete the files that are there; one order for each device."""
        by_device: defaultdict[str, list[Download]] = defaultdict(list)
        for one in downloads:
            by_device[one.device_id].append(one)
        outcomes: dict[int, ActionResult] = {}
        for device_id, there in by_device.items():
            seen = [
                (one.id, one.completed_at.isoformat())
                for one in there
                if one.completed_at is not None
            ]
            given = [seen, order.for_everyone]
            asked = self._orders.ask(person, device_id, DELETE, given, describe_deleting)
            if asked is not None:
                # Until that machine begins, nothing has happened.
                undo = Reversal(orders=(asked.id,))
                outcomes |= {
                    one.id: ActionResult(one.id, ResultKind.ASKED, asked.text, undo=undo)
                    for one in there
                }
        return outcomes

    def _end(
        self,
        person: Person,
        downloads: Sequence[Download],
        holds: Mapping[int, Sequence[Hold]],
        order: DownloadCommand,
        busy: Collection[int],
    ) -> Mapping[int, ActionResult]:
        """Do what needs no change on the device; files that must be deleted are left out."""
        everyone = order.for_everyone and person.is_admin
        partings = self._ownership.changes_for(person, downloads, holds, for_everyone=everyone)
        staying = [one for one in downloads if partings[one.id].staying]
        going = [
            one
            for one in downloads
            if not partings[one.id].staying and one.status is not Status.COMPLETED
        ]
        kept_parts = [one.id for one in going if _has_part(one)] if _keeps_parts(order) else []
        gone = self._downloads.queue.cancel_all(going, keep_parts=kept_parts)
        finishing = [one for one in going if one.id not in gone]
        abandoned = {one.id for one in finishing if one.id not in busy and self._abandon(one)}
        left = [*staying, *(one for one in going if one.id in gone or one.id in abandoned)]
        undo = self._ownership.give_up_all([(one, partings[one.id]) for one in left])
        outcomes = {
            one.id: ActionResult(one.id, ResultKind.KEPT, _kept(one), undo=undo[one.id])
            for one in staying
        }
        for one in going:
            keep_part = one.id in kept_parts
            if one.id not in gone and one.id not in abandoned:
                outcomes[one.id] = refused(one, refuse_finishing(one))
                continue
            self._db.after_commit(partial(self._stop, one, keep_part=keep_part))
            text = (
                msg(
                    "{title} is cancelled; what is on the device goes when the device is back",
                    title=one.title,
                )
                if one.id in abandoned
                else msg("{title} is cancelled; what it had is kept for a month", title=one.title)
                if keep_part
                else msg("{title} is cancelled", title=one.title)
            )
            outcomes[one.id] = ActionResult(one.id, ResultKind.DONE, text, undo=undo[one.id])
        return outcomes

    def _abandon(self, download: Download) -> bool:
        """Remove what was being finalized, if its device is away, so that nobody can finish it."""
        is_there = download.device_id in self._registry.ids_there()
        if is_there or self._registry.on_other_machine(download.device_id) is not None:
            return False
        current = self._downloads.queries.get(download.id)
        is_left = current is not None and current.finalizing
        return is_left and self._downloads.transitions.abandon(download)

    def _let_go(
        self,
        person: Person,
        downloads: Sequence[Download],
        holds: Mapping[int, Sequence[Hold]],
        order: DownloadCommand,
    ) -> Mapping[int, ActionResult]:
        """End the person's pins, or everybody's; the files stay until their room is needed."""
        everyone = order.for_everyone and person.is_admin
        ended = {
            one.id: tuple(
                hold
                for hold in holds[one.id]
                if hold.reason.rule == PIN
                and hold.release_at is None
                and (everyone or hold.user_id == person.user_id)
            )
            for one in downloads
        }
        self._holds.release_these(chain.from_iterable(ended.values()), self._clock.now())
        return {
            one.id: ActionResult(
                one.id,
                ResultKind.DONE,
                msg(
                    "{title} is unpinned; it is removed when space runs out",
                    title=one.title,
                ),
                undo=Reversal(holds=ended[one.id]),
            )
            if ended[one.id]
            else ActionResult(
                one.id,
                ResultKind.UNCHANGED,
                msg(
                    "{title} stays as it is: it is not pinned by you",
                    title=one.title,
                ),
            )
            for one in downloads
        }

    def _parting(self, person: Person, found: Download, order: DownloadCommand) -> OwnershipChange:
        for_everyone = order.for_everyone and person.is_admin
        return self._ownership.change_for(person, found, for_everyone=for_everyone)

    def _stop(self, gone: Download, *, keep_part: bool) -> None:
        self._claims.stop(gone.id)
        if not keep_part:
            self._claims.afterwards(gone.id, partial(self._remove_part, gone))

    def _remove_part(self, gone: Download) -> None:
        try:
            self._registry.get(gone.device_id).remove_fetched(gone.id)
        except DeviceError as trouble:
            # It is removed when the device is attached again.
            log.info("the part file of %s stays for now: %s", gone.title, trouble)

    def _delete(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        """Remove the file, then update the row; the next start repairs a crash in between."""
        with self._deleting:
            # Again if its file was renamed or replaced before it was found.
            while (outcome := self._try_to_delete(person, download_id, order)) is None:
                pass
            return outcome

    def _try_to_delete(
        self, person: Person, download_id: int, order: DownloadCommand
    ) -> ActionResult | None:
        """Return what became of it; None if its file is another one by now, or elsewhere."""
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
        device = self._registry.get(found.device_id)
        if not device.remove_file(found) and device.folder.stat(found.file_path) is not None:
            return msg(
                "{title} is removed from the list; the file of its name is not the "
                "one that was downloaded, so it stays",
                title=found.title,
            )
        return msg("{title} is deleted", title=found.title)

    def _say_removed(
        self, person: Person, found: Download, parting: OwnershipChange, text: str
    ) -> ActionResult | None:
        with self._db.write():
            current = self._downloads.queries.get(found.id)
            is_same = current is not None and current.still_has(found.file_path, found.completed_at)
            if current is not None and current.status is Status.COMPLETED and not is_same:
                return None
            # If somebody else came to want it meanwhile, it is queued again for them.
            owners = set(self._holds.holders(found.device_id, found.item_id))
            late = sorted(owners - parting.leaving)
            self._ownership.give_up(found, OwnershipChange(parting.leaving, ()))
            if current is not None and is_same:
                self._downloads.transitions.delete(
                    current, by_user=person.user_id, owners=parting.leaving
                )
                current = self._downloads.queries.get(found.id)
            if late and current is not None and current.status is Status.REMOVED:
                self._downloads.transitions.want_again(current, user_id=late[0])
        return ActionResult(found.id, ResultKind.DONE, text)


def describe_deleting(device: str) -> str:
    """Return what another machine is asked to do, as the end of a sentence."""
    return msg("delete files from {device}", device=device)


def _keeps_parts(order: DownloadCommand) -> bool:
    return order.keep_part and order.action is Action.CANCEL


def _has_part(download: Download) -> bool:
    """Whether there are valid bytes to continue from."""
    return download.validator is not None and download.bytes_downloaded > 0


def _kept(download: Download) -> str:
    return msg(
        "{title} is unpinned. It stays on the device: another user needs it too",
        title=download.title,
    )
