"""The pages over HTTP, the start of the whole sidecar, and what a page is told when it joins."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from http.client import HTTPConnection

from tests.bench.rows.household import a_device, get, running
from tests.bench.rows.large import Household
from tests.bench.sockets import memory
from tests.bench.timing import Ask, compare, plain, table
from tests.fakes.page import OpenPage

PAGES = {
    "downloads, active": "/downloads",
    "downloads, active, page 900": "/downloads?page=900",
    "downloads, completed": "/downloads?tab=completed",
    "downloads, completed, page 3000": "/downloads?tab=completed&page=3000",
    "downloads, completed, a word": "/downloads?tab=completed&q=tr%C3%A4ume",
    "downloads, completed, by title": "/downloads?tab=completed&sort=title",
    "API downloads": "/api/v1/downloads",
    "API downloads, 100 a page": "/api/v1/downloads?page_size=100",
    "API offline, a word": "/api/v1/offline?q=tr%C3%A4ume",
    "API plan": "/api/v1/devices/{device}/plan",
    "now": "/now",
    "devices": "/devices",
    "one device": "/devices/{device}",
    "one device, plays": "/devices/{device}/heard",
    "one device, playlists": "/devices/{device}/lists",
    "admin": "/admin",
}


def measure(household: Household, rounds: int) -> None:
    """Print the pages beside `/health`, the start, and what joining costs."""
    with (
        running(household) as sidecar,
        closing(HTTPConnection("127.0.0.1", sidecar.port, timeout=60)) as line,
    ):
        print(f"\nstarted within {sidecar.started_s:.2f} s, {memory(sidecar.pid) / 1024:.0f} MB")
        device = a_device(line, household.cookies["eve"])
        for name, cookie in household.cookies.items():
            asks: dict[str, Ask] = {
                one: partial(get, line, path.format(device=device), cookie)
                for one, path in PAGES.items()
                if name == "eve" or one != "admin"
            }
            asks["joining the live connection"] = partial(_join, sidecar.url, cookie)
            peer = partial(get, line, "/health")
            table(f"Pages over HTTP, for {name}", "/health", compare(asks, peer, rounds))
        print(f"{memory(sidecar.pid) / 1024:.0f} MB afterwards")
    _starts(household)


def _starts(household: Household) -> None:
    rows = []
    for number in range(1, 4):
        with running(household) as sidecar:
            rows.append((str(number), f"{sidecar.started_s:.2f}"))
    plain("From the start to the first answer", ("start", "seconds"), rows)


def _join(url: str, cookie: str) -> None:
    with OpenPage(url, cookie=cookie) as page:
        page.next("snapshot", within_s=60)
