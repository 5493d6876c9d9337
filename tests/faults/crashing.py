"""A sidecar without web and threads that fetches what waits, and dies where it is told.

Run as a program it is a nursery: it has imported everything, and for each line on its standard
input (a folder) it forks a child that says its pid, waits for a line on a pipe of its own in that
folder, and then does the work of that folder to its end. Forking spares the start of Python
for each of some hundred deaths.

In a house of playlists it takes those of its stick home, or takes that back.

Unlike the real start there is one worker, in the main thread, and no page. In a house with a group
it fetches all other files while the first is being finished, so that they are finished together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from pydantic import ByteSize, SecretStr

from sidecar.assembly.assembly import Assembly, assemble
from sidecar.assembly.store import DATABASE
from sidecar.clock import Clock, SystemClock
from sidecar.config import DeviceSettings, Settings
from sidecar.config.settings import JellyfinSettings, ServerSettings
from sidecar.domain.downloads.download import Status
from sidecar.domain.formats.formats import Format
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus, DownloadChanged
from sidecar.events import Event as BusEvent
from sidecar.services.accounts.person import Person
from sidecar.services.players.device_playlists.views import ListDecision
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.worker import Worker
from sidecar.store.database import Database
from sidecar.store.stores import Stores
from tests.fakes.clock import PatientClock

ADDRESS, GO, FORMAT, GROUP, PLAYLISTS = "address", "go", "format", "group", "playlists"
TAKE, UNDO = "take", "undo"
# Whether each point is walked at which something can die, and how long that may take: 0 for ever.
WALKS_ALL = os.environ.get("SIDECAR_CRASH_POINTS") == "all"
WALKED_WITHIN_S = 0 if WALKS_ALL else 900


@contextmanager
def opened(
    house: Path, bus: Bus | None = None, clock: Clock | None = None
) -> Iterator[tuple[Assembly, Stores]]:
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
    clock, bus = clock or SystemClock(), bus or Bus()
    db = Database.open(house / "data" / DATABASE, clock=clock)
    try:
        with db.thread():
            store = Stores(db, bus, clock)
            services = assemble(settings, store, bus, clock, lambda: True)
            try:
                services.background.housekeeping.recover()
                services.background.housekeeping.look_at_devices()
                yield services, store
            finally:
                services.rules.threads.end()
                services.devices.registry.close()
    finally:
        db.close()


def prepare(house: Path, address: str, title: str, wanted: Format = Format.ORIGINAL) -> None:
    """Make a house in which ann is signed in and one file waits."""
    _prepare(house, address, lambda items: [one for one in items if one.title == title], wanted)


def prepare_group(house: Path, address: str, count: int) -> None:
    """Make a house in which one file waits and, after it, a group of so many."""
    _prepare(house, address, lambda items: items[: count + 1], Format.ORIGINAL)
    (house / GROUP).touch()


def _prepare(
    house: Path, address: str, choose: Callable[[Sequence[Item]], Sequence[Item]], wanted: Format
) -> None:
    for name in ("data", "stick"):
        (house / name).mkdir(parents=True)
    (house / ADDRESS).write_text(address)
    (house / FORMAT).write_text(wanted)
    with opened(house) as (services, store):
        account = services.accounts.service.with_password("ann", SecretStr("ann"))
        client = services.accounts.service.client(account.user_id)
        listing = client.favourites(frozenset({ItemType.AUDIO}))
        items = choose(sorted(listing.items, key=lambda one: one.title))
        planning = WishService(store.db, store.holds, store.downloads, SystemClock())
        [device_id] = services.devices.registry.serving("ann")
        reason = Reason("favourites", items[0].id, "liked")
        planning.hold(
            [Wish(account.user_id, device_id, one, reason) for one in items], client.items
        )


def work(house: Path) -> None:
    """Do all that waits in a house; what has to be converted is, in the same thread."""
    no_more, bus = Event(), Bus()
    no_more.set()
    # Else a run that takes long asks the kernel for something else than the next one.
    with opened(house, bus, PatientClock()) as (services, _):
        if (house / PLAYLISTS).exists():
            _handle_playlists(services, (house / PLAYLISTS).read_text())
            return
        worker = services.transfers.new_worker()
        if (house / GROUP).exists():
            bus.subscribe(_Meanwhile(worker).hear)
        while worker.step():
            services.transfers.converters.run(no_more)


def _handle_playlists(services: Assembly, what: str) -> None:
    """Take home all playlists of the device, or take back all that were."""
    [account] = services.accounts.service.signed_in()
    [device_id] = services.devices.registry.serving(account.name)
    person = Person(account.user_id, account.name, is_admin=account.is_admin)
    returns = services.web.playlist_returns
    if what == UNDO:
        for path in returns.lists(person, device_id).may_undo:
            returns.undo(person, device_id, path)
        return
    for one in returns.lists(person, device_id).lists:
        returns.answer(person, device_id, one.path, one.mark, ListDecision.TAKE)
    if returns.lists(person, device_id).lists:
        raise RuntimeError("a list that was taken home is offered again")


class _Meanwhile:
    """Fetches all other files while the first one is being finished."""

    def __init__(self, worker: Worker) -> None:
        self._worker: Worker | None = worker

    def hear(self, event: BusEvent) -> None:
        """Listen to the bus."""
        match event:
            case DownloadChanged(now=Status.COMPLETED) if self._worker is not None:
                worker, self._worker = self._worker, None
                while worker.step():
                    pass
            case _:
                pass


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
