"""How many queries a page takes: a few, whatever it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import count
from pathlib import Path

import pytest
from werkzeug.routing import Rule

from sidecar.config import DeviceSettings, Settings
from sidecar.device.drives import DevicePlaces, Drive
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Status
from sidecar.domain.wishes import PIN
from sidecar.events import DeviceChanged
from sidecar.services.accounts.person import Person
from sidecar.web.pages.admin.settings import GROUPS
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK, track
from tests.statements import trace
from tests.web.all_routes import all_routes
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse, web_house

MOST = 15
DEVICES = 12
MANY = 300
VALUES = {
    "device_id": STICK,
    "item_id": track(1).id,
    "document_name": "rules",
    "download_id": 1,
    "file_id": 1,
    "name": next(iter(GROUPS)),
    "selection_id": "5" * 32,
}
# Lists that a page shows besides the one at its address.
FURTHER = [
    f"/downloads?tab={tab}&sort={sort}"
    for tab in ("active", "completed", "missing", "failed", "removed")
    for sort in ("queue", "title", "size")
]
FURTHER += [
    "/devices",
    "/offline/next",
    "/downloads?q=tone&owner=ann",
    f"/downloads?device={STICK}&kind=music",
    "/offline?q=to",
]


def with_more(folder: Path, devices: int) -> Callable[[Settings], Settings]:
    """Return the change of the settings that adds other devices."""

    def change(settings: Settings) -> Settings:
        more = []
        for number in range(1, devices):
            path = folder / f"player-{number}"
            path.mkdir()
            write_marker(path, Marker(f"{number:08}-2222-4222-8222-222222222222", path.name))
            more.append(DeviceSettings(name=path.name, path=path))
        return settings.model_copy(update={"devices": (*settings.devices, *more)})

    return change


@pytest.fixture
def house(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    drive = Drive(Path("/media/new"), "new", "vfat", total=10**9, free=10**9, can_write=True)
    places = DevicePlaces(drives=lambda: [drive])
    with web_house(
        quick_path, clock, change=with_more(quick_path, DEVICES), places=places
    ) as built:
        yield built


def fill(house: WebHouse) -> None:
    """Let every page have something to show, and more than one of it."""
    library = [{"Id": track(one).id, "Name": f"Tone {one}", "Type": "Audio"} for one in range(9)]
    house.library(*library)
    number = 0
    store, devices = house.store, house.services.devices.registry.all()
    for device in devices:
        for status in Status:
            for person in (ANN, BEN):
                number += 1
                rule = PIN if number % 3 == 0 else "favourites"
                album = f"{number % 4:032x}"
                house.add(
                    number, person, status=status, device=device.id, rule=rule, album_id=album
                )
    for person in (ANN, BEN, EVE):
        for one in range(1, 9):
            house.heard(person, one, house.clock.now())
            store.tombstones.put(person.user_id, STICK, track(one).id)
            store.exclusions.put(person.user_id, "favourites", track(one).id, device_id=STICK)


def asked(house: WebHouse, browser: Browser, path: str) -> list[str]:
    """Return the queries that one request took."""
    seen: list[str] = []
    trace(house.store.db, seen.append)
    browser.get(path).close()
    trace(house.store.db, None)
    return [one for one in seen if not one.startswith(("BEGIN", "COMMIT", "PRAGMA", "--"))]


def addresses(house: WebHouse) -> list[str]:
    """Return an address for every route that only looks."""
    routes: list[Rule] = [
        one for one in all_routes(house.web).iter_rules() if "GET" in (one.methods or ())
    ]
    known = [one for one in routes if one.arguments <= VALUES.keys()]
    assert {one.endpoint for one in routes} - {one.endpoint for one in known} == {"static"}
    to = all_routes(house.web).bind("localhost")
    return [to.build(one.endpoint, {name: VALUES[name] for name in one.arguments}) for one in known]


@pytest.mark.parametrize("person", [EVE, ANN])
def test_no_page_takes_more_than_fifteen_queries(house: WebHouse, person: Person) -> None:
    fill(house)
    browser, taken = house.come_in(person), {}
    for path in [*addresses(house), *FURTHER]:
        # Nothing is kept from the last page.
        for device in house.services.devices.registry.all():
            house.bus.publish(DeviceChanged(device.id))
        taken[path] = asked(house, browser, path)

    assert {path: len(sql) for path, sql in taken.items() if len(sql) > MOST} == {}


def steps(house: WebHouse, browser: Browser, path: str) -> int:
    """Return how many steps SQLite took for one request: some for every row it went through."""
    taken = count()
    connection = house.store.db.dialect.peewee.connection()
    connection.set_progress_handler(lambda: next(taken) < 0, 1)
    assert browser.get(path).status_code == HTTPStatus.OK
    connection.set_progress_handler(None, 0)
    return next(taken)


@pytest.mark.parametrize("person", [EVE, ANN])
@pytest.mark.parametrize("what", ["lists", "log"])
def test_what_came_from_a_device_is_shown_without_going_through_its_downloads(
    house: WebHouse, person: Person, what: str
) -> None:
    house.library()
    browser, path = house.come_in(person), f"/api/v1/devices/{STICK}/{what}"
    house.add(1, ANN)
    steps(house, browser, path)
    few = steps(house, browser, path)
    with house.store.db.write():
        for number in range(2, MANY):
            house.add(number, ANN)

    assert steps(house, browser, path) < few + MANY
