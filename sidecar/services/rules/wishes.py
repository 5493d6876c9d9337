"""Turns wishes into holds and queued downloads, and drops holds whose grace is over.

    wishes ─▶ without what people removed or excluded ─▶ holds ─▶ the queue

Holding the same wish again is cheap. An empty, short or failed listing never releases a hold: only
a person does, or a rule that saw everything and no longer wants the item. Rules never release pins.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.downloads.download import REFUSED_TO_ACCOUNT, Download, Standing, Status
from sidecar.domain.files.folders import find_named_paths
from sidecar.domain.files.groups import ALONE, Group, make_groups
from sidecar.domain.files.naming import (
    ANY,
    FileNames,
    NameLimits,
    build_distinct_path,
    build_names,
    fill_in_parts,
    make_path_key,
)
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules import queue_ahead
from sidecar.domain.space.eviction import is_cooling_down, may_return_if_played
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import PIN, PIN_PRIORITY, Hold, Reason, Wish, was_cast
from sidecar.messages import msg
from sidecar.store.database import Database
from sidecar.store.downloads.folders import DeviceFolders
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.queue import Downloads, NewDownload, WantedAgain
from sidecar.store.rules.cooldowns import EvictionCooldowns
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.holds import Holds, WishFacts
from sidecar.store.rules.tombstones import Tombstones

log = logging.getLogger(__name__)

# Jellyfin is asked about so many wishes at once; so few are written in one transaction, as all
# other writers wait for it.
ASKED_AT_ONCE = 1000
WRITTEN_AT_ONCE = 500
# Of what is wanted soon: a worker takes the first while the rest is being written.
WRITTEN_FIRST = 5
WRITTEN_BETWEEN = 50
ASKED_AGAIN = Failure(
    FailureClass.TRANSIENT, "put-back", msg("Its file was missing, and it was requested again")
)

Describe = Callable[[Sequence[str]], Mapping[str, Item]]
Fit = Callable[[str, Item], Item]
Learn = Callable[[Sequence[Wish], Sequence[WishFacts]], object]
NotTaken = Callable[[str, str], str | None]
KnownAgain = Callable[[str, Mapping[str, Item]], Collection[str]]
GroupsOf = Callable[[str, Collection[Item], Collection[Item]], Mapping[str, Group]]


def _none_is_known(_user_id: str, _items: Mapping[str, Item]) -> Collection[str]:
    """Default: no item may be there already."""
    return ()


def as_it_is(_device_id: str, item: Item) -> Item:
    """Default: a device gets the file that Jellyfin has first."""
    return item


def _all_is_taken(_device_id: str, _item_type: str) -> None:
    """Default: a device takes all kinds of media."""


def _known_groups(
    _user_id: str, items: Collection[Item], fellows: Collection[Item]
) -> Mapping[str, Group]:
    """Default: only what the wishes themselves tell of albums and seasons."""
    return make_groups(items, fellows)


def _places(
    folders: DeviceFolders, item: Item, names: FileNames, shape: NameLimits
) -> Iterator[FilePlace]:
    """Yield possible paths of an item's file on a device, the best first; the last is unique."""
    for path in _paths(folders, item, names, shape):
        yield FilePlace(path, make_path_key(path))


def _paths(
    folders: DeviceFolders, item: Item, names: FileNames, shape: NameLimits
) -> Iterator[str]:
    film = folders.path_of(item.part_of) if item.part_of else None
    if film is None:
        yield from find_named_paths(item, names, folders, shape)
        return
    # Beside the first part of the film, whatever the folder is called there.
    name = names.usual_path.rpartition("/")[2]
    beside = f"{film.rpartition('/')[0]}/{name}"
    yield beside
    yield build_distinct_path(beside, item.id)


def make_pin(user_id: str, device_id: str, item: Item, *, of: Item | None) -> Wish:
    """Return the wish of a person who asked for an item, or for a container that it is `of`."""
    text = (
        msg("downloaded by you")
        if of is None
        else msg("downloaded by you ({title})", title=of.title)
    )
    why = Reason(PIN, item.id if of is None else of.id, text)
    return Wish(user_id, device_id, item, why, PIN_PRIORITY)


def refusal(item: Item) -> Failure | None:
    """Return why an item cannot be fetched at all; None if no reason is known."""
    if item.is_remote:
        text = msg(
            "{title} has no file of its own on the server: it only points to one", title=item.title
        )
        return Failure(FailureClass.REFUSED, "no-file", text)
    if item.disc_folder is not None:
        text = msg(
            "{title} is the folder of a {disc} disc on the server, not one file: it "
            "cannot be downloaded as it is",
            title=item.title,
            disc=item.disc_folder,
        )
        return Failure(FailureClass.REFUSED, "disc-folder", text)
    if item.can_download is False:
        # Without the title: those of an album that are refused are one reason.
        text = msg("Jellyfin does not let this account download it")
        return Failure(FailureClass.REFUSED, "not-allowed", text)
    return None


@dataclass(frozen=True, slots=True)
class _New:
    """An item that is to be queued, and what decides on its path."""

    wanted: NewDownload
    folders: DeviceFolders
    names: FileNames
    shape: NameLimits

    def places(self) -> Iterator[FilePlace]:
        """Yield its possible places as the device is now."""
        return _places(self.folders, self.wanted.item, self.names, self.shape)


@dataclass(slots=True)
class _Batch:
    """What some wishes need, of what was stored before them.

    Attributes:
        new: What has no download, in the order of the wishes.
        known: Wishes for downloads that may have to change, each with whether its reason is new,
            and how many new items are before it.
        repeated: Further wishes for the same items on the same devices.
        again: Removed downloads that are to be queued again.
        seen: The devices and items of these wishes.
    """

    new: list[_New] = field(default_factory=list)
    known: list[tuple[Wish, bool, int]] = field(default_factory=list)
    repeated: list[tuple[Wish, bool]] = field(default_factory=list)
    again: list[WantedAgain] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)


class WishService:
    """Holds wishes, queues their downloads, and releases holds. Thread-safe."""

    def __init__(
        self,
        db: Database,
        holds: Holds,
        downloads: Downloads,
        clock: Clock,
        *,
        format_of: Callable[[str, str], str] = lambda _device_id, _item_type: ORIGINAL,
        shape_of: Callable[[str], NameLimits] = lambda _device_id: ANY,
        known_again: KnownAgain = _none_is_known,
        not_taken: NotTaken = _all_is_taken,
        fit: Fit = as_it_is,
        groups_of: GroupsOf = _known_groups,
    ) -> None:
        """Prepare.

        Args:
            db: For transactions.
            holds: The stored holds.
            downloads: The queue.
            clock: For the end of holds.
            format_of: Returns the name of the format for a device and an item type.
            shape_of: Returns the limits of file names on a device.
            known_again: Called with an account and full items that have no row; updates rows whose
                item now has one of these ids, and returns the ids of items whose file may be there,
                as a person has to decide. May raise what `describe` raises.
            not_taken: Called with a device and an item type; returns the sentence that the device
                does not take it. Such a wish is held, but nothing is queued for it.
            fit: Returns an item with the version of its file that a device is to get.
            groups_of: Called with an account, full items, and what else is known of their albums;
                returns the albums, seasons and books by the ids of the items. May raise as well.
        """
        self._db = db
        self._holds = holds
        self._downloads = downloads
        self._clock = clock
        self._tombstones = Tombstones(db, clock)
        self._exclusions = Exclusions(db, clock)
        self._rests = EvictionCooldowns(db, clock)
        self._format_of = format_of
        self._shape_of = shape_of
        self._known_again = known_again
        self._groups_of = groups_of
        self._not_taken = not_taken
        self._fit = fit

    def not_taken(self, device_id: str, item_type: str) -> str | None:
        """Return the sentence that a device does not take items of a type; None if it does."""
        return self._not_taken(device_id, item_type)

    def list_not_taken(self, device_id: str, items: Iterable[Item]) -> dict[ItemType, str]:
        """Return which types of items a device does not take, each with the sentence why."""
        told = {one.type: self._not_taken(device_id, one.type) for one in items}
        return {one: text for one, text in told.items() if text is not None}

    def hold(
        self,
        wishes: Iterable[Wish],
        describe: Describe,
        *,
        between: Callable[[], object] | None = None,
    ) -> int:
        """Hold wishes, and queue the items that have no download on the device yet.

        What the person removed on purpose, or excluded from the rule, is skipped, unless it is
        pinned: a person asked for it again.

        Args:
            wishes: Their items may lack size, extension and permission.
            describe: Returns the full items to be queued, by id; called outside of any
                transaction.
            between: Called before each transaction, of which there are more then: for what must
                not wait until thousands are written.

        Returns:
            How many downloads were queued.
        """
        return sum(1 for _ in self._hold(wishes, describe, between))

    def _hold(
        self,
        wishes: Iterable[Wish],
        describe: Describe,
        between: Callable[[], object] | None = None,
        learn: Learn | None = None,
    ) -> Iterator[str]:
        """Hold wishes as they are asked for, and yield the item of each download queued."""
        for batch in batched(wishes, ASKED_AT_ONCE):
            allowed = self._allowed(batch)
            refused = self._find_not_taken(allowed)
            missing = self._missing(one for one in allowed if _place(one) not in refused)
            full = self._described(allowed, missing, describe) if missing else {}
            full = fill_in_parts(full, [wish.item for wish in allowed])
            groups = self._groups(allowed, full)
            for some in _pieces(allowed, is_urgent=between is not None):
                if between is not None:
                    between()
                with self._db.write():
                    # Checked again: a person may have objected, or have the device take less,
                    # while Jellyfin was asked.
                    still = self._allowed(some)
                    not_taken = refused | self._find_not_taken(still)
                    queued = self._keep_all(still, full, groups, not_taken, learn)
                yield from queued

    def sources(self, user_id: str, rule: str) -> frozenset[str]:
        """Return from what the holds of an account by a rule come."""
        return self._holds.sources(user_id, rule)

    def known_reason(self, user_id: str, rule: str, source_id: str) -> Reason | None:
        """Return the reason of an account's holds from one source; None if there are none."""
        return self._holds.reason_of(user_id, rule, source_id)

    def replace(
        self,
        user_id: str,
        device_id: str,
        rule: str,
        wishes: Collection[Wish],
        describe: Describe,
        *,
        grace: timedelta,
        unsure_of: Collection[str] = frozenset(),
    ) -> int:
        """Make the holds of a rule match its wishes; release the others after a grace.

        Args:
            user_id: The account of all these wishes.
            device_id: The device.
            rule: The rule whose holds are replaced.
            wishes: Everything that the rule wants there now.
            describe: As for `hold`.
            grace: If zero, unwanted downloads leave the queue at once.
            unsure_of: Sources that were not listed completely: their holds stay.

        Returns:
            How many downloads were queued.
        """
        if rule == PIN:
            raise ValueError("what a person pinned is not replaced")
        queued = self.hold(wishes, describe)
        wanted = {(wish.item.id, wish.reason.source_id) for wish in self._allowed(wishes)}
        held = self._holds.of_rule(user_id, device_id, rule)
        doubtful = [hold for hold in held if hold.reason.source_id in unsure_of]
        wanted |= {
            (one.item.id, one.reason.source_id) for one in self._allowed(map(_wish, doubtful))
        }
        unwanted = [one for one in held if (one.item_id, one.reason.source_id) not in wanted]
        if unwanted:
            self._holds.release_these(unwanted, self._clock.now() + grace)
            if not grace:
                self.release_expired()
        return queued

    def pin(
        self,
        user_id: str,
        device_id: str,
        item: Item,
        describe: Describe,
        *,
        playable: Iterable[Item] | None = None,
    ) -> int:
        """Pin an item that a person asked for, even if they removed it before.

        Args:
            user_id: The account that asked.
            device_id: The device.
            item: The item; it may be a container.
            describe: As for `hold`.
            playable: What the container expands to, in order; None for the item itself.

        Returns:
            How many downloads were queued.
        """
        items = [item] if playable is None else playable
        of = None if playable is None else item
        pins = [make_pin(user_id, device_id, one, of=of) for one in items]
        return len(self.pin_all(pins, describe))

    def pin_all(
        self, pins: Collection[Wish], describe: Describe, learn: Learn | None = None
    ) -> frozenset[str]:
        """Pin items that people asked for, even if they removed them before.

        Args:
            pins: Wishes of the rule `pin`.
            describe: As for `hold`.
            learn: Is told what was stored about pins before; of none that is not allowed.

        Returns:
            The ids of the items of which downloads were queued.
        """
        return frozenset(self._hold(pins, describe, learn=learn))

    def unpin(self, user_id: str, device_id: str, item_id: str, *, grace: timedelta) -> int:
        """Release a pin after a grace; return how many holds that concerns."""
        return self._holds.release(
            user_id=user_id,
            device_id=device_id,
            rule=PIN,
            source_id=item_id,
            at=self._clock.now() + grace,
        )

    def release(self, user_id: str, rule: str, source_id: str, *, grace: timedelta) -> None:
        """Release an account's holds from one source after a grace."""
        self._holds.release(
            user_id=user_id, rule=rule, source_id=source_id, at=self._clock.now() + grace
        )

    def release_items(
        self, user_id: str, rule: str, source_id: str, kept: Iterable[str], *, grace: timedelta
    ) -> None:
        """Release an account's holds from one source after a grace, except on `kept` items."""
        self._holds.release(
            user_id=user_id,
            rule=rule,
            source_id=source_id,
            at=self._clock.now() + grace,
            except_items=frozenset(kept),
        )

    def end(self, holds: Iterable[Hold], *, even_ending: bool = False) -> None:
        """End some holds now, as `Holds.release_these`, and cancel what nobody wants any more."""
        self._holds.release_these(holds, self._clock.now(), even_ending=even_ending)
        self.release_expired()

    def release_expired(self) -> None:
        """Drop holds whose grace is over, and cancel downloads that nobody wants any more.

        A completed file stays until its space is needed; it only loses its hold.
        """
        with self._db.write():
            dropped = self._holds.drop_due(self._clock.now())
            for hold in dropped:
                log.info("%s is no longer held: %s", hold.item_id, hold.reason.text)
            places = {(one.device_id, one.item_id) for one in dropped}
            for some in batched(places, WRITTEN_AT_ONCE):
                self._let_go_of(some)

    def _let_go_of(self, places: Collection[tuple[str, str]]) -> None:
        """Cancel or calm what waits for items on devices of which a hold has ended."""
        there = self._downloads.queries.by_items(places).values()
        holds = self._holds.reasons_for([one.id for one in there])
        unwanted: list[Download] = []
        calmer: list[tuple[Download, int]] = []
        for one in there:
            rules = {hold.reason.rule for hold in holds[one.id]}
            if not rules and one.status not in {Status.COMPLETED, Status.REMOVED}:
                unwanted.append(one)
                continue
            is_urgent = one.priority > PIN_PRIORITY and not was_cast(one.priority)
            if is_urgent and queue_ahead.NAME not in rules:
                # The hold that made it urgent has ended.
                calmer.append((one, PIN_PRIORITY if PIN in rules else 0))
        self._downloads.queue.cancel_all(unwanted)
        self._downloads.queue.prioritise_all(calmer)

    def _allowed(self, wishes: Iterable[Wish]) -> list[Wish]:
        """Return the wishes without tombstone, exclusion or eviction cooldown."""
        words: dict[tuple[str, str], tuple[frozenset[str], frozenset[tuple[str, str]]]] = {}
        resting: dict[tuple[str, bool], Collection[str]] = {}
        allowed: list[Wish] = []
        for wish in wishes:
            place, why = (wish.user_id, wish.device_id), wish.reason
            if why.rule == PIN:
                allowed.append(wish)
                continue
            if place not in words:
                words[place] = self._tombstones.items(*place), self._exclusions.of(*place)
            removed, excluded = words[place]
            if is_cooling_down(why.rule):
                rest = (wish.device_id, may_return_if_played(why.rule))
                if rest not in resting:
                    resting[rest] = self._list_resting(wish.device_id, may_return=rest[1])
                if wish.item.id in resting[rest]:
                    continue
            pairs = {(why.rule, wish.item.id), (why.rule, why.source_id)}
            if wish.item.id not in removed and not pairs & excluded:
                allowed.append(wish)
        return allowed

    def _list_resting(self, device_id: str, *, may_return: bool) -> Collection[str]:
        now = self._clock.now()
        if may_return:
            return self._rests.list_unplayed(device_id, now)
        return self._rests.list_cooling_down(device_id, now)

    def _described(
        self, wishes: Collection[Wish], missing: Collection[str], describe: Describe
    ) -> dict[str, Item]:
        """Return the full items to be queued, without those that may be here under another id."""
        full = dict(describe(sorted(missing)))
        for user_id in {one.user_id for one in wishes}:
            theirs = {
                one.item.id: full[one.item.id]
                for one in wishes
                if one.user_id == user_id and one.item.id in full
            }
            for item_id in self._known_again(user_id, theirs) if theirs else ():
                del full[item_id]
        return full

    def _find_not_taken(self, wishes: Iterable[Wish]) -> set[tuple[str, str]]:
        """Return the devices and types of wishes for what the device does not take."""
        asked = {_place(one) for one in wishes}
        return {one for one in asked if self._not_taken(*one) is not None}

    def _groups(self, wishes: Collection[Wish], full: Mapping[str, Item]) -> Mapping[str, Group]:
        found: dict[str, Group] = {}
        for user_id in {one.user_id for one in wishes}:
            theirs = [one.item for one in wishes if one.user_id == user_id]
            items = {one.id: full[one.id] for one in theirs if one.id in full}
            if items:
                found |= self._groups_of(user_id, list(items.values()), theirs)
        return found

    def _missing(self, wishes: Iterable[Wish]) -> set[str]:
        asked = list(wishes)
        there = self._downloads.queries.standings(map(_ids, asked))
        return {wish.item.id for wish in asked if _ids(wish) not in there}

    def _keep_all(
        self,
        wishes: Sequence[Wish],
        full: Mapping[str, Item],
        groups: Mapping[str, Group],
        refused: Collection[tuple[str, str]],
        learn: Learn | None = None,
    ) -> list[str]:
        """Hold wishes and queue what has no download; return the items of what was queued.

        What a device does not take (`refused`) is only held.
        """
        facts = self._holds.facts(wishes)
        if learn is not None:
            learn(wishes, facts)
        pinned = [
            (wish.user_id, *_ids(wish))
            for wish, known in zip(wishes, facts, strict=True)
            if wish.reason.rule == PIN and known.is_removed
        ]
        if pinned:
            # Only now, as Jellyfin may not have answered.
            self._tombstones.forget_all(pinned)
        are_new = self._holds.keep_all(wishes, facts)
        folders = {one.device_id: DeviceFolders(self._db, one.device_id) for one in wishes}
        batch = _Batch()
        for wish, known, is_new in zip(wishes, facts, are_new, strict=True):
            ids, standing = _ids(wish), known.standing
            if ids in batch.seen:
                batch.repeated.append((wish, is_new))
            elif _place(wish) in refused or (standing is not None and _is_served(wish, standing)):
                continue
            elif standing is not None:
                batch.seen.add(ids)
                batch.known.append((wish, is_new, len(batch.new)))
            elif (item := full.get(wish.item.id)) is not None:
                batch.seen.add(ids)
                group = groups.get(item.id, ALONE)
                batch.new.append(self._make_new(wish, item, folders[wish.device_id], group))
        return self._keep_known(batch) + self._queue_all(batch, folders) + self._keep_rest(batch)

    def _keep_known(self, batch: _Batch) -> list[str]:
        """Let downloads be what wishes need; return the items of those that were mended.

        What is to be queued again is left in `batch.again`.
        """
        if not batch.known:
            return []
        rows = self._downloads.queries.by_items(_ids(wish) for wish, _, _ in batch.known)
        raised: list[tuple[Download, int]] = []
        mended: list[str] = []
        for wish, is_new, after in batch.known:
            there = rows[_ids(wish)]
            if _is_wanted_again(wish, there, is_new=is_new):
                batch.again.append(WantedAgain(there, wish.user_id, wish.priority, after))
            elif _needs_mending(wish, there, is_new=is_new):
                if self._mend(wish, there):
                    mended.append(there.item_id)
            elif _is_raised(wish, there):
                raised.append((there, wish.priority))
        self._downloads.queue.prioritise_all(raised)
        return mended

    def _queue_all(self, batch: _Batch, folders: Mapping[str, DeviceFolders]) -> list[str]:
        """Queue new items and what is wanted again; return these items."""
        if not batch.new and not batch.again:
            return []
        for device_id, there in folders.items():
            here = [one for one in batch.new if one.wanted.device_id == device_id]
            # One statement tells what is at the usual paths; if anything is, others may be chosen.
            if here and there.learn(one.names.usual_path for one in here):
                there.learn(next(iter(one.places())).path for one in here)
        wanted = [one.wanted for one in batch.new]
        added = self._downloads.queue.add_all(wanted, folders, batch.again)
        for one, new in zip(added, wanted, strict=True):
            refused = refusal(new.item)
            if refused is not None:
                self._downloads.transitions.give_up(one, until=None, failure=refused, retry_count=0)
        return [one.item_id for one in (*added, *(again.download for again in batch.again))]

    def _keep_rest(self, batch: _Batch) -> list[str]:
        """Keep wishes for what another wish of the batch may have changed."""
        queued: list[str] = []
        for wish, is_new in batch.repeated:
            there = self._downloads.queries.by_item(*_ids(wish))
            if there is None:
                continue
            is_queued = False
            if _is_wanted_again(wish, there, is_new=is_new):
                is_queued = self._downloads.transitions.want_again(
                    there, user_id=wish.user_id, priority=wish.priority
                )
            elif _needs_mending(wish, there, is_new=is_new):
                is_queued = self._mend(wish, there)
            elif _is_raised(wish, there):
                self._downloads.queue.prioritise(there, wish.priority)
            if is_queued:
                queued.append(there.item_id)
        return queued

    def _mend(self, wish: Wish, there: Download) -> bool:
        """Queue a download whose failure or missing file this wish is the answer to."""
        if there.status is Status.FAILED:
            # It was refused to the account that fetches it: this one may have it.
            self._downloads.queue.hand_over(there, wish.user_id)
            return self._downloads.transitions.retry(there)
        # A pin answers the question of what became of the missing file.
        return self._downloads.transitions.mark_damaged(there, ASKED_AGAIN)

    def _make_new(self, wish: Wish, item: Item, folders: DeviceFolders, group: Group) -> _New:
        item = self._fit(wish.device_id, item)
        shape = self._shape_of(wish.device_id)
        names = build_names(item, shape, group)
        return _New(
            NewDownload(
                item=item,
                device_id=wish.device_id,
                user_id=wish.user_id,
                places=_places(folders, item, names, shape),
                priority=wish.priority,
                format=self._format_of(wish.device_id, item.type),
            ),
            folders,
            names,
            shape,
        )


def _pieces(wishes: Sequence[Wish], *, is_urgent: bool) -> Iterator[Sequence[Wish]]:
    """Yield wishes as they are written together: many, or few, and then each time twice as many."""
    at = 0
    count, most = (
        (WRITTEN_FIRST, WRITTEN_BETWEEN) if is_urgent else (WRITTEN_AT_ONCE, WRITTEN_AT_ONCE)
    )
    while at < len(wishes):
        yield wishes[at : at + count]
        at, count = at + count, min(2 * count, most)


def _place(wish: Wish) -> tuple[str, str]:
    return wish.device_id, str(wish.item.type)


def _ids(wish: Wish) -> tuple[str, str]:
    return wish.device_id, wish.item.id


def _is_served(wish: Wish, there: Standing) -> bool:
    """Whether a download is all that a wish needs, so that `_keep` would change nothing."""
    is_well = there.status not in {Status.REMOVED, Status.FAILED} and not there.is_missing
    return is_well and wish.priority <= min(there.priority, PIN_PRIORITY)


def _is_wanted_again(wish: Wish, there: Download, *, is_new: bool) -> bool:
    return there.status is Status.REMOVED and (is_new or wish.reason.rule == PIN)


def _needs_mending(wish: Wish, there: Download, *, is_new: bool) -> bool:
    is_refused = there.status is Status.FAILED and there.error_code in REFUSED_TO_ACCOUNT
    is_for_another = is_refused and is_new and there.user_id != wish.user_id
    return is_for_another or (there.missing_since is not None and wish.reason.rule == PIN)


def _is_raised(wish: Wish, there: Download) -> bool:
    """Whether a wish changes the priority: above pins in both directions, else it only rises."""
    cast_before = was_cast(there.priority) and not was_cast(wish.priority)
    return wish.priority > min(there.priority, PIN_PRIORITY) and not cast_before


def _wish(hold: Hold) -> Wish:
    item = Item(id=hold.item_id, type=ItemType.OTHER, title="")
    return Wish(hold.user_id, hold.device_id, item, hold.reason)
