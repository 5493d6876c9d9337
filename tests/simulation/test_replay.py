from __future__ import annotations

from sidecar.domain.replay.replay import FILL, YARDSTICKS
from tests.simulation.replay import SHARES, compare


def test_fill_beats_every_yardstick_on_households() -> None:
    rates = compare(range(3), days=90)

    for share in SHARES:
        best = max(rates[name, share] for name in YARDSTICKS)
        assert rates[FILL, share] > best, (share, rates)
