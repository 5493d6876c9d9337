"""Chooses what fills a device today, from all that its people have played so far.

    plays of the last months ─day by day─▶ tastes, experts ─▶ ranking ─▶ choice, with its reasons

Nothing is kept from one day to the next but what fills the device: the tastes are learned anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.domain.fill.choice import Choice, FillLimits, Ranking, choose, expect
from sidecar.domain.fill.experts import Expert, Experts, Order, rank_by_each
from sidecar.domain.fill.reasons import Facts, explain
from sidecar.domain.fill.shelf import Shelf
from sidecar.domain.fill.taste import Household, Listened, Taste

# So far back plays say something, and the ways to rank are compared.
TASTE_DAYS = 120
EXPERT_DAYS = 30


@dataclass(frozen=True, slots=True)
class PlayedItem:
    """One play of a person.

    Attributes:
        day: As `date.toordinal` numbers it.
        began: Seconds since that day began.
    """

    day: int
    item_id: str
    began: float
    seconds: float
    is_to_the_end: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One person of a device.

    Attributes:
        plays: In their order.
        candidates: The ids of what may be there because of this person.
        hearts: The ids of what has a heart.
    """

    user_id: str
    plays: Sequence[PlayedItem]
    candidates: Collection[str]
    hearts: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A device as it is before the choice.

    Attributes:
        today: The day to choose for.
        room: Bytes that other rules leave.
        sizes: For each item of the shelf the bytes that it takes there.
        present: The ids of what fills it now.
        passed_over: The ids of what may not come now.
        may_change: Bytes that may give way to something better today.
        may_go: Files that may give way to something better today.
        may_come: Files that may come today.
    """

    today: int
    room: int
    sizes: Sequence[int]
    present: Collection[str] = ()
    passed_over: Collection[str] = ()
    may_change: int
    may_go: int
    may_come: int


@dataclass(frozen=True, slots=True)
class FilledItem:
    """What fills a device: for whom, and why, as a message."""

    item_id: str
    user_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyChoice:
    """What fills a device today.

    Attributes:
        items: All of it, best first.
        added: The ids of what was not there before, best first.
        changed: Bytes of what gave way to something better.
    """

    items: tuple[FilledItem, ...] = ()
    added: tuple[str, ...] = ()
    changed: int = 0


@dataclass(slots=True)
class _Learned:
    """What was learned from the plays of all listeners up to yesterday."""

    household: Household
    tastes: Sequence[Taste]
    candidates: Sequence[frozenset[int]]
    limits: FillLimits
    experts: Experts = field(default_factory=Experts)

    def rank(self) -> Mapping[Expert, Ranking]:
        """Return how each expert ranks for the day that was looked ahead to."""
        shelf = self.household.shelf
        expected = expect(shelf, self.tastes, self.limits, self.candidates)
        return rank_by_each(expected, self.household, self.limits)


def fill_device(
    shelf: Shelf, listeners: Sequence[Listener], now: Situation, limits: FillLimits
) -> DailyChoice:
    """Choose what fills a device today; nothing if nobody has played anything."""
    if not any(one.plays for one in listeners):
        return DailyChoice()
    learned = _learn(shelf, listeners, now, limits)
    number = shelf.number
    # What nobody may have as a new file may still be there until its turn has come.
    allowed = frozenset[int]().union(*learned.candidates)
    passed = {number[one] for one in now.passed_over if one in number}
    passed.update(one for one in range(len(shelf.items)) if one not in allowed)
    ranking = learned.rank()[learned.experts.best()]
    choice = choose(
        ranking,
        room=now.room,
        present=[number[one] for one in now.present if one in number and number[one] not in passed],
        half_heard=_list_half_heard(learned, now),
        limits=limits,
        may_change=now.may_change,
        may_go=now.may_go,
        sizes=now.sizes,
        passed_over=passed,
    )
    return _tell(learned, listeners, now, ranking, choice)


def _learn(
    shelf: Shelf, listeners: Sequence[Listener], now: Situation, limits: FillLimits
) -> _Learned:
    household, number = Household(shelf), shelf.number
    tastes = [
        Taste(household, hearts={number[item] for item in one.hearts if item in number})
        for one in listeners
    ]
    candidates = [
        frozenset(number[item] for item in one.candidates if item in number) for one in listeners
    ]
    learned = _Learned(household, tastes, candidates, limits)
    days = [_sort_by_day(one.plays, number) for one in listeners]
    first = min((day for by_day in days for day in by_day), default=now.today)
    for day in range(max(first, now.today - TASTE_DAYS), now.today):
        for taste in tastes:
            taste.look_ahead(day)
        if day >= now.today - EXPERT_DAYS:
            rankings = learned.rank()
            orders = {one: Order(rankings[one].order, now.sizes) for one in rankings}
            learned.experts.name(orders, now.room)
        plays = [by_day.get(day, []) for by_day in days]
        for taste, played in zip(tastes, plays, strict=True):
            taste.learn(day, played)
        learned.experts.learn(one.item for played in plays for one in played)
    for taste in tastes:
        taste.look_ahead(now.today)
    return learned


def _sort_by_day(
    plays: Sequence[PlayedItem], number: Mapping[str, int]
) -> Mapping[int, list[Listened]]:
    by_day: dict[int, list[Listened]] = defaultdict(list)
    for one in plays:
        if one.item_id in number:
            item = number[one.item_id]
            by_day[one.day].append(Listened(item, one.began, one.seconds, one.is_to_the_end))
    return by_day


def _list_half_heard(learned: _Learned, now: Situation) -> set[int]:
    half = set[int]().union(*(one.list_half_heard(now.today) for one in learned.tastes))
    number = learned.household.shelf.number
    return {number[one] for one in now.present if number.get(one) in half}


def _tell(
    learned: _Learned,
    listeners: Sequence[Listener],
    now: Situation,
    ranking: Ranking,
    choice: Choice,
) -> DailyChoice:
    shelf = learned.household.shelf
    added = choice.added[: now.may_come]
    late = frozenset(choice.added[now.may_come :])
    facts = [Facts(shelf, [(one.day, one.item_id) for one in who.plays]) for who in listeners]
    items = []
    for one in choice.items:
        place = ranking.listener[one]
        # Of something that is there still, though nobody may want it any more, nobody holds it.
        if one in late or one not in learned.candidates[place]:
            continue
        text = explain(learned.tastes[place], facts[place], one)
        items.append(FilledItem(shelf.items[one].id, listeners[place].user_id, text))
    return DailyChoice(
        items=tuple(items),
        added=tuple(shelf.items[one].id for one in added),
        changed=choice.changed,
    )
