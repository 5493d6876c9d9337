from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sidecar.domain.replay.figures import Figures
from sidecar.domain.replay.history import History, PastItem, PastPlay, make_history
from sidecar.domain.replay.recommend import ALBUMS, FILLED, THRESHOLD, THRESHOLDS, recommend
from sidecar.domain.replay.replay import FILL, Scenario, replay
from sidecar.domain.replay.report import explain, make_report
from sidecar.domain.rules.album_affinity import AlbumAffinitySettings
from sidecar.domain.rules.fill import FillSettings

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_the_threshold_that_would_have_served_best_is_recommended() -> None:
    # A track of the album each day: the sooner all of it comes, the more is there.
    past = make_history(
        (PastPlay(BEGIN + timedelta(days=day), "ann", str(day), 240) for day in range(8)),
        (PastItem(id=str(n), album="Light", size=1000, length=240) for n in range(8)),
    )

    (best,) = recommend(past, Scenario(budgets=[8000]))
    (small,) = recommend(
        past,
        Scenario(budgets=[0], settings={"album_affinity": AlbumAffinitySettings(threshold=5)}),
    )

    assert (best.settings[THRESHOLD], best.settings_before[THRESHOLD]) == (1, 3)
    told = make_report(past, (), [best]).recommended[0]
    assert (told.is_change, told.fills, told.threshold) == (True, False, 1)
    assert "Albums you like after 1 tracks" in explain(told)
    assert {one: figures.hits for one, figures in best.tried.items()} == {
        1: 7,
        2: 6,
        3: 5,
        4: 4,
        6: 2,
        8: 0,
    }
    # Where nothing helps, what is set stays.
    assert (small.settings, small.settings_before[THRESHOLD]) == ({}, 5)
    assert not make_report(past, (), [small]).recommended[0].is_change


def test_filling_is_recommended_where_it_would_have_served_better() -> None:
    # The same two of ten, each day, from no album.
    past = make_history(
        (PastPlay(BEGIN + timedelta(days=n // 2), "ann", str(n % 2), 240) for n in range(60)),
        (PastItem(id=str(n), size=1000, length=240) for n in range(10)),
    )
    off, on = (
        Scenario(budgets=[2000], settings={"fill": FillSettings(enabled=enabled)})
        for enabled in (False, True)
    )
    found = replay(past, off)

    (advice,), (stays,) = recommend(past, off, found), recommend(past, on, found)

    assert advice.settings == {FILLED: True, ALBUMS: False}
    assert (advice.best.name, advice.now.hits, stays.settings) == ("fill", 0, {})
    told = make_report(past, found, [advice], tells_weeks_of=lambda name: name == "fill")
    assert told.recommended[0].fills
    assert "Fill what is left" in explain(told.recommended[0])
    assert [bool(one.weeks) for one in told.runs] == [False, True, False, False, False]


def test_the_rules_as_they_are_set_are_not_replayed_again() -> None:
    past = make_history(
        (PastPlay(BEGIN + timedelta(days=day), "ann", str(day), 240) for day in range(8)),
        (PastItem(id=str(n), album="Light", size=1000, length=240) for n in range(8)),
    )
    set_to = AlbumAffinitySettings(threshold=4)
    # The same budget twice, as two shares of a small library may be.
    scenario = Scenario(budgets=[8000, 8000, 3000], settings={"album_affinity": set_to})
    tried = list[object]()

    def run(history: History, scenario: Scenario) -> list[Figures]:
        tried.append(scenario.settings["album_affinity"])
        return replay(history, scenario)

    found = replay(past, scenario)
    advice = recommend(past, scenario, found, run=run)

    assert tried == [replace(set_to, threshold=one) for one in THRESHOLDS if one != 4]
    assert advice == recommend(past, scenario, [one for one in found if one.name == FILL])
    assert [(one.budget, one.now.hits) for one in advice] == [(8000, 4), (3000, 0)]
    # Where they are off, what was replayed tells of no threshold.
    off = replace(scenario, settings={"album_affinity": replace(set_to, enabled=False)})
    assert [one.now.hits for one in recommend(past, off, replay(past, off))] == [0, 0]
