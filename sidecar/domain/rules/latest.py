"""The latest rule: the albums that came into the library last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sidecar.domain.rules.context import Context, Rule, RuleSettings, Wake, Wanted, whole
from sidecar.domain.wishes import Reason, Wish
from sidecar.messages import msg

NAME = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RuleSettings):
    """Off unless asked for: nobody has shown yet that they like what has just come.

    Attributes:
        albums: How many.
    """

    enabled: bool = False
    grace: timedelta = timedelta(days=7)
    albums: int = whole(5, least=1, most=100)


def wishes(context: Context[Settings]) -> Wanted:
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


RULE = Rule(
    name=NAME,
    settings=Settings,
    wakes_on=frozenset({Wake.LIBRARY, Wake.HOUR}),
    wishes=wishes,
)
