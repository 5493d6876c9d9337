"""The playlists rule: wants what is in the playlists, artists … that a person keeps in sync."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.context import ComputedRule, Context, RuleSettings, Wake, Wanted
from sidecar.domain.wishes import EvictionClass, Reason, Wish
from sidecar.messages import msg, translatable

NAME = "playlists"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistsSettings(RuleSettings):
    """No settings of its own: each person chooses the playlists for each device."""


def make_wishes(context: Context[PlaylistsSettings]) -> Wanted:
    """Return wishes for all entries, playlist by playlist in the order they were chosen.

    An empty playlist releases nothing: it looks the same as one that the server has lost.
    """
    found: list[Wish] = []
    unsure: set[str] = set()
    for chosen in context.chosen:
        if chosen.kind is ItemType.PLAYLIST:
            listed = context.library.playlist_items(chosen.playlist_id)
            text = msg("on your playlist {title}", title=chosen.title)
        else:
            listed = context.library.contents(chosen.kind, chosen.playlist_id)
            text = msg("you keep {title} in sync", title=chosen.title)
        why = Reason(NAME, chosen.playlist_id, text)
        found += (context.wish(item, why) for item in listed.playable)
        if not listed.complete:
            unsure.add(chosen.playlist_id)
    return Wanted(tuple(found), frozenset(unsure))


RULE = ComputedRule(
    name=NAME,
    label=translatable("Playlists"),
    description=translatable("The playlists that you keep in sync, whole and in order."),
    icon="list-music",
    strength=EvictionClass.LASTING,
    order=30,
    settings=PlaylistsSettings,
    wakes_on=frozenset({Wake.LIBRARY, Wake.HOUR}),
    wishes=make_wishes,
)
