"""Decides how far a live connection is trusted to report what plays.

    no connection, or one that does not tell ──▶ ask every 5 s while something plays, else 15 s
    stands, but has told of no session yet   ──▶ ask every 5 s while something plays, else 60 s
    has told of sessions                     ──▶ ask every 60 s, to catch one that has gone deaf

Decides only; asks nothing and knows no time of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from sidecar.domain.playback.sessions import NowPlaying

PLAYING_S = 5.0
IDLE_S = 15.0
SAFETY_S = 60.0
# How long a healthy connection may take to tell what a request has shown already.
PATIENCE_S = 5.0

Mark = tuple[object, ...]


class Trust(Enum):
    """How far the live connection is trusted to tell what plays."""

    NONE = "none stands, or it does not tell of sessions"
    FRESH = "it stands, and has not told of sessions yet"
    FULL = "it has told of sessions"


def poll_interval(trust: Trust, *, is_playing: bool, is_heavy: bool) -> float:
    """Return the seconds between two requests for what plays.

    Args:
        trust: In the live connection.
        is_playing: Whether anything played at the last look.
        is_heavy: The answer is very large: it costs the server too much to be asked often.
    """
    if trust is Trust.FULL:
        return SAFETY_S
    if is_playing and not is_heavy:
        return PLAYING_S
    return SAFETY_S if trust is Trust.FRESH else IDLE_S


def is_unreported(told: Iterable[NowPlaying], seen: Iterable[NowPlaying]) -> bool:
    """Whether a look shows what the live connection should have told before.

    A start, another entry, a pause, a report, or a stop. The position runs on by itself, and what
    has paused for long is left out of a look: neither tells anything.

    Args:
        told: What the connection said last.
        seen: What a request has shown since.
    """
    known = {one.session_id: _mark(one) for one in told}
    found = {one.session_id: _mark(one) for one in seen}
    running = {one.session_id for one in told if not one.is_paused}
    return any(known.get(name) != mark for name, mark in found.items()) or bool(
        running - found.keys()
    )


def _mark(one: NowPlaying) -> Mark:
    return one.item.id, one.playlist_item_id, one.is_paused, one.checked_in
