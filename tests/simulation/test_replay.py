from __future__ import annotations

import pytest

from sidecar.domain.replay.replay import FILL, YARDSTICKS, Scenario, replay
from tests.simulation.laws import Law, binges, obsessions, past, returning
from tests.simulation.replay import SHARES, compare, household


def test_fill_beats_every_yardstick_on_households() -> None:
    rates = compare(household(seed, days=90) for seed in range(3))

    for share in SHARES:
        best = max(rates[name, share] for name in YARDSTICKS)
        assert rates[FILL, share] > best, (share, rates)


@pytest.mark.parametrize("law", [binges, returning, obsessions])
def test_fill_goes_with_those_who_leave_soon_what_they_love(law: Law) -> None:
    rates = compare([past([law], 1, days=60)], [FILL, *YARDSTICKS])

    for share in SHARES:
        best = max(rates[name, share] for name in YARDSTICKS)
        assert rates[FILL, share] > 0.95 * best, (share, rates)


def test_a_small_household_comes_to_what_it_always_came_to() -> None:
    year = household(1, days=60)

    found = replay(year, Scenario(budgets=[year.size // 20, year.size // 5]))

    # Whoever makes a replay faster may change none of it; whoever changes a rule changes these.
    assert [
        (one.name, one.hits, one.bytes_fetched // 10**6, one.bytes_evicted // 10**6)
        for one in found
    ] == [
        ("rules", 33, 52, 0),
        ("fill", 65, 335, 284),
        ("most_played", 18, 819, 767),
        ("least_recently_used", 22, 1989, 1937),
        ("chance", 24, 459, 407),
        ("rules", 71, 210, 0),
        ("fill", 126, 1377, 1172),
        ("most_played", 62, 1668, 1460),
        ("least_recently_used", 57, 3855, 3646),
        ("chance", 70, 1471, 1262),
    ]
