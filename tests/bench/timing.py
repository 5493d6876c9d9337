"""How long something takes beside a named peer, in turn and in one run: others use the machine too.

Printed are milliseconds and, what holds on any machine, the ratio of the medians.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

Ask = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds of one thing that was done some times."""

    p50: float
    p95: float
    longest: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Figures:
        """Sum up what was measured, at least once."""
        found = [1000 * one for one in seconds]
        p95 = quantiles(found, n=20, method="inclusive")[-1] if len(found) > 1 else found[0]
        return cls(median(found), p95, max(found))


def compare(asks: Mapping[str, Ask], peer: Ask, rounds: int) -> dict[str, tuple[Figures, float]]:
    """Do each thing so many times, the peer before each; return figures and ratio to the peer."""
    compared: dict[str, tuple[Figures, float]] = {}
    for name, ask in asks.items():
        ask()  # once without a watch: caches are warm, as they are in a sidecar that runs
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(seconds(peer))
            ours.append(seconds(ask))
        compared[name] = Figures.of(ours), median(ours) / median(theirs)
    return compared


def seconds(ask: Ask) -> float:
    """Do it and return how long it took."""
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def table(title: str, peer: str, found: Mapping[str, tuple[Figures, float]]) -> None:
    """Print one table in Markdown."""
    rows = [
        (name, f"{one.p50:.1f}", f"{one.p95:.1f}", f"{one.longest:.1f}", f"{ratio:.1f}")
        for name, (one, ratio) in found.items()
    ]
    plain(title, ("", "p50 ms", "p95 ms", "longest ms", f"x {peer}"), rows)


def plain(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|---|{'--:|' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)
