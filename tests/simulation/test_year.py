"""Households through a year: `SIDECAR_YEARS=8` lives more of them."""

from __future__ import annotations

import os

import pytest

from tests.simulation.year import MOST_WASTE, year


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("SIDECAR_YEARS", "4"))))
def test_a_year_wastes_no_bytes_and_nothing_goes_back_and_forth(seed: int) -> None:
    outcome = year(seed)

    assert outcome.fetched > 0
    assert outcome.waste <= MOST_WASTE
    assert outcome.too_soon == 0


@pytest.mark.parametrize("seed", range(100, 104))
def test_in_some_weeks_the_budget_is_kept_and_every_plan_is_settled(seed: int) -> None:
    outcome = year(seed, days=40)

    assert (outcome.over, outcome.unsettled) == (0, 0)
