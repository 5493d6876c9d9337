from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sidecar.config.budgets import read_budgets
from sidecar.domain.fill.choice import FillLimits
from sidecar.domain.replay.job import Budget, ReplayJob
from sidecar.domain.rules.album_affinity import AlbumAffinitySettings
from sidecar.domain.rules.fill import FillSettings


def test_a_job_is_the_same_after_json() -> None:
    job = ReplayJob(
        budgets=[Budget(2.5, is_share=True), Budget(10**9, is_share=False)],
        settings={
            "album_affinity": AlbumAffinitySettings(threshold=4, window=timedelta(days=3)),
            "fill": FillSettings(enabled=True, turnover=50),
        },
        limits=FillLimits(turnover=50),
    )

    assert ReplayJob.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_budgets_are_sizes_or_shares_and_a_comma_in_a_number_is_no_end() -> None:
    found = read_budgets("2%,1.5 GB; 1,5 GB,5 %, 2%")

    assert [one.of(1000) for one in found] == [20, 1_500_000_000, 50]
    for wrong in ("big", "1GB,", "%", "2000%"):
        with pytest.raises(ValueError, match=r"^(big||%|2000%)$"):
            read_budgets(wrong)
