"""The rows of `make bench` that are no transfer: pages, start, memory, hearts, a replay and more.

Each has a goal of its own, in its own unit: it needs no peer. Each runs alone with `--row NAME`.
What is counted and not timed is held by tests: the queries of a page and of an album that is asked
for, and the requests of a look through all hearts.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from tests.bench import conversion, first_visit, hearts, replaying, sockets
from tests.bench.rows.household import get, running
from tests.bench.rows.large import Household, build
from tests.bench.rows.serving import PAGES
from tests.bench.sockets import memory
from tests.bench.timing import Figures, plain, seconds

MANY, FEW = 100_000, 10_000
ROUNDS = 10
OPEN_PAGES, TOO_MANY_PAGES = 200, 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and at most how much it should be."""

    what: str
    value: float
    goal: float | None
    unit: str

    @property
    def word(self) -> str:
        """Return whether the goal is met."""
        if self.goal is None:
            return ""
        return "met" if self.value <= self.goal else "missed"


def pages(count: int) -> Sequence[Figure]:
    """Measure every page of a large household, beside one of a tenth, and its start and end."""
    few = _whole_household(FEW * count // MANY)
    many = _whole_household(count)
    ratios = {one: many.pages[one].p50 / few.pages[one].p50 for one in many.pages}
    slowest = max(many.pages, key=lambda one: many.pages[one].p50)
    steepest = max(ratios, key=lambda one: ratios[one])
    lines = [
        (name, f"{one.p50:.1f}", f"{one.p95:.1f}", f"{ratios[name]:.1f}")
        for name, one in many.pages.items()
    ]
    plain(f"Pages of {count:,} downloads", ("", "p50 ms", "p95 ms", "x a tenth"), lines)
    return (
        Figure(f"the slowest page ({slowest})", many.pages[slowest].p50, 100, "ms"),
        # Flat: ten times the rows may cost what a glance does not notice.
        Figure(f"the steepest ({steepest}), ten times the rows", ratios[steepest], 2, "x"),
        Figure("the start to the first answer", many.started_s, 1, "s"),
        Figure("resident after all pages", many.memory_mb, 150, "MB"),
        Figure("the end, all threads", many.ended_s, 3, "s"),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    pages: Mapping[str, Figures]
    started_s: float
    memory_mb: float
    ended_s: float


def _whole_household(count: int) -> _Found:
    with _built(count) as household:
        with running(household) as sidecar:
            with closing(HTTPConnection("127.0.0.1", sidecar.port, timeout=120)) as line:
                cookie = household.cookies["eve"]
                listed = json.loads(get(line, "/api/v1/devices", cookie))
                device = str(listed["items"][0]["id"])
                found = {}
                for name, path in PAGES.items():
                    ask = partial(get, line, path.format(device=device), cookie)
                    ask()
                    found[name] = Figures.of(seconds(ask) for _ in range(ROUNDS))
            held = memory(sidecar.pid) / 1024
            ended = seconds(sidecar.end)
        return _Found(found, sidecar.started_s, held, ended)


@contextmanager
def _built(count: int) -> Iterator[Household]:
    folder = Path(tempfile.mkdtemp(prefix="sidecar-rows-"))
    try:
        yield build(folder, count)
    finally:
        shutil.rmtree(folder)


def pressed_hearts(_count: int) -> Sequence[Figure]:
    """Measure hearts from the message to the queue, or to the start of the first file."""
    found = hearts.measure()
    goals = {name: 300 if " of " in name else 100 for name in found}
    return [
        Figure(f"a heart on {name}, p95", one.p95, goals[name], "ms") for name, one in found.items()
    ]


def open_pages(count: int) -> Sequence[Figure]:
    """Measure so many open pages beside the bare library."""
    ours, bare = (sockets.measure(name, count) for name in ("ours", "bare Flask-SocketIO"))
    return (
        Figure(f"{count} pages opened, ours / bare Flask-SocketIO", ours[0] / bare[0], 1, "x"),
        Figure(f"a change heard by {count} pages, p95", ours[4], None, "ms"),
        Figure("of them closed before", ours[5], 0, ""),
    )


def too_many_pages(count: int) -> Sequence[Figure]:
    """Measure more open pages than are let in: what they would cost."""
    ours = sockets.measure("ours", count)
    return (
        Figure(f"{count} pages opened, each", 1000 * ours[0] / count, None, "ms"),
        Figure("memory for each", ours[1], None, "kB"),
        Figure("threads", ours[2], None, ""),
        Figure("CPU while nothing happens", ours[3], None, "%"),
        Figure("a change heard, p95", ours[4], None, "ms"),
        Figure("closed before, as they answered no ping", ours[5], None, ""),
    )


def first_visits(count: int) -> Sequence[Figure]:
    """Measure when a page is painted in a browser that has nothing yet, and what comes for it."""
    with _built(count) as household:
        found = first_visit.measure(household)
    return [
        figure
        for name, one in found.items()
        for figure in (
            Figure(f"{name}, largest paint", one.painted.p50, 500, "ms"),
            Figure(f"{name}, all that comes but covers", one.came / 1000, 60, "kB"),
            Figure(f"{name}, {one.covers} covers in view", one.of_covers / 1000, None, "kB"),
        )
    ]


def converted(_count: int) -> Sequence[Figure]:
    """Measure what a conversion costs beside ffmpeg alone."""
    found = conversion.measure()
    return (
        Figure("a conversion, ours / ffmpeg: CPU", found.cpu, 1.05, "x"),
        Figure("a conversion, ours / ffmpeg: time", found.wall, None, "x"),
    )


def replayed(_count: int) -> Sequence[Figure]:
    """Measure a replay of a year of 50,000 plays."""
    found = replaying.measure()
    return (
        Figure(f"{found.plays} plays, four sizes, all runs", found.wall, 60, "s"),
        Figure("CPU of all its processes", found.cpu, None, "s"),
        Figure("memory of all its processes", found.memory, 300, "MB"),
    )


MEASURES: Mapping[str, Callable[[], Sequence[Figure]]] = {
    "rows": partial(pages, MANY),
    "hearts": partial(pressed_hearts, 0),
    "pages-200": partial(open_pages, OPEN_PAGES),
    "pages-1000": partial(too_many_pages, TOO_MANY_PAGES),
    "first-visit": partial(first_visits, FEW),
    "conversion": partial(converted, 0),
    "replay": partial(replayed, 0),
}


def show(found: Mapping[str, Sequence[Figure]]) -> None:
    """Print the table of these rows with their goals."""
    lines = [
        (
            f"{row}: {one.what}",
            f"{one.value:.2f} {one.unit}",
            "" if one.goal is None else f"{one.goal:g} {one.unit}",
            one.word,
        )
        for row, figures in found.items()
        for one in figures
    ]
    plain("All rows: what needs no peer", ("work", "is", "goal", ""), lines)
