"""Carries out the actions that keep a download: pause, resume, retry, accept and reordering.

Each is decided and done in one transaction. A running transfer is stopped after the commit; its
worker then finds that the row has another state.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.downloads.actions import (
    REORDERING,
    Action,
    ActionRefusal,
    ActionVerdict,
    judge,
    refuse_finishing,
)
from sidecar.domain.downloads.download import NOT_TAKEN, Download, Move, Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.undo import Reversal
from sidecar.errors import NotVisible
from sidecar.messages import msg
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.devices.taken import explain_not_taken
from sidecar.services.downloads import commands
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

    def act_on(
        self, person: Person, ids: Sequence[int], order: DownloadCommand
    ) -> Mapping[int, ActionResult]:
        """Carry out an action on many downloads, and return what became of each.

        Those that are not visible are left out. Many are changed some at a time, with few
        statements: other writers come in between.
        """
        if order.action in REORDERING:
            # What was claimed ahead is put in order with all others.
            self._claims.give_back()
        outcomes: dict[int, ActionResult] = {}
        for some in batched(ids, commands.CHANGED_AT_ONCE):
            outcomes |= self._act_on_some(person, some, order)
        return outcomes

    def _act_on_some(
        self, person: Person, ids: Sequence[int], order: DownloadCommand
    ) -> Mapping[int, ActionResult]:
        outcomes: dict[int, ActionResult] = {}
        force = order.force and person.is_admin
        with self._db.write():
            concerned = []
            for one in self._ownership.visible_among(person, ids):
                match judge(order.action, one, self._clock.now(), force=force):
                    case ActionRefusal() as refusal:
                        outcomes[one.id] = refused(one, refusal)
                    case ActionVerdict.IS_SO:
                        outcomes[one.id] = ActionResult(one.id, ResultKind.UNCHANGED, _is_so(one))
                    case _:
                        concerned.append(one)
            outcomes.update(self._do(person, concerned, order))
        return outcomes

    def _do(
        self, person: Person, downloads: Sequence[Download], order: DownloadCommand
    ) -> Mapping[int, ActionResult]:
        match order.action:
            case Action.PAUSE:
                return self._pause(downloads)
            case Action.RESUME:
                self._downloads.transitions.move_all(downloads, Move.RESUME)
                return {
                    one.id: replace(_done(one, msg("goes on")), undo=Reversal(pause=(one.id,)))
                    for one in downloads
                }
            case Action.RETRY:
                return self._retry(person, downloads, from_zero=order.from_zero)
            case Action.PRIORITISE:
                self._downloads.queue.prioritise_all((one, order.priority) for one in downloads)
                text = msg("has priority {priority}", priority=order.priority)
                return {one.id: _done(one, text) for one in downloads}
            case _:
                return {one.id: self._do_one(person, one, order) for one in downloads}

    def _do_one(self, person: Person, found: Download, order: DownloadCommand) -> ActionResult:
        match order.action:
            case Action.ACCEPT:
                return self._accept(person, found)
            case Action.TOP:
                self._downloads.queue.put_first(found)
                return _done(found, msg("is the next one"))
            case _:
                return self._move(person, found, order.before)

    def _pause(self, downloads: Sequence[Download]) -> Mapping[int, ActionResult]:
        paused = {one.id for one in self._downloads.transitions.move_all(downloads, Move.PAUSE)}
        outcomes: dict[int, ActionResult] = {}
        for one in downloads:
            if one.id not in paused:
                outcomes[one.id] = refused(one, refuse_finishing(one))
                continue
            self._db.after_commit(partial(self._claims.stop, one.id))
            undo = Reversal(resume=(one.id,))
            outcomes[one.id] = replace(_done(one, msg("is paused")), undo=undo)
        return outcomes

    def _retry(
        self, person: Person, downloads: Sequence[Download], *, from_zero: bool
    ) -> Mapping[int, ActionResult]:
        outcomes: dict[int, ActionResult] = {}
        failed: list[Download] = []
        done = msg("is downloaded from the start") if from_zero else msg("is tried again")
        for one in downloads:
            why = self._planning.not_taken(one.device_id, one.item_type)
            if why is not None:
                text = explain_not_taken(one.title, why)
                outcomes[one.id] = ActionResult(one.id, ResultKind.REFUSED, text, NOT_TAKEN)
                continue
            outcomes[one.id] = _done(one, done)
            match one.status:
                case Status.FAILED:
                    failed.append(one)
                case Status.PENDING:
                    self._downloads.queue.end_cooldown(one, from_zero=from_zero)
                case _:
                    self._fetch_again(person, one)
        self._downloads.transitions.retry_all(failed, from_zero=from_zero)
        return outcomes

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
        Status.DOWNLOADING: msg("is being downloaded already"),
        Status.PAUSED: msg("is paused already"),
    }
    what = words.get(download.status, msg("is not there any more"))
    return msg("{title} {what}", title=download.title, what=what)
