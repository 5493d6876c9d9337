"""The next up rule: wants the next episodes of series and parts of audiobooks that were begun."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.domain.items.item import Item
from sidecar.domain.rules.context import (
    ComputedRule,
    Context,
    RuleSettings,
    Wake,
    Wanted,
    enabled_setting,
    whole_number_setting,
)
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.wishes import EvictionClass, Reason, Wish
from sidecar.messages import msg, translatable

NAME = "next_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextUpSettings(RuleSettings):
    """Off by default: hour-long videos would displace a whole music collection.

    Attributes:
        count: Episodes or parts of each series or audiobook.
        most_series: The most series, those seen last; the same for audiobooks.
    """

    enabled: bool = enabled_setting(default=False)
    count: int = whole_number_setting(
        3,
        least=1,
        most=40,
        label=translatable("How many"),
        details=translatable("Episodes of each series, or parts of each audiobook."),
    )
    most_series: int = whole_number_setting(
        10,
        least=1,
        most=100,
        label=translatable("Series at most"),
        details=translatable("Those seen last; of audiobooks those heard last."),
    )


@dataclass(frozen=True, slots=True)
class _Begun:
    """A series or an audiobook that was begun."""

    source_id: str
    title: str
    ahead: ListedItems


def make_wishes(context: Context[NextUpSettings]) -> Wanted:
    """Return wishes for the next unwatched of each, series before audiobooks.

    What is not listed any more was finished or given up; it is released only if the server still
    has the series.
    """
    up, parts = context.library.next_up(), context.library.books_begun()
    begun = [*_list_series(context, up), *_list_books(context, parts)]
    found = [wish for one in begun for wish in _next(context, one)]
    unsure = {one.source_id for one in begun if not one.ahead.complete}
    gone = context.held_sources - {one.source_id for one in begun}
    known = context.library.items(gone) if gone else {}
    is_trusted = up.complete or parts.complete
    unsure |= {one for one in gone if one not in known or not (is_trusted or known[one].is_played)}
    return Wanted(tuple(found), frozenset(unsure))


def _list_series(context: Context[NextUpSettings], up: ListedItems) -> Iterator[_Begun]:
    episodes = {one.series_id: one for one in reversed(up.items) if one.series_id}
    newest_first = list(reversed(episodes.items()))[: context.settings.most_series]
    for series_id, episode in newest_first:
        ahead = context.library.episodes_from(series_id, episode.id)
        yield _Begun(series_id, episode.series or msg("this series"), ahead)


def _list_books(context: Context[NextUpSettings], begun: ListedItems) -> Iterator[_Begun]:
    latest: dict[str, Item] = {}
    for part in begun.items:
        if part.album_id is not None:
            latest.setdefault(part.album_id, part)
    for folder_id, part in list(latest.items())[: context.settings.most_series]:
        listed = context.library.book_parts(folder_id)
        yield _Begun(folder_id, part.album or part.title, _take_rest(listed, part))


def _take_rest(listed: ListedItems, last: Item) -> ListedItems:
    """Return the parts from the last one on; a folder may contain other books."""
    same = [
        one for one in listed.items if one.id == last.id or (one.album and one.album == last.album)
    ]
    at = next((place for place, one in enumerate(same) if one.id == last.id), 0)
    return ListedItems(tuple(same[at:]), complete=listed.complete)


def _next(context: Context[NextUpSettings], begun: _Begun) -> Iterator[Wish]:
    why = Reason(NAME, begun.source_id, msg("next up in {title}", title=begun.title))
    unwatched = [one for one in begun.ahead.playable if not one.is_played]
    for item in unwatched[: context.settings.count]:
        yield context.wish(item, why)


RULE = ComputedRule(
    name=NAME,
    label=translatable("Next up"),
    description=translatable("The next episodes and parts of what you are in the middle of."),
    icon="tv",
    strength=EvictionClass.PASSING,
    order=50,
    settings=NextUpSettings,
    wakes_on=frozenset({Wake.PLAY_ENDED, Wake.LIBRARY, Wake.HOUR}),
    wishes=make_wishes,
)
