"""Recommends settings: from how many tracks of an album all of it comes, and whether to fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.history import History
from sidecar.domain.replay.replay import FILL, RULES, Scenario, replay
from sidecar.domain.rules import album_affinity, fill
from sidecar.domain.rules.album_affinity import AlbumAffinitySettings
from sidecar.domain.rules.fill import FillSettings

THRESHOLDS = (1, 2, 3, 4, 6, 8)
# So much more of all plays must be hits, or what is set stays.
CLEARLY_MORE = 0.005
THRESHOLD = f"{album_affinity.NAME}.threshold"
ALBUMS = f"{album_affinity.NAME}.enabled"
FILLED = f"{fill.NAME}.enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What would have served best with a budget, and what each setting came to.

    Attributes:
        settings: What is recommended, as `rule.key`; empty if everything stays.
        settings_before: What is set now, of all that could be recommended.
        tried: The figures of the rules alone, by threshold.
        best, now: The figures with what is recommended, and with what is set.
    """

    budget: int
    settings: Mapping[str, bool | int]
    settings_before: Mapping[str, bool | int]
    tried: Mapping[int, Figures]
    best: Figures
    now: Figures


def recommend(
    history: History,
    scenario: Scenario,
    found: Sequence[Figures] = (),
    progress: Callable[[float], None] = lambda _: None,
    run: Callable[[History, Scenario], Sequence[Figures]] = replay,
) -> list[Recommendation]:
    """Try several thresholds, and return for each budget what is to be set.

    Args:
        history: What was played.
        scenario: The settings.
        found: What a replay of the same scenario came to: with its `fill`, filling is compared, and
            the rules as they are set are not replayed again.
        progress: Called with the share that is done.
        run: Replays a scenario.
    """
    usual, is_filled = _read_settings(scenario)
    known = {(one.name, one.budget): one for one in found}
    budgets = scenario.distinct_budgets
    as_set = {one: known[RULES, one] for one in budgets if (RULES, one) in known}
    thresholds = sorted({*THRESHOLDS, usual.threshold})
    tried: dict[int, Mapping[int, Figures]] = {}
    for place, threshold in enumerate(thresholds):
        albums = replace(usual, threshold=threshold, enabled=True)
        if albums == usual and len(as_set) == len(budgets):
            tried[threshold] = as_set
        else:
            settings = {**scenario.settings, album_affinity.NAME: albums}
            figures = run(history, replace(scenario, settings=settings, runs=[RULES]))
            tried[threshold] = {one.budget: one for one in figures}
        progress((place + 1) / len(thresholds))
    before = {THRESHOLD: usual.threshold, ALBUMS: usual.enabled, FILLED: is_filled}
    return [
        _choose(
            {one: figures[budget] for one, figures in tried.items()},
            before,
            filled=known.get((FILL, budget)),
            rules=known.get((RULES, budget)),
        )
        for budget in budgets
    ]


def _read_settings(scenario: Scenario) -> tuple[AlbumAffinitySettings, bool]:
    albums = scenario.settings.get(album_affinity.NAME)
    filling = scenario.settings.get(fill.NAME)
    return (
        albums if isinstance(albums, AlbumAffinitySettings) else AlbumAffinitySettings(),
        isinstance(filling, FillSettings) and filling.enabled,
    )


def _choose(
    tried: Mapping[int, Figures],
    before: Mapping[str, bool | int],
    *,
    filled: Figures | None,
    rules: Figures | None,
) -> Recommendation:
    # Of equal ones the one that fetches less.
    threshold = max(tried, key=lambda one: (tried[one].hit_rate, -tried[one].bytes_fetched))
    best = tried[threshold]
    settings: dict[str, bool | int] = {ALBUMS: True, THRESHOLD: threshold, FILLED: False}
    if filled is not None and filled.hit_rate >= best.hit_rate + CLEARLY_MORE:
        best, settings = filled, {FILLED: True, ALBUMS: False}
    now = tried[int(before[THRESHOLD])]
    if before[FILLED] and filled is not None:
        now = filled
    elif not before[ALBUMS] and rules is not None:
        now = rules
    if best.hit_rate < now.hit_rate + CLEARLY_MORE:
        best, settings = now, {}
    return Recommendation(
        budget=best.budget,
        settings=settings,
        settings_before=before,
        tried=tried,
        best=best,
        now=now,
    )
