"""What every page and every answer of the API costs in CPU time, beside a household of a tenth.

CPU time of the thread that answers, so that it holds on a machine that others use as well. Pages
of what Jellyfin is asked for are without it: nobody answers there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from statistics import median

from werkzeug.routing import Map
from werkzeug.test import Client

from sidecar.events import Bus, DeviceChanged
from sidecar.store.database import Database
from sidecar.web.app import create_app
from sidecar.web.pages.admin.settings import GROUPS
from tests.bench.rows.household import opened
from tests.bench.rows.large import ADMIN, PEOPLE, Household, build
from tests.bench.timing import plain
from tests.web.all_routes import all_routes

# An admin sees all, a person two fifths of it.
AN_ADMIN = "an admin"
ASKING = {AN_ADMIN: ADMIN, "a person": PEOPLE["ann"]}
MOST_MS = 100
# Flat: ten times the rows may cost what a glance does not notice.
MOST_TIMES, UNNOTICED_MS = 2, 10
# Stands for the device's id in what is told of a page.
DEVICE = "DEVICE"
LISTS = [
    f"/downloads?tab={tab}&sort={sort}"
    for tab in ("active", "completed", "missing", "failed", "removed")
    for sort in ("queue", "title", "size")
]
FURTHER = [
    *LISTS,
    "/downloads?tab=completed&page=90",
    "/downloads?tab=completed&q=tr%C3%A4ume",
    "/offline/next",
    "/offline?q=tr%C3%A4ume",
    "/api/v1/downloads?page_size=100",
    "/api/v1/offline?q=tr%C3%A4ume",
    f"/api/v1/devices/{DEVICE}/plan?lines=100",
]
# These write what is asked for to a file, or wait for Jellyfin.
LEFT_OUT = ("/library", "/api/v1/library", "/covers", "/static", "/socket.io")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of a page: again, and when something has just changed on every device."""

    again: float
    first: float


def measure(household: Household, rounds: int) -> None:
    """Print a row for each page, with its goal."""
    few = household.folder / "tenth"
    tenth = Household(few, {}, {}) if few.exists() else build(few, _count(household) // 10)
    for name, user_id in ASKING.items():
        show(name, find_costs(tenth, rounds, user_id), find_costs(household, rounds, user_id))


def show(name: str, less: Mapping[str, Cost], more: Mapping[str, Cost]) -> None:
    """Print the costs of two households for one who asks, and whether the goals are met."""
    head = ("", "ms of a tenth", "ms", "first", "of a tenth", f"<= {MOST_MS} ms and flat")
    lines = [
        (
            path,
            f"{less[path].again:.1f}",
            f"{one.again:.1f}",
            f"{one.first:.1f}",
            f"{less[path].first:.1f}",
            "met" if is_met(less[path], one) else "missed",
        )
        for path, one in sorted(more.items(), key=lambda pair: -pair[1].again)
        if path in less
    ]
    plain(f"Every page, CPU time, for {name}", head, lines)


def is_met(less: Cost, more: Cost) -> bool:
    """Whether a page is quick, and costs no more than with a tenth of the rows."""
    is_flat = more.again <= max(MOST_TIMES * less.again, less.again + UNNOTICED_MS)
    return more.again <= MOST_MS and is_flat


def find_costs(household: Household, rounds: int, user_id: str) -> Mapping[str, Cost]:
    """Return what each page costs that this account may see."""
    found = {}
    bus = Bus()
    with opened(household, bus) as (services, store):
        services.background.housekeeping.step()
        web = create_app(services.web, bus)
        browser = Client(web.wsgi)
        cookie = store.sessions.begin(user_id, address_prefix="")
        browser.set_cookie("sidecar_session", cookie)
        services.transfers.space.step()
        device_id = services.devices.registry.all()[0].id
        further = [one.replace(DEVICE, device_id) for one in FURTHER]
        for path in [*_addresses(all_routes(web), device_id), *further]:
            for device in services.devices.registry.all():
                bus.publish(DeviceChanged(device.id))
            first = _ask(browser, path)
            if first is None:
                continue
            again = [one for _ in range(rounds) if (one := _ask(browser, path)) is not None]
            # Each household has devices of its own.
            found[path.replace(device_id, DEVICE)] = Cost(median(again), first)
    return found


def _ask(browser: Client, path: str) -> float | None:
    began = time.thread_time()
    with closing(browser.get(path)) as answer:
        answer.get_data()
        taken = 1000 * (time.thread_time() - began)
        return taken if answer.status_code == HTTPStatus.OK else None


def _addresses(routes: Map, device_id: str) -> Sequence[str]:
    known = {"device_id": device_id, "item_id": f"{1:032x}", "document_name": "rules"}
    values: dict[str, object] = {
        **known,
        "download_id": 1,
        "file_id": 1,
        "name": next(iter(GROUPS)),
    }
    to = routes.bind("localhost")
    return [
        to.build(one.endpoint, {name: values[name] for name in one.arguments})
        for one in routes.iter_rules()
        if "GET" in (one.methods or ())
        and one.arguments <= values.keys()
        and not one.rule.startswith(LEFT_OUT)
    ]


def _count(household: Household) -> int:
    with closing(Database.open_existing(household.database)) as db:
        return int(db.sql("SELECT count(*) FROM downloads")[0][0])
