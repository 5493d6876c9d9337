"""The queue rule: wants what will be played next.

    the client reports its queue ────────────▶ what comes after the current entry
    it does not: album, playlist, season ────▶ what comes after the current item
        it has jumped twice ─────────────────▶ whatever of it was not heard yet, in no order
    shuffled and no queue ───────────────────▶ nothing, with a remark

What was played or skipped is released at once; what plays now stays held.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice, pairwise

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.sessions import NowPlaying, Repeat
from sidecar.domain.rules.context import (
    ComputedRule,
    Context,
    RuleSettings,
    Wake,
    Wanted,
    duration_setting,
    grace_setting,
    whole_number_setting,
)
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.wishes import PIN_PRIORITY, EvictionClass, Reason, Wish
from sidecar.messages import msg, translatable

NAME = "queue_ahead"

MOST = 40
# The next one gets this, the one after it one less: always above what a person asked for.
TOP_PRIORITY = PIN_PRIORITY + 2 * MOST
# Entries without a file, repeats and deleted ones may be among those that count.
LOOK_AT = 2 * MOST
# Of the last tracks of a client that tells no queue: so many jumps, and it is taken for shuffle.
LOOK_BACK = 6
JUMPS_OF_SHUFFLE = 2
# Fewer entries may be in their old order by chance.
TELLING = 3
# The number at the end of the name of a queue's entry, and how many digits it may have.
_ENTRY = re.compile(r"\d+$")
_LONGEST_ENTRY = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAheadSettings(RuleSettings):
    """How much is fetched ahead of what plays.

    Attributes:
        count: The number of tracks.
        minutes: Minutes of playing time in place of `count`; 0 means that `count` counts.
        expires: A client without a report for so long does not count as playing.
    """

    grace: timedelta = grace_setting(timedelta(0))
    count: int = whole_number_setting(
        5,
        least=1,
        most=MOST,
        label=translatable("How many"),
        details=translatable("Tracks, episodes or parts after the one that plays."),
    )
    minutes: int = whole_number_setting(
        0,
        least=0,
        most=24 * 60,
        label=translatable("Or by time: minutes (0 = use number of tracks)"),
    )
    expires: timedelta = duration_setting(
        timedelta(hours=1), label=translatable("Treat a player as stopped after")
    )


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What comes after the current item.

    Attributes:
        source_id: The album, playlist or series it is predicted from; None for a reported queue.
    """

    items: Sequence[Item] = ()
    source_id: str | None = None
    text: str = ""
    is_sure: bool = True
    remark: str = ""


def make_wishes(context: Context[QueueAheadSettings]) -> Wanted:
    """Return wishes for what comes next in each client, the next ones first."""
    found: dict[str, Wish] = {}
    unsure: set[str] = set()
    remarks: list[str] = []
    for playing in context.playing:
        if _is_over(context, playing):
            continue
        found.update(_wish_for_current(context, playing))
        ahead = _look_ahead(context, playing)
        remarks += [ahead.remark] if ahead.remark else []
        unsure |= {ahead.source_id} if ahead.source_id and not ahead.is_sure else set()
        for place, item in enumerate(_limit(context.settings, ahead.items)):
            why = Reason(NAME, ahead.source_id or item.id, ahead.text)
            found.setdefault(item.id, context.wish(item, why, priority=TOP_PRIORITY - place))
    return Wanted(tuple(found.values()), frozenset(unsure), tuple(remarks))


def _is_over(context: Context[QueueAheadSettings], playing: NowPlaying) -> bool:
    heard_from = playing.checked_in
    return heard_from is not None and context.now - heard_from > context.settings.expires


def _wish_for_current(context: Context[QueueAheadSettings], playing: NowPlaying) -> dict[str, Wish]:
    """Return wishes for what plays now, only if it is held: its download goes on."""
    return {
        one.item_id: context.wish(
            playing.item,
            Reason(NAME, one.reason.source_id, msg("playing in {player}", player=playing.player)),
            priority=TOP_PRIORITY,
        )
        for one in context.held
        if one.item_id == playing.item.id
    }


def _limit(settings: QueueAheadSettings, items: Sequence[Item]) -> list[Item]:
    if not settings.minutes:
        return list(items[: settings.count])
    left = settings.minutes * 60.0
    taken: list[Item] = []
    for item in islice(items, MOST):
        if left <= 0:
            break
        taken.append(item)
        left -= item.seconds or 0.0
    return taken


def _look_ahead(context: Context[QueueAheadSettings], playing: NowPlaying) -> _Ahead:
    if playing.repeat is Repeat.ONE:
        return _Ahead()
    if playing.queue and not _is_order_before_shuffle(playing):
        return _read_queue(context, playing)
    if playing.is_shuffled:
        name = playing.player
        text = msg(
            "{name} plays shuffled and does not show its queue: nothing is downloaded ahead for it",
            name=name,
        )
        return _Ahead(remark=text)
    return _predict(context, playing)


def _read_queue(context: Context[QueueAheadSettings], playing: NowPlaying) -> _Ahead:
    coming = list(dict.fromkeys(one.item_id for one in playing.queue[1:]))
    coming = [one for one in coming if one != playing.item.id][:LOOK_AT]
    known = context.library.visible_items(coming) if coming else {}
    items = [known[one] for one in coming if one in known and known[one].is_playable]
    if playing.repeat is Repeat.ALL and not playing.is_shuffled:
        items += _wrap_around(context, playing, items)
    return _Ahead(items, text=msg("next in the queue of {player}", player=playing.player))


def _wrap_around(
    context: Context[QueueAheadSettings], playing: NowPlaying, coming: Sequence[Item]
) -> list[Item]:
    """Return the queue's beginning when it repeats, if the rest is as we would predict."""
    rest = _predict(context, replace(playing, repeat=Repeat.NONE)).items
    if [one.id for one in coming] != [one.id for one in rest]:
        return []
    return list(_predict(context, playing).items[len(rest) :])


def _is_order_before_shuffle(playing: NowPlaying) -> bool:
    """Whether a shuffled queue is still reported in its old order, as 12.0 does until a track ends.

    The web client numbers its entries as they are added: playlistItem3, playlistItem4 …
    """
    if not playing.is_shuffled:
        return False
    named = [_ENTRY.search((one.playlist_item_id or "")[-_LONGEST_ENTRY:]) for one in playing.queue]
    numbers = [int(one[0]) for one in named if one]
    in_order = all(after == before + 1 for before, after in pairwise(numbers))
    return len(playing.queue) > TELLING and len(numbers) == len(playing.queue) and in_order


def _predict(context: Context[QueueAheadSettings], playing: NowPlaying) -> _Ahead:
    item, library = playing.item, context.library
    if playing.playlist_item_id == item.id:
        return _from_playlist(context, playing)
    if item.type is ItemType.EPISODE and item.series_id:
        listed = library.episodes_from(item.series_id, item.id)
        return _take_after(
            playing, listed, item.series_id, msg("next in the season"), can_wrap=False
        )
    if item.type is ItemType.AUDIO and item.album_id:
        return _take_after(
            playing, library.album_tracks(item.album_id), item.album_id, msg("next on this album")
        )
    if item.type is ItemType.AUDIO_BOOK and item.album_id:
        listed = library.book_parts(item.album_id)
        same = tuple(one for one in listed.items if one.album and one.album == item.album)
        listed = ListedItems(same, complete=listed.complete)
        return _take_after(playing, listed, item.album_id, msg("next in the audiobook"))
    return _Ahead()


def _from_playlist(context: Context[QueueAheadSettings], playing: NowPlaying) -> _Ahead:
    """Return what follows in the playlist of the server that the current entry comes from."""
    item = playing.item
    holding = [
        (one, listed)
        for one in context.chosen
        for listed in [context.library.playlist_items(one.playlist_id)]
        if any(entry.id == item.id for entry in listed.items)
    ]
    if len(holding) != 1:
        text = msg(
            "{player} plays from a playlist and does not show its queue: keep the "
            "playlist in sync with this device, and it is followed",
            player=playing.player,
        )
        return _Ahead(remark=text)
    ((chosen, listed),) = holding
    return _take_after(
        playing, listed, chosen.playlist_id, msg("next on the playlist {title}", title=chosen.title)
    )


def _take_after(
    playing: NowPlaying, listed: ListedItems, source_id: str, what: str, *, can_wrap: bool = True
) -> _Ahead:
    items = listed.playable
    jumps = _count_jumps([*playing.before, playing.item.id], [one.id for one in items])
    text = msg("{what} (playing on {player})", what=what, player=playing.player)
    at = next((place for place, one in enumerate(items) if one.id == playing.item.id), None)
    if at is None:
        return _Ahead((), source_id, text, is_sure=listed.complete)
    if jumps >= JUMPS_OF_SHUFFLE and can_wrap:
        return _take_any(playing, listed, source_id)
    if jumps:
        text = msg(
            "{what}, estimated (playing on {player})",
            what=what,
            player=playing.player,
        )
    coming = items[at + 1 :]
    if playing.repeat is Repeat.ALL and can_wrap:
        coming += items[:at]
    return _Ahead(coming, source_id, text, is_sure=listed.complete)


def _take_any(playing: NowPlaying, listed: ListedItems, source_id: str) -> _Ahead:
    """Return what was not heard yet of an album or playlist that seems to play shuffled."""
    heard = {*playing.before, playing.item.id}
    text = msg(
        "from the same album or playlist, shuffled (playing on {player})",
        player=playing.player,
    )
    rest = [one for one in listed.playable if one.id not in heard]
    return _Ahead(rest, source_id, text, is_sure=listed.complete)


def _count_jumps(heard: Sequence[str], order: Sequence[str]) -> int:
    """Count how often the last tracks did not follow each other in this order."""
    places = {item_id: at for at, item_id in enumerate(order)}
    known = [places[one] for one in heard[-LOOK_BACK:] if one in places]
    return sum(after != (before + 1) % len(order) for before, after in pairwise(known))


RULE = ComputedRule(
    name=NAME,
    label=translatable("Next in the queue"),
    description=translatable("While you play, the tracks that come next are downloaded first."),
    icon="list-start",
    strength=EvictionClass.PRE_CACHED,
    order=10,
    settings=QueueAheadSettings,
    wakes_on=frozenset({Wake.PLAYBACK, Wake.HOUR}),
    wishes=make_wishes,
)
