"""Chooses once a day what fills each device that the rule `fill` is on for.

    each night, or a changed setting ─▶ plays, library, room ─▶ domain.fill ─▶ rules of each account

It is done where the rules run, also for a device on another machine, which tells what room it has.
It costs at most `MOST_LOOKS` looks at the library a day and device, of `MOST_REQUESTS` requests
each, one row written twice for each look, and `MOST_FILES` new files a day. How much has changed
lately is kept, so that no restart lets more change.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.config import DeviceSettings
from sidecar.domain.downloads.download import Status
from sidecar.domain.fill.choice import FULL
from sidecar.domain.fill.daily import (
    TASTE_DAYS,
    DailyChoice,
    Listener,
    PlayedItem,
    Situation,
    fill_device,
)
from sidecar.domain.fill.shelf import Candidate, Shelf
from sidecar.domain.fill.taste import WEEK, is_half_heard
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules import fill
from sidecar.domain.rules.context import Filling
from sidecar.domain.rules.fill import FillSettings
from sidecar.domain.space.budget import DeviceRoom, WantedFile
from sidecar.domain.space.plan import FEW, FEW_OF_ALL, plan
from sidecar.domain.wishes import EvictionClass, Hold
from sidecar.errors import DeviceError, JellyfinError
from sidecar.jellyfin.library.candidates import FillCandidates, ListedTrack
from sidecar.process.threads import attempt, run_periodically
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.rules.fill.choices import FillChoices
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.inventory import Holdings
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
AGAIN_AFTER_S = 3600.0
# The bounds for one device and day.
MOST_LOOKS = 3
MOST_REQUESTS = 50
MOST_FILES = 1000
# Of the requests of a look, so many ask what is similar to what each person played last, and so
# many for an instant mix of it.
ASKED_ABOUT, ASKED_TO_MIX = 3, 1
SUGGESTING = ASKED_ABOUT + ASKED_TO_MIX
# A day begins at this hour (UTC), when nobody listens.
BEGINS_AT = timedelta(hours=4)
USUAL_SIZE = 8_000_000
# Covers, playlists and the like need some of the room as well.
KEPT_CLEAR = 0.02
HELD = frozenset({Status.COMPLETED, Status.PENDING, Status.DOWNLOADING})

Look = Callable[[str], tuple[DeviceRoom, Holdings]]


@dataclass(frozen=True, slots=True)
class _Record:
    """What is kept of a device from one look to the next.

    Attributes:
        day: The day of the last look.
        looks: How many there were on it.
        chosen_for: The settings that were chosen for on that day; empty before that.
        changed: The bytes that gave way to something better, by the days of the last week.
    """

    day: int = 0
    looks: int = 0
    chosen_for: str = ""
    changed: Mapping[int, int] = field(default_factory=dict)

    def begin_look(self, today: int) -> _Record:
        """Return it with one more look."""
        changed = {day: size for day, size in self.changed.items() if today - WEEK < day <= today}
        looks = self.looks + 1 if self.day == today else 1
        return _Record(today, looks, "", changed)

    def finish(self, settings: str, changed: int) -> _Record:
        """Return it after the choice."""
        sizes = {**self.changed, self.day: self.changed.get(self.day, 0) + changed}
        return replace(self, chosen_for=settings, changed=sizes)

    def write(self) -> str:
        """Return it as it is stored."""
        return json.dumps([self.day, self.looks, self.chosen_for, list(self.changed.items())])


def _read_record(text: str | None) -> _Record:
    if text is None:
        return _Record()
    day, looks, chosen_for, changed = json.loads(text)
    return _Record(day, looks, chosen_for, dict(changed))


@dataclass(frozen=True, slots=True)
class _Device:
    """A device that is attached, on whatever machine."""

    id: str
    settings: DeviceSettings


@dataclass(frozen=True, slots=True)
class _Found:
    """What the library has for one person."""

    account: Account
    tracks: Mapping[str, ListedTrack]
    similar: Mapping[str, tuple[str, ...]]
    is_whole: bool


class FillService:
    """Chooses what fills the devices, in one thread; the rules of the accounts do the rest."""

    def __init__(
        self,
        choices: FillChoices,
        *,
        accounts: AccountService,
        may_ask_for: Callable[[str], bool],
        registry: DeviceRegistry,
        stores: Stores,
        book: RuleSettingsService,
        look_at: Look,
        not_taken: Callable[[str, str], str | None],
        wake: Callable[[str], object],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            choices: Where the choice is put.
            accounts: Who is signed in, and their clients.
            may_ask_for: Whether the server may be asked for an account.
            registry: The devices.
            stores: Plays, holds, downloads and what is kept of each device.
            book: The settings of the rule.
            look_at: Returns the limits of a device and what is there and waits.
            not_taken: Returns why a device does not take a type of item; None if it does.
            wake: Called with an account for which something was chosen.
            clock: The time.
        """
        self._choices = choices
        self._accounts = accounts
        self._may_ask_for = may_ask_for
        self._registry = registry
        self._stores = stores
        self._book = book
        self._look_at = look_at
        self._not_taken = not_taken
        self._wake = wake
        self._clock = clock
        self._again_at: dict[str, float] = {}

    def run(self, stop: Event) -> None:
        """Look every few seconds whether a device is due, until `stop` is set."""
        run_periodically(
            self.step,
            stop,
            lambda: self._clock.wait(stop, LOOK_EVERY_S),
            "choosing what fills the devices",
        )

    def step(self) -> None:
        """Choose for each device that is due; cheap if none is."""
        for device_id, now in self._registry.attached_anywhere().items():
            settings, device = self._book.of(fill.RULE, device_id), _Device(device_id, now)
            if (
                settings.enabled
                and self._registry.is_usable_anywhere(device_id)
                and self._is_due(device, settings)
            ):
                work = partial(self._choose, device, settings)
                attempt(work, f"choosing what fills {device.settings.name}")

    # -- inside

    def _today(self) -> int:
        return (self._clock.now() - BEGINS_AT).toordinal()

    def _key(self, device: _Device) -> str:
        return f"fill:{device.id}"

    def _record(self, device: _Device) -> _Record:
        return _read_record(self._stores.meta.get(self._key(device)))

    def _is_due(self, device: _Device, settings: FillSettings) -> bool:
        record = self._record(device)
        if record.day != self._today():
            return self._clock.monotonic() >= self._again_at.get(device.id, 0.0)
        if record.looks >= MOST_LOOKS:
            return False
        is_new = bool(record.chosen_for) and record.chosen_for != repr(settings)
        is_failed = not record.chosen_for
        is_time = self._clock.monotonic() >= self._again_at.get(device.id, 0.0)
        return is_new or (is_failed and is_time)

    def _choose(self, device: _Device, settings: FillSettings) -> None:
        people = self._list_people(device)
        if not people or self._not_taken(device.id, ItemType.AUDIO) is not None:
            return
        # Before anything is asked: also a look that fails counts.
        record = self._record(device).begin_look(self._today())
        self._stores.meta.set(self._key(device), record.write())
        self._again_at[device.id] = self._clock.monotonic() + AGAIN_AFTER_S
        plays = {one.user_id: self._list_plays(one.user_id, record.day) for one in people}
        found = self._ask(people, plays)
        if found is None:
            return
        try:
            choice, filling = self._fill(device, settings, record, found, plays)
        except DeviceError as trouble:
            log.info("what fills a device cannot be chosen: %s", trouble)
            return
        self._stores.meta.set(
            self._key(device), record.finish(repr(settings), choice.changed).write()
        )
        self._choices.put(device.id, filling)
        log.info(
            "%s is filled with %d files, %d of them new",
            device.settings.name,
            len(choice.items),
            len(choice.added),
        )
        for one in people:
            self._wake(one.user_id)

    def _list_people(self, device: _Device) -> list[Account]:
        """Return who uses a device; as many as the requests of a look suffice for."""
        return [
            one
            for one in self._accounts.signed_in()
            if device.settings.serves(one.name) and self._may_ask_for(one.user_id)
        ][: MOST_REQUESTS // (SUGGESTING + 1)]

    def _list_plays(self, user_id: str, today: int) -> Sequence[PlayedItem]:
        since = datetime.combine(
            datetime.fromordinal(max(1, today - TASTE_DAYS)).date(), time(), UTC
        )
        plays = []
        for one in self._stores.plays.list_since(user_id, since):
            is_half = is_half_heard(one.seconds_heard, one.run_time or 0.0)
            if not one.counts and not is_half:
                continue
            began = one.started_at - BEGINS_AT
            of_day = timedelta(hours=began.hour, minutes=began.minute, seconds=began.second)
            plays.append(
                PlayedItem(
                    began.toordinal(),
                    one.item_id,
                    of_day.total_seconds(),
                    one.seconds_heard,
                    is_to_the_end=not is_half,
                )
            )
        return [one for one in plays if one.day < today]

    def _ask(
        self, people: Sequence[Account], plays: Mapping[str, Sequence[PlayedItem]]
    ) -> list[_Found] | None:
        """Ask for the library of each person; None if it cannot be asked for all of them."""
        each = MOST_REQUESTS // len(people)
        found = []
        for one in people:
            try:
                client = FillCandidates(self._accounts.client(one.user_id))
                listed = client.list_tracks(each - SUGGESTING)
                last = dict.fromkeys(play.item_id for play in reversed(plays[one.user_id]))
                tracks = {track.item.id: track for track in listed.tracks}
                asked = [item_id for item_id in last if item_id in tracks][:ASKED_ABOUT]
                suggested = {item_id: tuple(client.list_similar(item_id)) for item_id in asked}
                for item_id in asked[:ASKED_TO_MIX]:
                    both = (*suggested[item_id], *client.list_mixed(item_id))
                    suggested[item_id] = tuple(dict.fromkeys(both))
            except JellyfinError as trouble:
                log.info("what fills a device cannot be chosen for %s: %s", one.name, trouble)
                return None
            found.append(_Found(one, tracks, suggested, listed.is_whole))
        return found

    def _fill(
        self,
        device: _Device,
        settings: FillSettings,
        record: _Record,
        found: Sequence[_Found],
        plays: Mapping[str, Sequence[PlayedItem]],
    ) -> tuple[DailyChoice, Mapping[str, tuple[Filling, ...]]]:
        limits, there = self._look_at(device.id)
        shelf = _make_shelf(found)
        held = self._list_held(device)
        filling = EvictionClass.FILLING
        firm = {one.item_id for one in there.stored if one.eviction_class > filling}
        firm |= {one.item_id for one in there.waiting if one.standing > filling}
        # Of people who are not asked now, and what a short list does not have: it stays.
        others = held.keys() - shelf.number.keys() - firm
        gone = self._list_gone(device, [*shelf.number, *held])
        mine = held.keys() - others - firm - gone
        room = self._count_room(device, limits, there, firm | others, mine)
        sizes = _list_sizes(shelf, limits, there)
        now = Situation(
            today=record.day,
            room=room,
            sizes=sizes,
            present=sorted(mine),
            passed_over=firm | others | (gone & held.keys()) | self._list_unfit(device, shelf),
            may_change=max(0, room * settings.turnover // FULL - sum(record.changed.values())),
            # Half of what needs a person's yes: other rules may have something to remove as well.
            may_go=max(FEW // 2, int(FEW_OF_ALL / 2 * len(there.stored))),
            may_come=MOST_FILES,
        )
        people = [
            Listener(
                user_id=one.account.user_id,
                plays=plays[one.account.user_id],
                candidates=self._list_allowed(device, one),
                hearts=self._stores.hearts.favourites(one.account.user_id).keys(),
            )
            for one in found
        ]
        choice = fill_device(shelf, people, now, settings.limits)
        choice = leave_quiet(choice, limits, there, dict(zip(shelf.number, sizes, strict=True)))
        return choice, _share(choice, found, [held[one] for one in others])

    def _list_held(self, device: _Device) -> Mapping[str, Hold]:
        """Return what the rule holds on a device for anybody, by item."""
        return {
            hold.item_id: hold
            for account in self._stores.accounts.all()
            for hold in self._stores.holds.of_rule(account.user_id, device.id, fill.NAME)
        }

    def _count_room(
        self,
        device: _Device,
        limits: DeviceRoom,
        there: Holdings,
        taken: Collection[str],
        mine: Collection[str],
    ) -> int:
        """Return the bytes that the other rules leave."""
        ours = sum(limits.takes(one.size) for one in there.stored)
        whole = min(limits.most - limits.aside, limits.space.free - limits.kept + ours)
        used = sum(limits.takes(one.size) for one in there.stored if one.item_id in taken)
        used += sum(limits.takes(one.size or 0) for one in there.waiting if one.item_id in taken)
        for one in self._stores.inventory.list_running(device.id):
            download = self._stores.downloads.queries.get(one.download_id)
            if download is None or download.item_id not in mine:
                used += limits.takes(one.size)
        return max(0, int((whole - used) * (1.0 - KEPT_CLEAR)))

    def _list_gone(self, device: _Device, item_ids: Iterable[str]) -> set[str]:
        """Return what is not on a device and does not wait for it either."""
        asked = [(device.id, one) for one in item_ids]
        standings = self._stores.downloads.queries.standings(asked)
        there = {item_id for (_, item_id), one in standings.items() if one.status in HELD}
        return {item_id for _, item_id in asked if item_id not in there}

    def _list_unfit(self, device: _Device, shelf: Shelf) -> set[str]:
        """Return what cannot come now: it failed, is missing, or rests."""
        asked = [(device.id, one) for one in shelf.number]
        standings = self._stores.downloads.queries.standings(asked)
        resting = self._stores.rests.list_unplayed(device.id, self._clock.now())
        return set(resting) | {
            item_id
            for (_, item_id), one in standings.items()
            if one.is_missing or one.status not in HELD | {Status.REMOVED}
        }

    def _list_allowed(self, device: _Device, found: _Found) -> set[str]:
        """Return what may come because of a person: nothing that they removed or excluded."""
        place = (found.account.user_id, device.id)
        removed = self._stores.tombstones.items(*place)
        excluded = {
            item_id for rule, item_id in self._stores.exclusions.of(*place) if rule == fill.NAME
        }
        return {
            item_id
            for item_id, one in found.tracks.items()
            if item_id not in removed
            and not {item_id, one.item.album_id} & excluded
            and one.item.can_download is not False
        }


def _share(
    choice: DailyChoice, found: Sequence[_Found], others: Iterable[Hold]
) -> Mapping[str, tuple[Filling, ...]]:
    """Return each person's part of a choice; what a short list does not have stays theirs."""
    parts: dict[str, list[Filling]] = {one.account.user_id: [] for one in found}
    tracks = {one.account.user_id: one.tracks for one in found}
    short = {one.account.user_id for one in found if not one.is_whole}
    for one in choice.items:
        parts[one.user_id].append(Filling(tracks[one.user_id][one.item_id].item, one.text))
    for hold in others:
        if hold.user_id in short:
            source = hold.reason.source_id
            album_id = source if source != hold.item_id else None
            item = Item(id=hold.item_id, type=ItemType.AUDIO, title="", album_id=album_id)
            parts[hold.user_id].append(Filling(item, hold.reason.text))
    return {user_id: tuple(part) for user_id, part in parts.items()}


def _make_shelf(found: Sequence[_Found]) -> Shelf:
    """Return what all these people may see, and what the server calls similar to what."""
    similar: dict[str, tuple[str, ...]] = {}
    for one in found:
        similar |= one.similar
    return Shelf(
        Candidate(
            id=track.item.id,
            title=track.item.title,
            size=track.item.size or USUAL_SIZE,
            seconds=track.item.seconds,
            album_id=track.item.album_id,
            album=track.item.album,
            artist=track.item.album_artist or track.item.artist,
            genre=track.genre,
            added=track.added,
            similar=similar.get(track.item.id, ()),
        )
        for one in found
        for track in one.tracks.values()
    )


def _list_sizes(shelf: Shelf, limits: DeviceRoom, there: Holdings) -> Sequence[int]:
    """Return the bytes that each item takes: those of its file if it is there."""
    known = {one.item_id: one.size or 0 for one in there.waiting}
    known |= {one.item_id: one.size for one in there.stored}
    return [limits.takes(known.get(one.id) or max(1, one.size)) for one in shelf.items]


def leave_quiet(
    choice: DailyChoice, limits: DeviceRoom, there: Holdings, sizes: Mapping[str, int]
) -> DailyChoice:
    """Let only so much come that what goes for it needs nobody's yes.

    Args:
        choice: What is to fill the device.
        limits: Of the device.
        there: What is there and waits.
        sizes: The bytes of each item.
    """
    chosen = {one.item_id for one in choice.items}
    filling, nothing = EvictionClass.FILLING, EvictionClass.NOTHING
    stored = [
        replace(one, eviction_class=filling if one.item_id in chosen else nothing)
        if one.eviction_class <= filling
        else one
        for one in there.stored
    ]
    waiting = [one for one in there.waiting if one.standing > filling or one.item_id in chosen]
    known = {one.item_id for one in stored} | {one.item_id for one in waiting}
    new = [one for one in choice.added if one not in known]
    coming = [
        WantedFile(
            download_id=-place,
            item_id=one,
            size=sizes[one],
            standing=filling,
            place=place,
        )
        for place, one in enumerate(new, 1)
    ]
    number = len(coming)
    while number and plan(limits, stored, [*waiting, *coming[:number]]).needs_confirmation:
        number //= 2
    late = set(new[number:])
    return replace(
        choice,
        items=tuple(one for one in choice.items if one.item_id not in late),
        added=tuple(one for one in choice.added if one not in late),
    )
