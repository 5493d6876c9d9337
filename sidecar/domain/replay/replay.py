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
from typing import Any

from sidecar.domain.fill.choice import FULL, FillLimits, Ranking, choose
from sidecar.domain.fill.experts import Expert, Experts, Order
from sidecar.domain.fill.taste import WEEK
from sidecar.domain.replay.device import PastDevice
from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.forecast import Forecast, make_forecasts, make_shelf
from sidecar.domain.replay.history import UPDATED_AT, History, PastPlay, begin_of, list_days
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
# What goes by the product's own plans.
PLANNED = (RULES, FILL)
RUNS = (*PLANNED, *YARDSTICKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """With which settings a history is replayed.

    Attributes:
        budgets: In bytes; two shares of a small library may be the same.
        settings: Of the rules that are not as by default, by their names.
        limits: Of `fill`.
        runs: Which are made.
    """

    budgets: Sequence[int]
    settings: dict[str, RuleSettings] = field(default_factory=dict)
    limits: FillLimits = field(default_factory=FillLimits)
    runs: Collection[str] = RUNS

    @property
    def distinct_budgets(self) -> list[int]:
        """The budgets, each once: each is a device of its own."""
        return list(dict.fromkeys(self.budgets))


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
    history: History,
    scenario: Scenario,
    progress: Callable[[float], None] = lambda _: None,
    forecasts: Iterator[Forecast] | None = None,
) -> list[Figures]:
    """Replay a history, and return what each run came to, by budgets; none is told twice.

    Args:
        history: What was played.
        scenario: The settings, and which runs are made.
        progress: Called each day with the share of the days that are done.
        forecasts: Of each day, if they are worked out elsewhere.
    """
    run = _Replay(history, scenario, forecasts or make_forecasts(history, scenario.limits))
    days = list(list_days(history.plays))
    for place, (day, plays) in enumerate(days):
        run.pass_day(day, plays)
        progress((place + 1) / len(days))
    return run.figures


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

    def __init__(self, history: History, scenario: Scenario, forecasts: Iterator[Forecast]) -> None:
        self.figures = [
            Figures(name=name, budget=budget)
            for budget in scenario.distinct_budgets
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
        # While `fill` is on, the albums that people like have no room of their own: that they were
        # begun counts as evidence.
        self._held, self._held_beside_fill = _Held(), _Held()
        self._yardsticks = Yardsticks(self._ids)
        self._shelf = make_shelf(history)
        self._forecasts = forecasts
        devices = [
            PastDevice(one, self._ids, self._sizes) for one in self.figures if one.name in PLANNED
        ]
        self._devices = [one for one in devices if one.figures.name == RULES]
        self._fillings = [_Filling(one, self._sizes) for one in devices if one.figures.name == FILL]
        self._simple: dict[int, set[int]] = {
            id(one): set() for one in self.figures if one.name in YARDSTICKS
        }
        self._planned = {id(one.figures): one for one in devices}
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
        self._learn(plays, items)

    def _update(self, day: int) -> None:
        now = begin_of(day) + UPDATED_AT
        if self._devices or self._fillings:
            self._run_rules(now)
        standing, wanted = self._held.standing(), self._held.wanted()
        for device in self._devices:
            device.update(day, standing, wanted)
        if self._fillings:
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
            self._held.replace(rule.name, wished, settings.grace, now)
            if rule.name != album_affinity.NAME:
                self._held_beside_fill.replace(rule.name, wished, settings.grace, now)

    def _fill(self, day: int) -> None:
        limits = self._scenario.limits
        forecast = next(self._forecasts)
        rankings = forecast.rank(self._shelf, len(self._users), limits)
        orders = {one: Order(ranking.order, self._sizes) for one, ranking in rankings.items()}
        held = self._held_beside_fill
        standing, wanted = held.standing(), held.wanted()
        for filling in self._fillings:
            filling.update(
                day,
                rankings,
                orders,
                standing=standing,
                wanted=wanted,
                half_heard=forecast.half_heard,
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
            (one, self._planned[id(one)].files if one.name in PLANNED else self._simple[id(one)])
            for one in self.figures
        ]
        for item in items:
            is_repeat = item in self._played
            self._played.add(item)
            for figures, files in there:
                figures.count_play(item, is_hit=item in files, is_repeat=is_repeat)
            self._plays += 1
            for device in self._planned.values():
                device.use(item, self._plays)

    def _learn(self, plays: Sequence[PastPlay], items: Sequence[int]) -> None:
        self._yardsticks.learn(items)
        for play in plays:
            item = self._history.items[play.item_id]
            if counts(play, item):
                self._libraries[play.user].learn(play, item.album_id)
        for filling in self._fillings:
            filling.experts.learn(items)
