"""Carries out the actions that keep a download: pause, resume, retry, accept and reordering.

Each is decided and done in one transaction. A running transfer is stopped after the commit; its
worker then finds that the row has another state.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from sidecar.clock import Clock
from sidecar.domain.downloads.actions import (
    Action,
    ActionRefusal,
    ActionVerdict,
    judge,
    refuse_finishing,
)
from sidecar.domain.downloads.download import NOT_TAKEN, Download, Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.undo import Reversal
from sidecar.errors import NotVisible
from sidecar.messages import msg
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.devices.taken import explain_not_taken
from sidecar.services.downloads.commands import ActionResult, DownloadCommand, ResultKind
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.claims import Claims
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

NOT_THERE = msg("There is no such download, or it is not yours to see")


class QueueActions:
    """Carries out queue actions for a person. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        ownership: Ownership,
        planning: WishService,
        claims: Claims,
        clock: Clock,
    ) -> None:
        self._db = stores.db
        self._downloads = stores.downloads
        self._ownership = ownership
        self._planning = planning
        self._claims = claims
        self._clock = clock

    def act(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        """Carry out an action on one download; raises `NotVisible`."""
        with self._db.write():
            found = self._ownership.visible(person, download_id)
            force = order.force and person.is_admin
            match judge(order.action, found, self._clock.now(), force=force):
                case ActionRefusal() as refusal:
                    return refused(found, refusal)
                case ActionVerdict.IS_SO:
                    return ActionResult(found.id, ResultKind.UNCHANGED, _is_so(found))
                case _:
                    return self._do(person, found, order)

    def _do(self, person: Person, found: Download, order: DownloadCommand) -> ActionResult:
        match order.action:
            case Action.PAUSE:
                return self._pause(found)
            case Action.RESUME:
                self._downloads.transitions.resume(found)
                return replace(_done(found, msg("goes on")), undo=Reversal(pause=(found.id,)))
            case Action.RETRY | Action.ACCEPT:
                return self._again(person, found, order)
            case Action.PRIORITISE:
                self._downloads.queue.prioritise(found, order.priority)
                return _done(found, msg("has priority {priority}", priority=order.priority))
            case Action.TOP:
                self._downloads.queue.put_first(found)
                return _done(found, msg("is the next one"))
            case _:
                return self._move(person, found, order.before)

    def _pause(self, found: Download) -> ActionResult:
        if not self._downloads.transitions.pause(found):
            return refused(found, refuse_finishing(found))
        self._db.after_commit(partial(self._claims.stop, found.id))
        return replace(_done(found, msg("is paused")), undo=Reversal(resume=(found.id,)))

    def _again(self, person: Person, found: Download, order: DownloadCommand) -> ActionResult:
        if order.action is Action.ACCEPT:
            return self._accept(person, found)
        why = self._planning.not_taken(found.device_id, found.item_type)
        if why is not None:
            text = explain_not_taken(found.title, why)
            return ActionResult(found.id, ResultKind.REFUSED, text, NOT_TAKEN)
        return self._retry(person, found, from_zero=order.from_zero)

    def _retry(self, person: Person, found: Download, *, from_zero: bool) -> ActionResult:
        match found.status:
            case Status.FAILED:
                self._downloads.transitions.retry(found, from_zero=from_zero)
            case Status.PENDING:
                self._downloads.queue.end_cooldown(found, from_zero=from_zero)
            case _:
                self._fetch_again(person, found)
        return _done(
            found, msg("is fetched from the start") if from_zero else msg("is tried again")
        )

    def _accept(self, person: Person, found: Download) -> ActionResult:
        self._downloads.queue.accept(found)
        log.info(
            "%s accepted %s as it is: %s bytes, although the library says %s",
            person.name,
            found.title,
            found.validator and found.validator.total,
            found.expected_size,
        )
        return _done(found, msg("is accepted as it is"))

    def _fetch_again(self, person: Person, found: Download) -> None:
        """Pin a removed download again, for this person or, if it is not theirs, its owner."""
        owners = self._ownership.owners(found)
        user_id = person.user_id if person.user_id in owners else owners[0]
        kinds = {str(one): one for one in ItemType}
        kind = kinds.get(found.item_type, ItemType.OTHER)
        item = Item(id=found.item_id, type=kind, title=found.title)
        self._planning.pin(user_id, found.device_id, item, lambda _ids: {})

    def _move(self, person: Person, found: Download, before: int) -> ActionResult:
        if not before:
            self._downloads.queue.put_before(found, None)
            return _done(found, msg("comes last"))
        try:
            other = self._ownership.visible(person, before)
        except NotVisible:
            return ActionResult(found.id, ResultKind.REFUSED, NOT_THERE, "no-such-place")
        if not self._downloads.queue.put_before(found, other):
            text = msg(
                "{title} does not wait in the queue, so nothing can be put before it",
                title=other.title,
            )
            return ActionResult(found.id, ResultKind.REFUSED, text, "no-such-place")
        return _done(found, msg("comes before {title}", title=other.title))


def refused(download: Download, refusal: ActionRefusal) -> ActionResult:
    """Return a refusal as a result."""
    return ActionResult(download.id, ResultKind.REFUSED, refusal.text, refusal.code, refusal.until)


def _done(download: Download, text: str) -> ActionResult:
    return ActionResult(
        download.id, ResultKind.DONE, msg("{title} {what}", title=download.title, what=text)
    )


def _is_so(download: Download) -> str:
    words = {
        Status.PENDING: msg("waits in the queue already"),
        Status.DOWNLOADING: msg("is being fetched already"),
        Status.PAUSED: msg("is paused already"),
    }
    what = words.get(download.status, msg("is not there any more"))
    return msg("{title} {what}", title=download.title, what=what)
