"""The rows of `make bench` that are no transfer: pages, start, memory, hearts, a replay and more.

Each has a goal of its own, in its own unit: it needs no peer. Each runs alone with `--row NAME`.
What is counted and not timed is held by tests: the queries of a page and of an album that is asked
for, and the requests of a look through all hearts.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from tests.bench import conversion, first_visit, hearts, idle, replaying, sockets
from tests.bench.rows import every_page
from tests.bench.rows.every_page import AN_ADMIN, ASKING
from tests.bench.rows.household import a_device, get, running
from tests.bench.rows.large import Household, build
from tests.bench.sockets import memory
from tests.bench.timing import plain, seconds

MANY, FEW = 100_000, 10_000
# A quarter of an hour of one core a day, and a wait of a fifth of a second between two wakeups.
MOST_IDLE_S, MOST_WAKEUPS = 36, 300
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
    with _built(count // 10) as few:
        less = {name: every_page.find_costs(few, ROUNDS, one) for name, one in ASKING.items()}
    with _built(count) as many:
        more = {name: every_page.find_costs(many, ROUNDS, one) for name, one in ASKING.items()}
        for name in ASKING:
            every_page.show(name, less[name], more[name])
        with running(many) as sidecar:
            with closing(HTTPConnection("127.0.0.1", sidecar.port, timeout=120)) as line:
                device_id = a_device(line, many.cookies["eve"])
                for path in more[AN_ADMIN]:
                    get(line, path.replace(every_page.DEVICE, device_id), many.cookies["eve"])
            held = memory(sidecar.pid) / 1024
            ended = seconds(sidecar.end)
    missed = {
        name: sum(not every_page.is_met(less[name][one], found[one]) for one in found)
        for name, found in more.items()
    }
    return (
        *(
            Figure(f"of {len(more[one])} pages for {one}: slow, or not flat", number, 0, "")
            for one, number in missed.items()
        ),
        Figure("CPU until the first page", sidecar.first_page_cpu_s, 1, "s"),
        Figure("the start to the first answer", sidecar.started_s, None, "s"),
        Figure("resident after all pages", held, 150, "MB"),
        Figure("the end, all threads", ended, 3, "s"),
    )


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
    """Measure more open pages than are let in: what they would cost.

    Nobody needs as many; the goals say that all stay open, and what a small server can bear.
    """
    ours = sockets.measure("ours", count)
    return (
        Figure(f"{count} pages opened, each", 1000 * ours[0] / count, 100, "ms"),
        Figure("memory for each", ours[1], 500, "kB"),
        Figure("threads for each", ours[2] / count, 3.1, ""),
        Figure("CPU while nothing happens", ours[3], 50, "%"),
        Figure("a change heard, p95", ours[4], 5000, "ms"),
        Figure("closed before, as they answered no ping", ours[5], 0, ""),
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


def idling(_count: int) -> Sequence[Figure]:
    """Measure a sidecar with ten devices and three people while nothing happens."""
    found = idle.measure()
    return (
        Figure("CPU in an hour", found.cpu_s, MOST_IDLE_S, "s"),
        Figure("threads woken in a minute", found.wakeups, MOST_WAKEUPS, ""),
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
    "idle": partial(idling, 0),
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
