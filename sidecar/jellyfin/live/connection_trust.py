"""Decides how often to poll for what plays, by how reliably the live connection reports it.

no connection, or one that reports nothing ▶ ask every 5 s while something plays, else 15 s
connected, has reported no session yet   ──▶ ask every 5 s while something plays, else 60 s
has reported sessions                    ──▶ ask every 60 s, in case it stops reporting

It sends no request and reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from sidecar.domain.playback.sessions import NowPlaying

PLAYING_S = 5.0
IDLE_S = 15.0
SAFETY_S = 60.0
# How long a working connection may take to report what a poll has shown already.
REPORTED_WITHIN_S = 5.0

Mark = tuple[object, ...]


class Trust(Enum):
    """Whether the live connection reports what plays."""

    NONE = "none stands, or it does not tell of sessions"
    FRESH = "it stands, and has not told of sessions yet"
    FULL = "it has told of sessions"


def poll_interval(trust: Trust, *, is_playing: bool, is_heavy: bool) -> float:
    """Return the seconds between two polls.

    Args:
        trust: In the live connection.
        is_playing: Whether anything played at the last poll.
        is_heavy: The response is very large: frequent polls would cost the server too much.
    """
    if trust is Trust.FULL:
        return SAFETY_S
    if is_playing and not is_heavy:
        return PLAYING_S
    return SAFETY_S if trust is Trust.FRESH else IDLE_S


def is_unreported(told: Iterable[NowPlaying], seen: Iterable[NowPlaying]) -> bool:
    """Whether a poll shows a change that the live connection should have reported before.

    A start, another entry, a pause, a report, or a stop. The position advances by itself, and a
    poll leaves out what has paused for long: neither counts.

    Args:
        told: What the connection reported last.
        seen: What a poll has shown since.
    """
    known = {one.session_id: _mark(one) for one in told}
    found = {one.session_id: _mark(one) for one in seen}
    running = {one.session_id for one in told if not one.is_paused}
    return any(known.get(name) != mark for name, mark in found.items()) or bool(
        running - found.keys()
    )


def _mark(one: NowPlaying) -> Mark:
    return one.item.id, one.playlist_item_id, one.is_paused, one.checked_in
