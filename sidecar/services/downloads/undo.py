"""Undo: records for ten minutes how people's actions are reversed, and reverses them on request.

    an action ─▶ `remember` ─▶ a token ─▶ the page's status line ─▶ `undo`

A token works once, and only for the person who did the action. Kept in memory only.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.actions import Action
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.undo import MarkBefore, Reversal, merge_reversals
from sidecar.domain.wishes import PIN, PIN_PRIORITY, Wish
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.orders import DeviceOrders
from sidecar.services.downloads.actions import DownloadActions
from sidecar.services.downloads.commands import (
    ActionResult,
    AddedItem,
    DownloadCommand,
    ResultKind,
)
from sidecar.services.library.lookup import ItemSource
from sidecar.services.rules.wishes import WishService
from sidecar.store.stores import Stores

LASTS_S = 600.0
MOST_KEPT = 500
# The name of the action that asks for items.
ADDED = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRecord:
    """An action that a person did recently.

    Attributes:
        token: Identifies it.
        action: Its name.
        counts: How many downloads had each kind of result.
        can_undo: It can be undone.
        is_undone: It was undone.
        left: How much of it somebody has changed since, and was not undone.
        title: Of the one thing that it was done to; empty for several.
        device: The name of the device that it was done for, if it was for one.
    """

    token: str
    action: str
    counts: Mapping[ResultKind, int]
    can_undo: bool
    is_undone: bool = False
    left: int = 0
    title: str = ""
    device: str = ""

    @property
    def total(self) -> int:
        """How many downloads it was done to."""
        return self.counts.get(ResultKind.DONE, 0) + self.stayed

    @property
    def stayed(self) -> int:
        """How many of these stay for others who want them."""
        return self.counts.get(ResultKind.KEPT, 0)

    @property
    def refused(self) -> int:
        """How many could not be changed."""
        return self.counts.get(ResultKind.REFUSED, 0)

    @property
    def asked(self) -> int:
        """How many another machine was asked to do it to."""
        return self.counts.get(ResultKind.ASKED, 0)


@dataclass(slots=True)
class _Kept:
    user_id: str
    record: UndoRecord
    reversal: Reversal | None
    until: float


class UndoService:
    """Records actions and undoes them. Safe for many threads."""

    def __init__(self, reverse: Callable[[Person, Reversal], int | None], clock: Clock) -> None:
        """Prepare.

        Args:
            reverse: Reverses an action for a person; returns how much of it was changed since and
                is left, or None if they may not (any more).
            clock: Decides when a record expires.
        """
        self._reverse = reverse
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, _Kept] = {}

    def remember(
        self, person: Person, action: Action | str, outcomes: Sequence[ActionResult]
    ) -> UndoRecord:
        """Record an action on some downloads."""
        counts = Counter(one.result for one in outcomes)
        return self._put(person, str(action), counts, merge_reversals(one.undo for one in outcomes))

    def remember_additions(self, person: Person, additions: Sequence[AddedItem]) -> UndoRecord:
        """Record that items were asked for, on one device."""
        added = [one for one in additions if one.downloads]
        return self._put(
            person,
            ADDED,
            {ResultKind.DONE: sum(one.queued for one in added)},
            merge_reversals(one.undo for one in added),
            title=added[0].title if len(added) == 1 else "",
            device=added[0].device if added else "",
        )

    def remember_one(
        self,
        person: Person,
        action: str,
        reversal: Reversal | None,
        files: int,
        *,
        title: str = "",
        device: str = "",
    ) -> UndoRecord:
        """Record an action with a single reversal; without one it cannot be undone."""
        counts = {ResultKind.DONE: files}
        return self._put(person, action, counts, reversal, title=title, device=device)

    def record(self, person: Person, token: str) -> UndoRecord | None:
        """Return the record of a token; None if it expired, is unknown or another person's."""
        with self._lock:
            kept = self._of(person, token)
            return kept.record if kept else None

    def undo(self, person: Person, token: str) -> UndoRecord | None:
        """Undo an action; None if it expired, was undone already, is unknown or not allowed.

        Raises:
            errors.JellyfinError: Items that must be queued again cannot be looked up; it can be
                tried again.
        """
        with self._lock:
            kept = self._of(person, token)
            if kept is None or kept.reversal is None:
                return None
            # Removed before the work: a second click finds nothing to undo.
            reversal, kept.reversal = kept.reversal, None
        try:
            left = self._reverse(person, reversal)
        except BaseException:
            with self._lock:
                kept.reversal = reversal
            raise
        if left is None:
            return None
        with self._lock:
            kept.record = replace(kept.record, can_undo=False, is_undone=True, left=left)
            return kept.record

    def _put(
        self,
        person: Person,
        action: str,
        counts: Mapping[ResultKind, int],
        reversal: Reversal | None,
        *,
        title: str = "",
        device: str = "",
    ) -> UndoRecord:
        record = UndoRecord(
            token=secrets.token_urlsafe(16),
            action=action,
            counts=counts,
            can_undo=reversal is not None,
            title=title,
            device=device,
        )
        now = self._clock.monotonic()
        with self._lock:
            self._kept = {name: one for name, one in self._kept.items() if now < one.until}
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[record.token] = _Kept(person.user_id, record, reversal, now + LASTS_S)
        return record

    def _of(self, person: Person, token: str) -> _Kept | None:
        kept = self._kept.get(token)
        is_theirs = kept is not None and kept.user_id == person.user_id
        return kept if kept and is_theirs and self._clock.monotonic() < kept.until else None


class Reversing:
    """Carries out reversals, with the rights that the person has then. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        access: DeviceAccess,
        planning: WishService,
        actions: DownloadActions,
        library: Callable[[str], ItemSource],
        wake: Callable[[str], object],
        restore_rules: Callable[[Person, Reversal], int],
        restore_marks: Callable[[Collection[MarkBefore]], int],
        orders: DeviceOrders,
    ) -> None:
        """Prepare.

        Args:
            stores: Holds, tombstones, exclusions and chosen playlists.
            access: Checks who may still use a device.
            planning: Restores holds.
            actions: Pauses and resumes.
            library: Returns the library of an account, for items that must be queued again.
            wake: Makes all rules of an account run.
            restore_rules: Sets rules on devices as they were; returns how much was changed since.
            restore_marks: Sets hearts and played marks in Jellyfin as they were; returns the same.
            orders: Withdraws what other machines were asked to do.
        """
        self._db = stores.db
        self._access = access
        self._planning = planning
        self._actions = actions
        self._holds = stores.holds
        self._tombstones = stores.tombstones
        self._exclusions = stores.exclusions
        self._chosen = stores.chosen
        self._library = library
        self._wake = wake
        self._restore_rules = restore_rules
        self._restore_marks = restore_marks
        self._orders = orders

    def reverse(self, person: Person, reversal: Reversal) -> int | None:
        """Reverse an action; return None if the person may not (any more).

        Otherwise how many settings and marks were changed since the action: they are left.

        Raises:
            errors.JellyfinError: Items that must be queued again cannot be looked up.
        """
        if not self._may(person, reversal):
            return None
        withdrawn = [self._orders.withdraw(person, one) for one in {*reversal.orders}]
        if withdrawn and not any(withdrawn):
            # The machine has begun: a file that is deleted is gone, there as here.
            return None
        return self._carry_out(person, reversal)

    def _may(self, person: Person, reversal: Reversal) -> bool:
        """Whether the person still has the rights for a reversal."""
        is_own = reversal.user_ids <= {person.user_id}
        return (
            (is_own or person.is_admin)
            and all(self._access.may_use(person, one) for one in reversal.device_ids)
            and all(
                self._access.management_of(person, device_id).may_manage
                for device_id, *_ in reversal.settings
            )
        )

    def _describe(self, user_id: str, ids: Sequence[str]) -> Mapping[str, Item]:
        return self._library(user_id).items(ids)

    def _carry_out(self, person: Person, reversal: Reversal) -> int:
        by_user: dict[str, list[Wish]] = {}
        for hold in reversal.holds:
            item = Item(id=hold.item_id, type=ItemType.OTHER, title="")
            priority = PIN_PRIORITY if hold.reason.rule == PIN else 0
            wish = Wish(hold.user_id, hold.device_id, item, hold.reason, priority)
            by_user.setdefault(hold.user_id, []).append(wish)
        self._restore_choices(reversal)
        for user_id, wishes in by_user.items():
            self._planning.hold(wishes, partial(self._describe, user_id))
        if reversal.pins:
            self._planning.end(self._holds.stored(reversal.pins))
        for ids, action in ((reversal.resume, Action.RESUME), (reversal.pause, Action.PAUSE)):
            self._actions.act_on(person, ids, DownloadCommand(action=action))
        left = self._restore_rules(person, reversal) + self._restore_marks(reversal.marks)
        for user_id in reversal.user_ids:
            self._wake(user_id)
        return left

    def _restore_choices(self, reversal: Reversal) -> None:
        with self._db.write():
            for place in reversal.tombstones:
                self._tombstones.forget(place.user_id, place.device_id, place.item_id)
            for place, rule in reversal.exclusions:
                self._exclusions.remove(
                    place.user_id, rule, place.item_id, device_id=place.device_id
                )
            for place in reversal.removed:
                self._tombstones.put(place.user_id, place.device_id, place.item_id)
            for user_id, device_id, chosen in reversal.playlists:
                self._chosen.choose(user_id, device_id, chosen)
            for user_id, device_id, chosen in reversal.followed:
                self._chosen.drop(user_id, device_id, chosen.playlist_id)
