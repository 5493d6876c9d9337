"""Which processes are still alive, by their heartbeats.

A process lets its counter grow; whoever watches measures with its own clock how long it has not. So
clocks of different machines need not agree, and none may jump.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BEAT_EVERY_S = 5.0
LEASE_S = 30.0


@dataclass(frozen=True, slots=True)
class LastBeat:
    """The newest counter that was seen of a process, and when it was seen first."""

    beat: int
    seen_at: float


def watch(
    before: Mapping[str, LastBeat], beats: Mapping[str, int], now: float
) -> Mapping[str, LastBeat]:
    """Return what is known of each process after another look at the counters.

    Args:
        before: What was known before; a process that has no counter any more is forgotten.
        beats: The present counters.
        now: The watcher's own monotonic time.
    """
    return {
        name: LastBeat(beat, now)
        if name not in before or before[name].beat != beat
        else before[name]
        for name, beat in beats.items()
    }


def list_expired(watched: Mapping[str, LastBeat], now: float) -> Mapping[str, int]:
    """Return the processes whose lease is over, with the counter they have stopped at."""
    return {name: last.beat for name, last in watched.items() if now - last.seen_at >= LEASE_S}


def must_let_go(renewed_at: float, now: float) -> bool:
    """Whether a process has not renewed its own lease for so long that others may have its work."""
    return now - renewed_at >= LEASE_S
