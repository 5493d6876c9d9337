"""Decides what positions, counts and ratings of a player mean for Jellyfin, and back.

    position   newer than what Jellyfin knows: taken; older, or nobody knows: a question
    count      what neither a log nor an earlier changelog has told: added, without a date
    rating     8 and more: a heart

Whatever was dealt with once is remembered, so the order in which files are read does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sidecar.domain.player_logs.bookmarks import is_at_end
from sidecar.domain.player_logs.changelog import LOVED

# Two positions that differ by less are the same: clients and players round differently.
NEAR_S = 1.0


@dataclass(frozen=True, slots=True)
class UserState:
    """What Jellyfin knows of an item for one account."""

    position_s: float = 0.0
    count: int = 0
    last: datetime | None = None
    is_played: bool = False
    is_favourite: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was ever played of it."""
        return not self.position_s and not self.count and self.last is None and not self.is_played


@dataclass(frozen=True, slots=True)
class KnownState:
    """What we have dealt with of a file on a player.

    Attributes:
        position_ms: The position that was taken, answered, or put there by us.
        position_at: Its date, if it has one.
        undated: Plays that were counted by a changelog and that no log has told since.
        counted_at: The date of the newest changelog that was counted.
        elsewhere: Plays of elsewhere that we told the player of.
        rating: The rating that was dealt with.
        line: The bookmark that we wrote.
    """

    position_ms: int | None = None
    position_at: datetime | None = None
    undated: int = 0
    counted_at: datetime | None = None
    elsewhere: int = 0
    rating: int | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True)
class PlayerPosition:
    """A position on a player; `at` is None if nobody knows when it was set."""

    elapsed_ms: int
    at: datetime | None = None

    @property
    def seconds(self) -> float:
        """Return it in seconds."""
        return self.elapsed_ms / 1000


class Verdict(StrEnum):
    """What becomes of a position of the player."""

    TAKE = "take"
    ASK = "ask"
    KNOWN = "known"
    OLDER = "older"


def newest_position(found: Iterable[PlayerPosition]) -> PlayerPosition:
    """Return the newest of an item's positions: with the latest date, else the first."""
    every = list(found)
    dated = [one for one in every if one.at is not None]
    return max(dated, key=lambda one: one.at) if dated else every[0]  # type: ignore[arg-type,return-value]  # dated


def judge_position(
    found: PlayerPosition, whole_s: float | None, known: KnownState, server: UserState
) -> Verdict:
    """Decide what becomes of a position of the player.

    Args:
        found: The position.
        whole_s: The item's length.
        known: What was dealt with before.
        server: What Jellyfin knows.
    """
    if known.position_ms == found.elapsed_ms:
        return Verdict.KNOWN
    if known.position_at and found.at and found.at < known.position_at:
        return Verdict.OLDER
    if _is_known_at_home(found, whole_s, server):
        return Verdict.KNOWN
    if server.is_blank:
        return Verdict.TAKE
    if found.at and server.last and found.at > server.last:
        return Verdict.TAKE
    return Verdict.ASK


def take_position(
    found: PlayerPosition, whole_s: float | None, server: UserState, now: datetime
) -> UserState:
    """Return what Jellyfin is to know after a position was taken; at its end it is played.

    The date becomes that of the position, or now if nobody knows it, and never goes back.
    """
    at = found.at or now
    last = at if server.last is None else max(server.last, at)
    if is_at_end(found.seconds, whole_s):
        count = max(1, server.count)
        return replace(server, position_s=0.0, is_played=True, count=count, last=last)
    return replace(server, position_s=found.seconds, last=last)


def count_told(dates: Iterable[datetime], known: KnownState) -> int:
    """Return how many plays of a log a changelog had counted already, without a date.

    Args:
        dates: When they began.
        known: What was dealt with before.
    """
    counted_at = known.counted_at
    if counted_at is None:
        return 0
    return min(known.undated, sum(one <= counted_at for one in dates))


def count_new(plays: int, logged: int, known: KnownState) -> int:
    """Return how many plays of a changelog nobody has told us of.

    Args:
        plays: The player's count.
        logged: Plays of this player up to the changelog's date that its logs have told.
        known: What was dealt with before.
    """
    return max(0, plays - logged - known.undated - known.elsewhere)


def is_new_heart(rating: int | None, known: KnownState, server: UserState) -> bool:
    """Whether a rating asks for a heart that was not dealt with yet."""
    return (
        rating is not None
        and rating >= LOVED
        and known.rating != rating
        and not server.is_favourite
    )


def undo_state(now: UserState, before: UserState, after: UserState, plays: int) -> UserState:
    """Return what Jellyfin is to know once an import is taken back.

    What has changed since the import stays as it is.

    Args:
        now: What it knows.
        before: What it knew before the import.
        after: What it knew after it.
        plays: How many plays are to be taken back.
    """
    count = max(0, now.count - plays)
    # Somebody has played it since: it stays played, and its date.
    was_played_since = count > before.count
    is_there = abs(now.position_s - after.position_s) < NEAR_S
    return UserState(
        position_s=before.position_s if is_there else now.position_s,
        count=count,
        last=before.last if now.last == after.last and not was_played_since else now.last,
        is_played=before.is_played
        if now.is_played == after.is_played and not was_played_since
        else now.is_played,
        is_favourite=before.is_favourite
        if now.is_favourite == after.is_favourite
        else now.is_favourite,
    )


def may_give_position(found: PlayerPosition | None, known: KnownState, server: UserState) -> bool:
    """Whether Jellyfin's position is to become a bookmark on the player: it is the newer one."""
    if server.position_s < NEAR_S:
        return False
    if found is None:
        return True
    if abs(found.seconds - server.position_s) < NEAR_S:
        return False
    if known.position_ms == found.elapsed_ms:
        return True
    return found.at is not None and server.last is not None and server.last > found.at


def _is_known_at_home(found: PlayerPosition, whole_s: float | None, server: UserState) -> bool:
    if is_at_end(found.seconds, whole_s):
        return server.is_played and not server.position_s
    return abs(server.position_s - found.seconds) < NEAR_S
