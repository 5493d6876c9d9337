"""Decides whether a change of a favourite was made by a person or by the server.

In Jellyfin 12.0 a favourite that is set or cleared while the item plays is undone by the item's
next progress or stop report, silently or in the message about the stop. So a change is

    reported on its own                     the person's
    reported together with a start or stop  the server's, if a person changed it while playing
    found by a request                      the same; otherwise the person's

What the server undid is restored once the item no longer plays. A person's change is never undone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class FavouriteState:
    """The state of one item for one account.

    Attributes:
        is_favorite: The person's last choice.
        at_risk: It was chosen while the item played, and is not confirmed since.
        restore: The server has undone it: to be set again when the item no longer plays.
    """

    is_favorite: bool
    at_risk: bool = False
    restore: bool = False


NEVER = FavouriteState(is_favorite=False)


def on_event(
    before: FavouriteState | None, *, value: bool, with_playback: bool, playing: bool
) -> FavouriteState:
    """Return the state after an event with `value`.

    Args:
        before: The state so far; None if there is none.
        value: `IsFavorite` in the event.
        with_playback: The same message reports a start or stop of this item.
        playing: The item plays now in some session of the account.
    """
    believed = before or NEVER
    if believed.at_risk and with_playback:
        return _mark_checked(believed, value=value)
    if value == believed.is_favorite:
        return replace(believed, restore=False)
    return FavouriteState(value, at_risk=playing)


def on_lookup(before: FavouriteState | None, *, value: bool, playing: bool) -> FavouriteState:
    """Return the state after a request returned `value`."""
    believed = before or NEVER
    if believed.at_risk:
        checked = _mark_checked(believed, value=value)
        return checked if playing or checked.restore else replace(checked, at_risk=False)
    return believed if value == believed.is_favorite else FavouriteState(value, at_risk=playing)


def confirm_restore(before: FavouriteState) -> FavouriteState:
    """Return the state after we have set it again: at risk until a request confirms it."""
    return replace(before, restore=False)


def _mark_checked(before: FavouriteState, *, value: bool) -> FavouriteState:
    return replace(before, restore=before.is_favorite != value)
