"""The simulation's households as histories of plays, and how `fill` serves them.

`python -m tests.simulation.replay --households 12` and `--laws 3` print tables of docs/rules.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from random import Random

from sidecar.domain.items.item import Item
from sidecar.domain.replay.history import History, PastItem, PastPlay, make_history
from sidecar.domain.replay.replay import FILL, RUNS, YARDSTICKS, Scenario, replay
from tests.fakes.clock import START
from tests.simulation import laws
from tests.simulation.catalogue import a_library
from tests.simulation.year import listen

SHARES = (2, 5, 10, 20)
TRACK_S = 240
LAW_DAYS = 150

Rates = Mapping[tuple[str, int], float]


class Diary:
    """Notes what a person plays; stands in for a household."""

    def __init__(self, chance: Random) -> None:
        self.catalogue = a_library(chance)
        self.now = START
        self.plays: list[PastPlay] = []

    def hears(self, tracks: Sequence[Item]) -> None:
        """Play some tracks through."""
        for item in tracks:
            self.plays.append(PastPlay(self.now, "ann", item.id, TRACK_S))
            self.now += timedelta(seconds=TRACK_S)


def household(seed: int, days: int = 365) -> History:
    """Return a year of a household of the simulation."""
    chance = Random(seed)
    diary = Diary(chance)
    albums = list(diary.catalogue.albums)
    faithful = chance.uniform(0.3, 2.0)
    for day in range(days):
        diary.now = diary.now.replace(hour=7, minute=0) + timedelta(days=1)
        if day % chance.randint(20, 60) == 0:
            chance.shuffle(albums)
        for _ in range(chance.choice([0, 1, 1, 2])):
            listen(chance, diary, albums, faithful)
    items = (
        PastItem(
            id=one.id,
            title=one.title,
            album=one.album,
            album_id=one.album_id,
            size=one.size or 0,
            length=one.seconds or 0.0,
            number=one.number,
        )
        for one in diary.catalogue.known.values()
    )
    return make_history(diary.plays, items)


def compare(pasts: Iterable[History], runs: Sequence[str] = RUNS) -> Rates:
    """Return the hit rate of all plays by run and per cent of the library."""
    plays: dict[int, int] = defaultdict(int)
    hits: dict[tuple[str, int], int] = defaultdict(int)
    for past in pasts:
        budgets = {past.size * share // 100: share for share in SHARES}
        for one in replay(past, Scenario(budgets=list(budgets), runs=runs)):
            hits[one.name, budgets[one.budget]] += one.hits
            plays[budgets[one.budget]] += one.plays if one.name == runs[0] else 0
    return {(name, share): number / plays[share] for (name, share), number in hits.items()}


def compare_law(name: str, seeds: int, *, alike: bool) -> str:
    """Return a row: of each size what `fill` came to, and the best of the yardsticks."""
    pasts = (
        laws.past([laws.LAWS[name]], seed, days=LAW_DAYS, alike=alike) for seed in range(seeds)
    )
    rates = compare(pasts, [FILL, *YARDSTICKS])
    cells = [
        f"{rates[FILL, share]:.1%} : {max(rates[one, share] for one in YARDSTICKS):.1%}"
        for share in SHARES
    ]
    return f"| {name}{', files of one size' if alike else ''} | {' | '.join(cells)} |"


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=20)
    parser.add_argument("--laws", type=int, metavar="SEEDS", help="other laws, so often each")
    asked = parser.parse_args()
    lines = [f"| | {' | '.join(f'{one} %' for one in SHARES)} |", "|---|" + "---|" * len(SHARES)]
    if asked.laws:
        lines += [
            compare_law(name, asked.laws, alike=alike)
            for alike in (False, True)
            for name in laws.LAWS
        ]
    else:
        rates = compare(household(seed) for seed in range(asked.households))
        lines += [
            f"| `{name}` | {' | '.join(f'{rates[name, one]:.1%}' for one in SHARES)} |"
            for name in RUNS
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
