"""Many years of many households: `python -m tests.simulation --libraries 1000`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.outcome import Outcome
from tests.simulation.year import MOST_WASTE, kept_its_promises, year


def main() -> int:
    """Print what the years came to; fail if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--libraries", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.libraries)
    with ProcessPoolExecutor(asked.processes) as pool:
        outcomes = list(pool.map(year, seeds, chunksize=4))
    sys.stdout.write(told(outcomes, asked.first))
    return 0 if all(map(kept_its_promises, outcomes)) else 1


def told(outcomes: Sequence[Outcome], first: int) -> str:
    """Say what the years came to."""
    lines = [
        _ratios("once each time it came to be wanted", [one.waste for one in outcomes], first),
        _ratios("once in the whole year", [one.share for one in outcomes], first),
        f"households that wasted more: {sum(one.waste > MOST_WASTE for one in outcomes)}",
        f"fetched again within a week of an eviction: {sum(one.too_soon for one in outcomes)}",
        f"over the budget though something might go: {sum(one.over for one in outcomes)}",
        f"plans that changed something made again: {sum(one.unsettled for one in outcomes)}",
        f"files evicted: {sum(one.evicted for one in outcomes)}",
    ]
    return "\n".join(lines) + "\n"


def _ratios(what: str, ratios: Sequence[float], first: int) -> str:
    worst = max(range(len(ratios)), key=ratios.__getitem__)
    middle = sorted(ratios)[len(ratios) // 2]
    return (
        f"bytes fetched / bytes wanted, each file {what}: "
        f"median {middle:.3f}, worst {ratios[worst]:.3f} (seed {first + worst})"
    )


if __name__ == "__main__":
    sys.exit(main())
