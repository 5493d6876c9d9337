"""The album affinity rule: wants the whole album after some of its tracks were played."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice

from sidecar.domain.rules.context import (
    ComputedRule,
    Context,
    RuleSettings,
    Wake,
    Wanted,
    duration_setting,
    whole_number_setting,
)
from sidecar.domain.wishes import EvictionClass, Reason, Wish
from sidecar.messages import msg, translatable

NAME = "album_affinity"
# Each needs a request.
MOST_REMARKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumAffinitySettings(RuleSettings):
    """When an album counts as liked.

    Attributes:
        threshold: Distinct tracks that must have been played.
        window: How far back plays count.
    """

    threshold: int = whole_number_setting(
        3, least=1, most=50, label=translatable("Tracks to play first")
    )
    window: timedelta = duration_setting(timedelta(days=30), label=translatable("Within the last"))


def make_wishes(context: Context[AlbumAffinitySettings]) -> Wanted:
    """Return wishes for albums of which enough was heard, and remarks on those one track short."""
    since = context.now - context.settings.window
    found: list[Wish] = []
    unsure: set[str] = set()
    one_short: dict[str, frozenset[str]] = {}
    for album_id in sorted(context.library.albums_heard(since)):
        heard = context.library.heard_in_album(album_id, since)
        if len(heard) >= context.settings.threshold:
            some, is_sure = _wish_for_album(context, album_id, heard)
            found += some
            unsure |= set() if is_sure else {album_id}
        elif heard and len(heard) == context.settings.threshold - 1:
            one_short[album_id] = heard
    looked_at = islice(one_short.items(), MOST_REMARKS)
    remarks = chain.from_iterable(_remark_on_nearly(context, *one) for one in looked_at)
    return Wanted(tuple(found), frozenset(unsure), tuple(remarks))


def _remark_on_nearly(
    context: Context[AlbumAffinitySettings], album_id: str, heard: frozenset[str]
) -> list[str]:
    listed = context.library.album_tracks(album_id)
    tracks = listed.playable
    known = [one for one in tracks if one.id in heard]
    if not listed.complete or len(known) < len(heard):
        return []
    text = msg(
        "you played {heard} of {total} tracks of {album}: one more and all of it is downloaded",
        heard=len(known),
        total=len(tracks),
        album=known[0].album or msg("an album"),
    )
    return [text]


def _wish_for_album(
    context: Context[AlbumAffinitySettings], album_id: str, heard: frozenset[str]
) -> tuple[list[Wish], bool]:
    listed = context.library.album_tracks(album_id)
    tracks = listed.playable
    known = [one for one in tracks if one.id in heard]
    if not tracks or (listed.complete and len(known) < context.settings.threshold):
        # The tracks that were heard are not on the album any more.
        return [], listed.complete
    album = tracks[0].album or msg("this album")
    if listed.complete:
        text = msg(
            "you played {heard} of {total} tracks of {album}",
            heard=len(known),
            total=len(tracks),
            album=album,
        )
    else:
        text = msg("you played {heard} tracks of {album}", heard=len(known), album=album)
    why = Reason(NAME, album_id, text)
    return [context.wish(track, why) for track in tracks], listed.complete


RULE = ComputedRule(
    name=NAME,
    label=translatable("Albums you like"),
    description=translatable(
        "When you play several tracks of an album, the rest of it is downloaded."
    ),
    icon="disc-3",
    strength=EvictionClass.AFFINITY,
    order=40,
    settings=AlbumAffinitySettings,
    wakes_on=frozenset({Wake.PLAY_ENDED, Wake.LIBRARY, Wake.HOUR}),
    wishes=make_wishes,
)
