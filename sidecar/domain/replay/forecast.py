"""What `fill` expects of each day of a history: worked out once, for devices of any size."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.fill.choice import FillLimits, Ranking, expect
from sidecar.domain.fill.experts import Expert, rank_by_each
from sidecar.domain.fill.shelf import Candidate, Shelf
from sidecar.domain.fill.taste import Household, Listened, Taste, is_half_heard
from sidecar.domain.replay.history import History, PastPlay, begin_of, list_days


@dataclass(frozen=True, slots=True)
class RankedItems:
    """A ranking without the items themselves, in little memory.

    Attributes:
        order, worth, listener: As in `Ranking`.
    """

    order: array[int]
    worth: array[float]
    listener: array[int]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of a day.

    Attributes:
        ranked: What each expert says.
        half_heard: The items that were begun of late and not ended.
    """

    ranked: Mapping[Expert, RankedItems]
    half_heard: Collection[int]

    def rank(self, shelf: Shelf, persons: int, limits: FillLimits) -> Mapping[Expert, Ranking]:
        """Return how each expert ranks the items of a shelf."""
        return {
            expert: Ranking(
                shelf=shelf,
                order=one.order,
                worth=one.worth,
                listener=one.listener,
                persons=persons,
                whole_albums=limits.whole_albums,
            )
            for expert, one in self.ranked.items()
        }


def make_forecasts(history: History, limits: FillLimits) -> Iterator[Forecast]:
    """Yield what is expected of each day of `list_days`, by what was played before it."""
    household = Household(make_shelf(history))
    tastes = {one: Taste(household) for one in history.users}
    number = household.shelf.number
    for day, plays in list_days(history.plays):
        yield _look_ahead(day, household, list(tastes.values()), limits)
        listened = _list_listened(day, plays, history, number)
        for user, taste in tastes.items():
            taste.learn(day, listened[user])


def _look_ahead(
    day: int, household: Household, tastes: Sequence[Taste], limits: FillLimits
) -> Forecast:
    for taste in tastes:
        taste.look_ahead(day)
    expected = expect(household.shelf, tastes, limits)
    listener = array("i", expected.listener)
    return Forecast(
        {
            expert: RankedItems(array("i", one.order), array("d", one.worth), listener)
            for expert, one in rank_by_each(expected, household, limits).items()
        },
        set().union(*(one.list_half_heard(day) for one in tastes)),
    )


def _list_listened(
    day: int, plays: Sequence[PastPlay], history: History, number: Mapping[str, int]
) -> Mapping[str, list[Listened]]:
    listened: dict[str, list[Listened]] = defaultdict(list)
    for play in plays:
        began = (play.began - begin_of(day)).total_seconds()
        is_half = is_half_heard(play.seconds, history.items[play.item_id].length)
        listened[play.user].append(
            Listened(number[play.item_id], began, play.seconds, is_to_the_end=not is_half)
        )
    return listened


def make_shelf(history: History) -> Shelf:
    """Return the items of a history as candidates, in its order."""
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
