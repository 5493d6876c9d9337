"""A sidecar without web and threads that fetches what waits, and dies where it is told.

Run as a program it is a nursery: it has imported everything, and for each line on its standard
input (a folder) it forks a child that says its pid, waits for a line on a pipe of its own in that
folder, and then does the work of that folder to its end. Forking spares the start of Python
for each of some hundred deaths.

Unlike the real start there is one worker, in the main thread, and no page.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from pydantic import ByteSize, SecretStr

from sidecar.assembly.assembly import Assembly, assemble
from sidecar.assembly.store import DATABASE
from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings, Settings
from sidecar.config.settings import JellyfinSettings, ServerSettings
from sidecar.domain.formats.formats import Format
from sidecar.domain.items.item import ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus
from sidecar.services.rules.wishes import WishService
from sidecar.store.database import Database
from sidecar.store.stores import Stores

ADDRESS, GO, FORMAT = "address", "go", "format"


@contextmanager
def opened(house: Path) -> Iterator[tuple[Assembly, Stores]]:
    """Build everything over a house folder and put the queue and the device in order."""
    told = house / FORMAT
    stick = DeviceSettings(
        name="Car stick",
        path=house / "stick",
        reserve=ByteSize(0),
        format=Format(told.read_text()) if told.exists() else Format.ORIGINAL,
        keep_original=True,
    )
    settings = Settings(
        jellyfin=JellyfinSettings(url=(house / ADDRESS).read_text()),
        server=ServerSettings(data_dir=house / "data"),
        devices=(stick,),
    )
    clock, bus = SystemClock(), Bus()
    db = Database.open(house / "data" / DATABASE, clock=clock)
    try:
        with db.thread():
            store = Stores(db, bus, clock)
            services = assemble(settings, store, bus, clock, lambda: True)
            try:
                services.background.housekeeping.recover()
                yield services, store
            finally:
                services.devices.registry.close()
    finally:
        db.close()


def prepare(house: Path, address: str, title: str, wanted: Format = Format.ORIGINAL) -> None:
    """Make a house in which ann is signed in and one file waits."""
    for name in ("data", "stick"):
        (house / name).mkdir(parents=True)
    (house / ADDRESS).write_text(address)
    (house / FORMAT).write_text(wanted)
    with opened(house) as (services, store):
        account = services.accounts.service.with_password("ann", SecretStr("ann"))
        client = services.accounts.service.client(account.user_id)
        listing = client.favourites(frozenset({ItemType.AUDIO}))
        item = next(one for one in listing.items if one.title == title)
        planning = WishService(store.db, store.holds, store.downloads, SystemClock())
        [device_id] = services.devices.registry.serving("ann")
        wish = Wish(account.user_id, device_id, item, Reason("favourites", item.id, "liked"))
        planning.hold([wish], client.items)


def work(house: Path) -> None:
    """Do all that waits in a house; what has to be converted is, in the same thread."""
    no_more = Event()
    no_more.set()
    with opened(house) as (services, _):
        worker = services.transfers.new_worker()
        while worker.step():
            services.transfers.converters.run(no_more)


def _child(house: Path) -> None:
    # Open for both ways, so that nobody waits for anybody before the pid is told.
    go = os.open(house / GO, os.O_RDWR)
    _say(os.getpid())
    os.read(go, 1)
    work(house)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def nursery() -> None:
    """Fork a child for each folder that is named on the standard input."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _child(Path(line.strip()))
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    nursery()
