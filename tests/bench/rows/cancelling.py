"""The queue: claims, and ten thousand cancelled at once while workers and pages go on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from threading import Event, Thread

from sidecar.assembly.assembly import Assembly
from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Move, Status
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.commands import DownloadCommand, ResultKind, Selection
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.order import NOTHING, NotNow
from sidecar.store.stores import Stores
from tests.bench.rows.household import get, opened, running
from tests.bench.rows.large import ADMIN, PEOPLE, Household
from tests.bench.timing import Ask, Figures, compare, plain, seconds, table

EVE = Person(ADMIN, "eve", is_admin=True)
ANN = Person(PEOPLE["ann"], "ann", is_admin=False)
WAITING = Selection(statuses=frozenset({Status.PENDING}))
BARE_CHANGE = "UPDATE meta SET value = value WHERE key = 'server_id'"
# Between two things that somebody does beside it: a page and a worker have more to do than that.
PAUSE_S = 0.02

Acts = dict[str, Callable[[], object]]
Around = Callable[[], AbstractContextManager[object]]


def measure_claims(household: Household, rounds: int) -> None:
    """Print what a worker's claim costs, with nothing in its way and with much."""
    with opened(household) as (services, store):
        with closing(sqlite3.connect(store.db.path, isolation_level=None)) as bare:
            devices = [one.id for one in services.devices.registry.all()]
            asks: dict[str, Ask] = {
                "claim": partial(_claim_and_put_back, store),
                "claim, two devices paused": partial(
                    _claim_and_put_back, store, NotNow(devices=devices[:2])
                ),
                "claim, half of the queue held back": partial(
                    _claim_and_put_back,
                    store,
                    NotNow(
                        downloads=store.downloads.queries.ids(
                            DownloadFilter(statuses=WAITING.statuses), 5000
                        )
                    ),
                ),
            }

            def peer() -> None:
                bare.execute("PRAGMA synchronous = FULL")
                bare.execute(BARE_CHANGE)

            found = compare(asks, peer, rounds * 5)
        table("The queue: a claim, and putting it back", "bare UPDATE, synced", found)


def measure(household: Household, rounds: int) -> None:
    """Print how long it takes to act on thousands, and how long others had to wait meanwhile."""
    del rounds  # once each: it uses the queue up
    rows = []
    for name, person, order in (
        ("pause all, the admin", EVE, DownloadCommand(action=Action.PAUSE)),
        ("cancel all, the admin", EVE, DownloadCommand(action=Action.CANCEL)),
        ("cancel all, a person", ANN, DownloadCommand(action=Action.CANCEL)),
    ):
        with opened(household) as (services, store):
            rows.append(_acted(name, services, store, person, order))
    head = ("in one process", "downloads", "seconds", "claim", "note of progress", "a list")
    plain("All at once; longest wait of others meanwhile, ms", head, rows)
    _over_http(household)


def _acted(
    name: str, services: Assembly, store: Stores, person: Person, order: DownloadCommand
) -> tuple[str, ...]:
    beside: Acts = {
        "claim": partial(_claim_and_put_back, store),
        "note": partial(_note, store),
        "list": partial(store.downloads.queries.page, DownloadFilter(), 1, 10),
    }
    outcomes: list[ResultKind] = []

    def act() -> None:
        found = services.web.actions.act_on_all(person, WAITING, order)
        outcomes.extend(one.result for one in found)

    with meanwhile(beside, around=store.db.thread) as waits:
        took = seconds(act)
    done = sum(one in {ResultKind.DONE, ResultKind.KEPT} for one in outcomes)
    longest = [f"{Figures.of(waits[one]).longest:.0f}" for one in beside]
    return (name, str(done), f"{took:.1f}", *longest)


def _over_http(household: Household) -> None:
    """The same through the door, with all threads of a sidecar at work."""
    cookie = household.cookies["ann"]
    body = json.dumps({"action": "cancel", "filter": {"status": ["pending"]}})
    head = {
        "Authorization": f"Bearer {household.keys['eve']}",
        "Content-Type": "application/json",
    }
    with (
        running(household) as sidecar,
        closing(HTTPConnection("127.0.0.1", sidecar.port, timeout=120)) as line,
        closing(HTTPConnection("127.0.0.1", sidecar.port, timeout=120)) as other,
        closing(HTTPConnection("127.0.0.1", sidecar.port, timeout=120)) as third,
    ):

        def cancel() -> None:
            line.request("POST", "/api/v1/downloads/bulk", body=body, headers=head)
            told.update(json.loads(line.getresponse().read())["counts"])

        told: dict[str, int] = {}
        beside: Acts = {
            "page": partial(get, other, "/downloads", cookie),
            "health": partial(get, third, "/health"),
        }
        with meanwhile(beside) as quiet:
            Event().wait(3)
        with meanwhile(beside) as waits:
            took = seconds(cancel)
        rows = [
            ("cancel all, the admin", str(told.get("done")), f"{took:.1f}", *_both(waits)),
            ("nothing", "0", "3.0", *_both(quiet)),
        ]
    heads = ("over HTTP", "downloads", "seconds", "page p50", "page longest", "health longest")
    plain("All at once, over HTTP; others meanwhile, ms", heads, rows)


def _both(waits: dict[str, list[float]]) -> tuple[str, ...]:
    page, health = Figures.of(waits["page"]), Figures.of(waits["health"])
    return f"{page.p50:.0f}", f"{page.longest:.0f}", f"{health.longest:.0f}"


@contextmanager
def meanwhile(acts: Acts, around: Around = nullcontext) -> Iterator[dict[str, list[float]]]:
    """Do these again and again, each in a thread; yield how long each took, in seconds."""
    stop = Event()
    waits: dict[str, list[float]] = {name: [] for name in acts}

    def again(name: str) -> None:
        with around():
            while not stop.is_set():
                waits[name].append(seconds(acts[name]))
                stop.wait(PAUSE_S)

    threads = [Thread(target=again, args=(name,)) for name in acts]
    for one in threads:
        one.start()
    try:
        yield waits
    finally:
        stop.set()
        for one in threads:
            one.join(30)


def _claim_and_put_back(store: Stores, not_now: NotNow = NOTHING) -> None:
    for claimed in store.downloads.queue.claim_together(datetime.now(UTC), not_now, at_most=1):
        store.downloads.transitions.move(claimed, Move.POSTPONE)


def _note(store: Stores) -> None:
    store.downloads.transitions.record_synced(1, 0)
