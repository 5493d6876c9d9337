from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sidecar.domain.replay.history import PastItem, PastPlay, make_history
from sidecar.domain.replay.recommend import recommend
from sidecar.domain.replay.replay import Scenario
from sidecar.domain.rules.album_affinity import AlbumAffinitySettings

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

    assert (best.threshold, best.configured) == (1, 3)
    assert {one: figures.hits for one, figures in best.tried.items()} == {
        1: 7,
        2: 6,
        3: 5,
        4: 4,
        6: 2,
        8: 0,
    }
    # Where nothing helps, what is set stays.
    assert (small.threshold, small.configured) == (5, 5)
