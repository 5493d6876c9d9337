"""The sidecar's own path for the benchmark: queue, database, progress, hash, syncs, renames.

Run as a process of its own: everything is real but the account, which is written down in place of
a sign-in, and the wishes, which come from a list in place of Jellyfin's favourites.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from threading import Thread

from pydantic import SecretStr

from sidecar.assembly.assembly import assemble
from sidecar.assembly.store import KEY_FILE
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.process import limits
from sidecar.services.accounts.accounts import SERVER_ID
from sidecar.services.rules.wishes import WishService
from sidecar.store.accounts.accounts import Account
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.stores import Stores

ANN, SERVER = "a" * 32, "5" * 32


def main() -> int:
    """Fetch everything on the list and leave; 0 if all of it arrived."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("size", type=int)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--ca", type=Path)
    asked = parser.parse_args()
    # As the product does when it starts.
    sys.setswitchinterval(limits.TURN_S)
    device = asked.out / "device"
    device.mkdir()
    settings = Settings.model_validate(
        {
            "jellyfin": {"url": asked.url, "ca_file": asked.ca},
            "server": {"data_dir": asked.out / "data"},
            "devices": [{"name": "Bench", "path": device}],
        }
    )
    clock, bus = SystemClock(), Bus()
    db = Database.open(settings.server.data_dir / "sidecar.db", clock=clock)
    store = Stores(db, bus, clock)
    sign_in(store, settings, clock)
    services = assemble(settings, store, bus, clock, lambda: True)
    services.background.housekeeping.recover()
    services.background.housekeeping.look_at_devices()
    queue(store, services.devices.registry.all()[0].id, clock, range(asked.count), asked.size)
    workers = [
        Thread(target=partial(_work, services.transfers.new_worker().step, db))
        for _ in range(asked.workers)
    ]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    missing = DownloadFilter(statuses=frozenset(Status) - {Status.COMPLETED})
    for row in store.downloads.queries.page(missing, 1, 3)[0]:
        print(row.title, row.status, row.error_message, file=sys.stderr)
    done = store.downloads.queries.counts(DownloadFilter())[Status.COMPLETED]
    services.devices.registry.close()
    db.close()
    return 0 if done == asked.count else 1


def _work(step: object, db: Database) -> None:
    with db.thread():
        while step():  # type: ignore[operator]
            pass


def sign_in(store: Stores, settings: Settings, clock: SystemClock) -> None:
    """Let there be an account with a token."""
    sealed = TokenBox(settings.server.data_dir / KEY_FILE).encrypt(SecretStr("t" * 32))
    store.meta.set(SERVER_ID, SERVER)
    store.accounts.save(
        Account(
            user_id=ANN,
            name="ann",
            server_id=SERVER,
            is_admin=False,
            may_download=True,
            jellyfin_device_id="bench",
            token_encrypted=sealed,
            is_signed_in=True,
            signed_in_at=clock.now(),
        )
    )


def queue(
    store: Stores, device: str, clock: SystemClock, numbers: Iterable[int], size: int
) -> None:
    """Want files of these numbers on a device."""
    items = {
        f"{number:032x}": Item(
            id=f"{number:032x}",
            type=ItemType.AUDIO,
            title=f"Tone {number}",
            album=f"Album {number // 12}",
            album_artist="The Sine Waves",
            number=number % 12 + 1,
            extension="flac",
            size=size,
        )
        for number in numbers
    }
    planning = WishService(store.db, store.holds, store.downloads, clock)
    wishes = (Wish(ANN, device, one, Reason("pin", one.id, "bench")) for one in items.values())
    planning.hold(wishes, lambda ids: {one: items[one] for one in ids})


if __name__ == "__main__":
    sys.exit(main())
