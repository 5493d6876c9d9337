"""Whose word is a heart? What we believe of one account's favourite, and what may change it.

Jellyfin 12.0 forgets: a heart pressed (or taken away) while the item plays is undone by the
item's next progress or stop report, silently or in the message that tells of the stop. So:

    told on its own                         the person's word: believed
    told together with a start or stop      the server's doing, if the word was given while playing
    found by a look-up                      the same; otherwise the person's, while we were away

What the server undid is set again once the item no longer plays; a person's own change never is
undone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class FavouriteState:
    """What we believe of one item for one account.

    Attributes:
        is_favorite: The person's last word.
        at_risk: The word was given while the item played and has not been seen to last since.
        restore: The server has undone the word: say it again when the item no longer plays.
    """

    is_favorite: bool
    at_risk: bool = False
    restore: bool = False


NEVER = FavouriteState(is_favorite=False)


def on_event(
    heart: FavouriteState | None, *, value: bool, with_playback: bool, playing: bool
) -> FavouriteState:
    """Return the belief after the server announced `value`.

    Args:
        heart: The belief so far; None if this item was never favourite nor heard of.
        value: `IsFavorite` as announced.
        with_playback: The same message tells of a start or stop of this item.
        playing: The item plays now in some session of the account.
    """
    believed = heart or NEVER
    if believed.at_risk and with_playback:
        return _mark_checked(believed, value=value)
    if value == believed.is_favorite:
        return replace(believed, restore=False)
    return FavouriteState(value, at_risk=playing)


def on_lookup(heart: FavouriteState | None, *, value: bool, playing: bool) -> FavouriteState:
    """Return the belief after a look-up gave `value`; a look-up is nobody's word."""
    believed = heart or NEVER
    if believed.at_risk:
        checked = _mark_checked(believed, value=value)
        return checked if playing or checked.restore else replace(checked, at_risk=False)
    return believed if value == believed.is_favorite else FavouriteState(value, at_risk=playing)


def confirm_restore(heart: FavouriteState) -> FavouriteState:
    """Return the belief after we said the word again: still at risk until a look-up confirms it."""
    return replace(heart, restore=False)


def _mark_checked(heart: FavouriteState, *, value: bool) -> FavouriteState:
    return replace(heart, restore=heart.is_favorite != value)
