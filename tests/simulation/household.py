"""One person, one device and one library for a year, in memory; the decisions are the product's.

Rules, standing, plan and rest are the pure functions of `sidecar.domain`. What stands in for the
services is as they are: a rule's holds are replaced as a whole, what it does not want any more
ends after a grace, what is resting is passed over, and what nobody holds leaves the queue.
Unlike the real thing every download arrives at once, and plans that ask a person are confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.sessions import NowPlaying, QueueEntry
from sidecar.domain.rules import album_affinity, favourites, queue_ahead
from sidecar.domain.rules.context import Context
from sidecar.domain.space.budget import DeviceRoom, WantedFile
from sidecar.domain.space.eviction import (
    REST,
    HoldStrength,
    Stored,
    classify,
    is_cooling_down,
)
from sidecar.domain.space.plan import plan
from sidecar.domain.space.space import Space
from sidecar.domain.wishes import EvictionClass, Hold, Reason, Wish
from tests.fakes.clock import START
from tests.simulation.catalogue import Catalogue
from tests.simulation.outcome import Outcome

Key = tuple[str, tuple[str, str]]

BLOCK = 32 * 1024
ANN, STICK = "ann", "stick"
# Every so manieth plan is made a second time: to do it each time doubles the work.
CHECKED = 10
TRACK_S = 240


@dataclass(slots=True)
class _Waiting:
    item: Item
    priority: int
    place: int


class Household:
    """What is held, what waits and what is there."""

    def __init__(self, catalogue: Catalogue, budget: int) -> None:
        self.catalogue = catalogue
        self.outcome = Outcome()
        self.now = START
        self._budget = budget
        self._holds: dict[str, dict[tuple[str, str], datetime | None]] = defaultdict(dict)
        self._waiting: dict[str, _Waiting] = {}
        self._files: dict[str, int] = {}
        self._evicted: dict[str, datetime] = {}
        self._ever: set[str] = set()
        self._asked: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._asked_by: dict[str, set[Key]] = defaultdict(set)
        self._held_by: dict[str, set[Key]] = defaultdict(set)
        self._ending: dict[Key, datetime] = {}
        self._granted: set[str] = set()
        self._plans = 0
        self._sizes = {
            one: -(-(item.size or 0) // BLOCK) * BLOCK for one, item in catalogue.known.items()
        }
        self._numbers = {one: n for n, one in enumerate(catalogue.known)}
        self._counter = 0

    def hears(self, tracks: Sequence[Item]) -> None:
        """Play some tracks through; the client tells its queue."""
        for place, item in enumerate(tracks):
            queue = tuple(QueueEntry(one.id, None) for one in tracks[place : place + 41])
            self._ahead(NowPlaying(session_id="s", user_id=ANN, item=item, queue=queue))
            self._act(in_use={one.item_id for one in queue[:2]})
            self._counter += 1
            if item.id in self._files:
                self._files[item.id] = self._counter
            self.catalogue.heard[item.album_id or ""][item.id] = self.now
            self.now += timedelta(seconds=TRACK_S)
        self._ahead(None)
        self.looks_again()

    def looks_again(self) -> None:
        """What happens each hour, and when a playback has ended."""
        context = Context(
            user_id=ANN,
            device_id=STICK,
            settings=album_affinity.AlbumAffinitySettings(),
            now=self.now,
            library=self.catalogue,
        )
        wanted = album_affinity.make_wishes(context).wishes
        self._replace(album_affinity.NAME, wanted, context.settings.grace)
        self._act()

    def likes(self, album_id: str) -> None:
        """Give an album a heart."""
        title = Item(id=album_id, type=ItemType.ALBUM, title=album_id)
        tracks = self.catalogue.albums[album_id]
        # A person wants them from now on, whatever a rule wanted of them before.
        before = set(self._files)
        self._granted -= {one.id for one in tracks} - before
        why = favourites.make_reason(title)
        self._keep(favourites.make_wishes(why, tracks, user_id=ANN, devices=[STICK]))
        self._act()
        # Like a smaller budget: what has to go for a heart goes on a person's word.
        self._granted -= before - set(self._files)

    def likes_no_more(self, album_id: str) -> None:
        """Take the heart back."""
        for item in self.catalogue.albums[album_id]:
            self._ask_no_more(item.id, (favourites.NAME, album_id))
            self._end(item.id, (favourites.NAME, album_id), timedelta(days=1))

    def may_hold(self, budget: int) -> None:
        """Set another budget; what goes or comes for that is a person's doing, no waste."""
        before = set(self._files)
        self._budget = budget
        self._act()
        self._granted -= before - set(self._files)

    def _ahead(self, playing: NowPlaying | None) -> None:
        held = [
            Hold(0, ANN, STICK, item_id, Reason(*key, ""), self._holds[item_id][key])
            for item_id, key in sorted(self._held_by[queue_ahead.NAME])
        ]
        context = Context(
            user_id=ANN,
            device_id=STICK,
            settings=queue_ahead.QueueAheadSettings(),
            now=self.now,
            library=self.catalogue,
            playing=(playing,) if playing else (),
            held=tuple(held),
        )
        self._replace(queue_ahead.NAME, queue_ahead.make_wishes(context).wishes, timedelta(0))

    def _replace(self, rule: str, wishes: Iterable[Wish], grace: timedelta) -> None:
        wishes = list(wishes)
        asked = {(one.item.id, (one.reason.rule, one.reason.source_id)) for one in wishes}
        for item_id, key in self._asked_by[rule] - asked:
            self._ask_no_more(item_id, key)
        kept = self._keep(wishes)
        for item_id, key in self._held_by[rule] - kept:
            self._end(item_id, key, grace)

    def _keep(self, wishes: Iterable[Wish]) -> set[Key]:
        kept: set[Key] = set()
        for wish in wishes:
            item_id, key = wish.item.id, (wish.reason.rule, wish.reason.source_id)
            self._count_wish(item_id)
            self._asked[item_id].add(key)
            self._asked_by[wish.reason.rule].add((item_id, key))
            if is_cooling_down(wish.reason.rule) and self._rests(item_id):
                continue
            kept.add((item_id, key))
            is_new = key not in self._holds[item_id]
            self._holds[item_id][key] = None
            self._held_by[wish.reason.rule].add((item_id, key))
            if item_id in self._waiting:
                waiting = self._waiting[item_id]
                waiting.priority = max(waiting.priority, wish.priority)
            elif item_id not in self._files and is_new:
                self._counter += 1
                item = self.catalogue.known[item_id]
                self._waiting[item_id] = _Waiting(item, wish.priority, self._counter)
        return kept

    def _count_wish(self, item_id: str) -> None:
        if item_id not in self._ever:
            self._ever.add(item_id)
            self.outcome.wanted += self.catalogue.known[item_id].size or 0

    def _ask_no_more(self, item_id: str, key: tuple[str, str]) -> None:
        self._asked[item_id].discard(key)
        self._asked_by[key[0]].discard((item_id, key))
        if not self._asked[item_id]:
            del self._asked[item_id]
            self._granted.discard(item_id)

    def _end(self, item_id: str, key: tuple[str, str], grace: timedelta) -> None:
        if self._holds[item_id].get(key, self.now) is None:
            self._holds[item_id][key] = self._ending[item_id, key] = self.now + grace

    def _rests(self, item_id: str) -> bool:
        evicted = self._evicted.get(item_id)
        return evicted is not None and self.now < evicted + REST

    def _let_go(self) -> None:
        for (item_id, key), until in list(self._ending.items()):
            if self._holds[item_id].get(key) is None:
                del self._ending[item_id, key]
            elif until <= self.now:
                del self._ending[item_id, key], self._holds[item_id][key]
                self._held_by[key[0]].discard((item_id, key))
            if not self._holds[item_id]:
                del self._holds[item_id]
                self._waiting.pop(item_id, None)

    def _act(self, in_use: Collection[str] = ()) -> None:
        self._let_go()
        if not self._waiting and sum(map(self._size, self._files)) <= self._budget:
            return
        found = plan(self._room(), self._stored(in_use), self._wanted())
        names = {number: item_id for item_id, number in self._numbers.items()}
        for step in found.removals:
            item_id = names[step.download_id]
            del self._files[item_id]
            self._evicted[item_id] = self.now
            self.outcome.evicted += 1
        for step in found.adds:
            self._fetch(names[step.download_id])
        self._check(in_use)

    def _fetch(self, item_id: str) -> None:
        del self._waiting[item_id]
        self._files[item_id] = 0
        size = self.catalogue.known[item_id].size or 0
        self.outcome.fetched += size
        self.outcome.granted += 0 if item_id in self._granted else size
        self._granted.add(item_id)
        by_rules = classify(self._grips(item_id)) is not EvictionClass.LASTING
        self.outcome.too_soon += by_rules and self._rests(item_id)

    def _check(self, in_use: Collection[str]) -> None:
        used = sum(map(self._size, self._files))
        if used > self._budget:
            self.outcome.over += any(one.may_go for one in self._stored(in_use))
        self._plans += 1
        if self._plans % CHECKED:
            return
        again = plan(self._room(), self._stored(in_use), self._wanted())
        self.outcome.unsettled += bool(again.adds or again.removals)

    def _room(self) -> DeviceRoom:
        total = 10**13
        free = total - sum(map(self._size, self._files))
        space = Space(total=total, free=free, block=BLOCK, largest_file=None)
        return DeviceRoom(name="Car stick", space=space, budget=self._budget, reserve=0)

    def _size(self, item_id: str) -> int:
        return self._sizes[item_id]

    def _stored(self, in_use: Collection[str]) -> list[Stored]:
        return [
            Stored(
                download_id=self._numbers[item_id],
                item_id=item_id,
                size=self.catalogue.known[item_id].size or 0,
                last_used=used,
                eviction_class=classify(self._grips(item_id)),
                is_in_use=item_id in in_use,
            )
            for item_id, used in self._files.items()
        ]

    def _wanted(self) -> list[WantedFile]:
        return [
            WantedFile(
                download_id=self._numbers[item_id],
                item_id=item_id,
                size=one.item.size,
                standing=classify(self._grips(item_id)),
                priority=one.priority,
                place=one.place,
            )
            for item_id, one in self._waiting.items()
        ]

    def _grips(self, item_id: str) -> list[HoldStrength]:
        holds = self._holds.get(item_id, {})
        return [
            HoldStrength(rule, is_ending=until is not None) for (rule, _), until in holds.items()
        ]
