"""Replays a history day by day: each night the device is updated, each day it is taken along.

    plays of a day ─▶ hit or miss ─▶ rules ─▶ holds ─▶ plan and eviction ─▶ files of the next day

The rules, the eviction classes, the plan and the choice of `fill` are the product's own functions.
What stands in for the services is as they are: a rule's holds are replaced as a whole, what is not
wanted any more ends after its grace, what was evicted rests for a week. Everything arrives in the
night, and plans that ask a person are confirmed. What only a running client tells, its queue, a
history does not tell: the rule for queues finds nothing in it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sidecar.domain.fill.choice import FULL, FillLimits, Ranking, choose, expect
from sidecar.domain.fill.experts import Expert, Experts, Order, rank_by_each
from sidecar.domain.fill.shelf import Candidate, Shelf
from sidecar.domain.fill.taste import WEEK, Household, Listened, Taste, is_half_heard
from sidecar.domain.replay.device import PastDevice
from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.history import UPDATED_AT, History, PastPlay, begin_of
from sidecar.domain.replay.library import PastLibrary, counts, list_items
from sidecar.domain.replay.yardsticks import (
    CHANCE,
    LEAST_RECENTLY_USED,
    MOST_PLAYED,
    Yardsticks,
    fill_in_order,
)
from sidecar.domain.rules import album_affinity
from sidecar.domain.rules.context import Context, RuleSettings
from sidecar.domain.rules.registry import COMPUTED_RULES
from sidecar.domain.space.eviction import HoldStrength, classify
from sidecar.domain.wishes import EvictionClass

RULES = "rules"
FILL = "fill"
YARDSTICKS = (MOST_PLAYED, LEAST_RECENTLY_USED, CHANCE)
RUNS = (RULES, FILL, *YARDSTICKS)
# After so many days without a play nothing changes any more until the next.
QUIET_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """With which settings a history is replayed.

    Attributes:
        budgets: In bytes; each is a device of its own.
        settings: Of the rules that are not as by default, by their names.
        limits: Of `fill`.
        liked_albums: While `fill` is on, the albums that people like have no room of their own:
            that they were begun counts as evidence.
        runs: Which are made.
    """

    budgets: Sequence[int]
    settings: dict[str, RuleSettings] = field(default_factory=dict)
    limits: FillLimits = field(default_factory=FillLimits)
    liked_albums: bool = True
    runs: Collection[str] = RUNS


@dataclass(slots=True)
class _Held:
    """What the rules hold on all devices alike: a hold depends on no budget.

    Attributes:
        until: For each item the holds of it: the rule, and the day when it ends; None if it lasts.
        priority: Of the wish.
    """

    until: dict[int, dict[str, datetime | None]] = field(default_factory=dict)
    priority: dict[int, int] = field(default_factory=dict)
    _of_rule: dict[str, dict[int, None]] = field(default_factory=lambda: defaultdict(dict))

    def replace(self, rule: str, wished: dict[int, int], grace: timedelta, now: datetime) -> None:
        """Hold what a rule wishes now, and end what it does not wish any more."""
        held = self._of_rule[rule]
        for item, priority in wished.items():
            self.until.setdefault(item, {})[rule] = None
            self.priority[item] = priority
            held[item] = None
        for item in [one for one in held if one not in wished]:
            holds = self.until[item]
            end = holds[rule]
            if end is None:
                holds[rule] = now + grace
            elif end <= now:
                del holds[rule], held[item]
                if not holds:
                    del self.until[item]

    def standing(self) -> dict[int, EvictionClass]:
        """Return the eviction class of each item."""
        known: dict[tuple[tuple[str, bool], ...], EvictionClass] = {}
        found: dict[int, EvictionClass] = {}
        for item, holds in self.until.items():
            key = tuple([(rule, end is not None) for rule, end in holds.items()])
            stands = known.get(key)
            if stands is None:
                stands = classify(HoldStrength(rule, is_ending=end) for rule, end in key)
                known[key] = stands
            found[item] = stands
        return found

    def wanted(self) -> list[tuple[int, int]]:
        """Return what is wanted now, with priorities."""
        return [
            (item, self.priority[item])
            for item, holds in self.until.items()
            if None in holds.values()
        ]


class _Filling:
    """What `fill` has chosen for one device."""

    def __init__(self, device: PastDevice, sizes: Sequence[int]) -> None:
        self.device = device
        self.experts = Experts()
        self._sizes = sizes
        self._chosen: tuple[int, ...] = ()
        self._changed: deque[tuple[int, int]] = deque()

    def update(
        self,
        day: int,
        rankings: Mapping[Expert, Ranking],
        orders: Mapping[Expert, Order],
        *,
        standing: Mapping[int, EvictionClass],
        wanted: Sequence[tuple[int, int]],
        half_heard: Collection[int],
        limits: FillLimits,
    ) -> None:
        """Choose anew, and update the device."""
        files = self.device.files
        taken = {item for item, _ in wanted} | {one for one in files if one in standing}
        room = max(0, self.device.figures.budget - sum(self._sizes[one] for one in taken))
        present = [one for one in self._chosen if one in files and one not in taken]
        while self._changed and self._changed[0][0] <= day - WEEK:
            self._changed.popleft()
        before = sum(size for _, size in self._changed)
        self.experts.name(orders, room)
        choice = choose(
            rankings[self.experts.best()],
            room=room,
            present=present,
            half_heard=[one for one in present if one in half_heard],
            limits=limits,
            may_change=room * limits.turnover // FULL - before,
            sizes=self._sizes,
            passed_over=taken | self.device.resting_unplayed(day),
        )
        self._chosen = choice.items
        self._changed.append((day, choice.changed))
        filled = {**dict.fromkeys(choice.items, EvictionClass.FILLING), **standing}
        self.device.update(day, filled, [*wanted, *((one, 0) for one in choice.added)])


def replay(
    history: History, scenario: Scenario, progress: Callable[[float], None] = lambda _: None
) -> list[Figures]:
    """Replay a history, and return what each run came to, by budgets.

    Args:
        history: What was played.
        scenario: The settings, and which runs are made.
        progress: Called each day with the share of the days that are done.
    """
    run = _Replay(history, scenario)
    days = list(_list_days(history.plays))
    for place, (day, plays) in enumerate(days):
        run.pass_day(day, plays)
        progress((place + 1) / len(days))
    return [one for budget in scenario.budgets for one in run.figures if one.budget == budget]


class Replay(Protocol):
    """Replays as `replay` does, in this process or in several."""

    def __call__(
        self, history: History, scenario: Scenario, progress: Callable[[float], None] = ...
    ) -> list[Figures]:
        """Replay a history, and return what each run came to, by budgets."""


def split_budgets(budgets: Iterable[int], parts: int) -> list[list[int]]:
    """Divide budgets so that each part takes about as long; no part is empty.

    A large device takes longer, by about its size.
    """
    found: list[list[int]] = [[] for _ in range(parts)]
    for budget in sorted(set(budgets), reverse=True):
        min(found, key=sum).append(budget)
    return [one for one in found if one]


class _Replay:
    """The state of all runs: they go through each day side by side."""

    def __init__(self, history: History, scenario: Scenario) -> None:
        self.figures = [
            Figures(name=name, budget=budget)
            for budget in dict.fromkeys(scenario.budgets)
            for name in RUNS
            if name in scenario.runs
        ]
        self._history, self._scenario = history, scenario
        self._ids = list(history.items)
        self._number = {one: n for n, one in enumerate(self._ids)}
        self._sizes = [one.size for one in history.items.values()]
        known, albums = list_items(history)
        self._users = history.users
        self._libraries = {one: PastLibrary(albums, known) for one in self._users}
        self._held = _Held(), _Held()
        self._yardsticks = Yardsticks(self._ids)
        self._household = Household(_make_shelf(history))
        self._tastes = {one: Taste(self._household) for one in self._users}
        devices = {id(one): PastDevice(one, self._ids, self._sizes) for one in self.figures}
        self._devices = [devices[id(one)] for one in self.figures if one.name == RULES]
        self._fillings = [
            _Filling(devices[id(one)], self._sizes) for one in self.figures if one.name == FILL
        ]
        self._simple: dict[int, set[int]] = {
            id(one): set() for one in self.figures if one.name in YARDSTICKS
        }
        self._all = devices
        self._played: set[int] = set()
        self._plays = 0
        self._first_day: int | None = None
        self._week: int | None = None

    def pass_day(self, day: int, plays: Sequence[PastPlay]) -> None:
        """Update all devices in the night, then count the plays of the day."""
        if self._first_day is None:
            self._first_day = day
        week = (day - self._first_day) // WEEK
        if week != self._week:
            self._week = week
            for one in self.figures:
                one.begin_week()
        self._update(day)
        items = [self._number[one.item_id] for one in plays]
        self._count(items)
        self._learn(day, plays, items)

    def _update(self, day: int) -> None:
        now = begin_of(day) + UPDATED_AT
        if self._devices or self._fillings:
            self._run_rules(now)
        standing, wanted = self._held[0].standing(), self._held[0].wanted()
        for device in self._devices:
            device.update(day, standing, wanted)
        self._fill(day)
        self._measure(day)

    def _run_rules(self, now: datetime) -> None:
        for rule in COMPUTED_RULES:
            settings = self._scenario.settings.get(rule.name) or rule.settings()
            wished: dict[int, int] = {}
            for user in self._users if settings.enabled else ():
                context: Context[Any] = Context(
                    user_id=user,
                    device_id="",
                    settings=settings,
                    now=now,
                    library=self._libraries[user],
                )
                for wish in rule.wishes(context).wishes:
                    number = self._number[wish.item.id]
                    wished[number] = max(wish.priority, wished.get(number, wish.priority))
            self._held[0].replace(rule.name, wished, settings.grace, now)
            if self._scenario.liked_albums and rule.name == album_affinity.NAME:
                wished = {}
            self._held[1].replace(rule.name, wished, settings.grace, now)

    def _fill(self, day: int) -> None:
        if not self._fillings:
            return
        tastes = list(self._tastes.values())
        for taste in tastes:
            taste.look_ahead(day)
        limits = self._scenario.limits
        expected = expect(self._household.shelf, tastes, limits)
        rankings = rank_by_each(expected, self._household, limits)
        orders = {one: Order(ranking.order, self._sizes) for one, ranking in rankings.items()}
        half_heard = set().union(*(one.list_half_heard(day) for one in tastes))
        standing, wanted = self._held[1].standing(), self._held[1].wanted()
        for filling in self._fillings:
            filling.update(
                day,
                rankings,
                orders,
                standing=standing,
                wanted=wanted,
                half_heard=half_heard,
                limits=limits,
            )

    def _measure(self, day: int) -> None:
        if not self._simple:
            return
        orders = self._yardsticks.orders(day)
        for figures in self.figures:
            if figures.name not in orders:
                continue
            before = self._simple[id(figures)]
            after = fill_in_order(orders[figures.name], self._sizes, figures.budget)
            fetched = sum(self._sizes[one] for one in after - before)
            figures.count_bytes(fetched, sum(self._sizes[one] for one in before - after))
            self._simple[id(figures)] = after

    def _count(self, items: Iterable[int]) -> None:
        there: list[tuple[Figures, Collection[int]]] = [
            (one, self._simple.get(id(one), self._all[id(one)].files)) for one in self.figures
        ]
        for item in items:
            is_repeat = item in self._played
            self._played.add(item)
            for figures, files in there:
                figures.count_play(item, is_hit=item in files, is_repeat=is_repeat)
            self._plays += 1
            for device in self._all.values():
                device.use(item, self._plays)

    def _learn(self, day: int, plays: Sequence[PastPlay], items: Sequence[int]) -> None:
        self._yardsticks.learn(items)
        listened: dict[str, list[Listened]] = defaultdict(list)
        for play, number in zip(plays, items, strict=True):
            item = self._history.items[play.item_id]
            if counts(play, item):
                self._libraries[play.user].learn(play, item.album_id)
            began = play.began - begin_of(day)
            is_half = is_half_heard(play.seconds, item.length)
            listened[play.user].append(
                Listened(number, began.total_seconds(), play.seconds, is_to_the_end=not is_half)
            )
        if self._fillings:
            for user, taste in self._tastes.items():
                taste.learn(day, listened[user])
            for filling in self._fillings:
                filling.experts.learn(items)


def _make_shelf(history: History) -> Shelf:
    return Shelf(
        Candidate(
            id=one.id,
            title=one.title,
            size=one.size,
            seconds=one.length,
            album_id=one.album_id,
            album=one.album,
            artist=one.artist,
            genre=one.genre,
        )
        for one in history.items.values()
    )


def _list_days(plays: Sequence[PastPlay]) -> Iterator[tuple[int, list[PastPlay]]]:
    """Yield each day with its plays, also those without any, but no long time without any."""
    by_day: dict[int, list[PastPlay]] = defaultdict(list)
    for play in plays:
        by_day[play.day].append(play)
    last: int | None = None
    for day in sorted(by_day):
        if last is not None:
            yield from ((one, []) for one in range(last + 1, min(day, last + 1 + QUIET_DAYS)))
        yield day, by_day[day]
        last = day
