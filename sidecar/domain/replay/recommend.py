"""Recommends how many tracks of an album are to be played before all of it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.history import History
from sidecar.domain.replay.replay import RULES, Scenario, replay
from sidecar.domain.rules import album_affinity
from sidecar.domain.rules.album_affinity import AlbumAffinitySettings

THRESHOLDS = (1, 2, 3, 4, 6, 8)
# So much more of all plays must be hits, or what is set stays.
CLEARLY_MORE = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The threshold that would have served best with a budget, and what each came to.

    Attributes:
        threshold: The recommended one.
        configured: The one that is set.
        tried: The figures by threshold.
    """

    budget: int
    threshold: int
    configured: int
    tried: dict[int, Figures]


def recommend(
    history: History, scenario: Scenario, progress: Callable[[float], None] = lambda _: None
) -> list[Recommendation]:
    """Try several thresholds, and return for each budget which of them is to be set."""
    found = scenario.settings.get(album_affinity.NAME)
    usual = found if isinstance(found, AlbumAffinitySettings) else AlbumAffinitySettings()
    thresholds = sorted({*THRESHOLDS, usual.threshold})
    tried: dict[int, list[Figures]] = {}
    for place, threshold in enumerate(thresholds):
        settings = {album_affinity.NAME: replace(usual, threshold=threshold, enabled=True)}
        other = replace(scenario, settings={**scenario.settings, **settings}, runs=[RULES])
        tried[threshold] = replay(history, other)
        progress((place + 1) / len(thresholds))
    return [
        _choose({one: figures[place] for one, figures in tried.items()}, usual.threshold)
        for place in range(len(tried[usual.threshold]))
    ]


def _choose(tried: dict[int, Figures], configured: int) -> Recommendation:
    # Of equal ones the one that fetches less.
    best = max(tried, key=lambda one: (tried[one].hit_rate, -tried[one].bytes_fetched))
    if tried[best].hit_rate < tried[configured].hit_rate + CLEARLY_MORE:
        best = configured
    return Recommendation(
        budget=tried[best].budget, threshold=best, configured=configured, tried=tried
    )
