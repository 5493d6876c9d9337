"""The latest rule: wants the albums that were added to the library last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sidecar.domain.rules.context import (
    ComputedRule,
    Context,
    RuleSettings,
    Wake,
    Wanted,
    enabled_setting,
    grace_setting,
    whole_number_setting,
)
from sidecar.domain.wishes import EvictionClass, Reason, Wish
from sidecar.messages import msg, translatable

NAME = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestSettings(RuleSettings):
    """Off by default: nobody has shown yet that they like these albums.

    Attributes:
        albums: How many.
    """

    enabled: bool = enabled_setting(default=False)
    grace: timedelta = grace_setting(timedelta(days=7))
    albums: int = whole_number_setting(5, least=1, most=100, label=translatable("How many albums"))


def make_wishes(context: Context[LatestSettings]) -> Wanted:
    """Return wishes for the tracks of the newest albums, the newest album first."""
    newest = context.library.latest_albums(context.settings.albums)
    found: list[Wish] = []
    unsure = set() if newest.complete else set(context.held_sources)
    for album in newest.items:
        tracks = context.library.album_tracks(album.id)
        why = Reason(NAME, album.id, msg("on {title}, one of the newest albums", title=album.title))
        found += (context.wish(track, why) for track in tracks.playable)
        if not tracks.complete:
            unsure.add(album.id)
    return Wanted(tuple(found), frozenset(unsure))


RULE = ComputedRule(
    name=NAME,
    label=translatable("Newly added"),
    description=translatable("The albums that were added to the library last."),
    icon="sparkles",
    strength=EvictionClass.PASSING,
    order=60,
    settings=LatestSettings,
    wakes_on=frozenset({Wake.LIBRARY, Wake.HOUR}),
    wishes=make_wishes,
)
