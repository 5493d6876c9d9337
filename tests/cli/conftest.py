"""A data folder and a stick, for commands that read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar.assembly.store import DATABASE
from sidecar.clock import SystemClock
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.holds import Holds

STICK = "11111111-1111-4111-8111-111111111111"
ANN = "a" * 32


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder and a stick; the command is told of them as people do it."""
    for name, value in {
        "SIDECAR_JELLYFIN__URL": "http://127.0.0.1:9",
        "SIDECAR_SERVER__DATA_DIR": str(tmp_path / "data"),
        "SIDECAR_DEVICES": json.dumps(
            [
                {
                    "name": "Car stick",
                    "path": str(tmp_path / "stick"),
                    "budget": 20_000,
                    "reserve": 0,
                }
            ]
        ),
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def used(house: Path, data: str = "data") -> Database:
    clock = SystemClock()
    db = Database.open(house / data / DATABASE, clock=clock)
    (house / "stick").mkdir()
    write_marker(house / "stick", Marker(STICK, "Car stick"))
    Devices(db).save(Device(STICK, "Car stick", str(house / "stick"), clock.now()))
    for number, size in ((1, 9_000), (2, 30_000)):
        item = Item(id=f"{number:032x}", type=ItemType.AUDIO, title=f"Tone {number}", size=size)
        Holds(db, Bus()).keep(Wish(ANN, STICK, item, Reason("favourites", item.id, "")))
        place = FilePlace(f"{number}.flac", f"{number}.flac")
        Downloads(db, Bus(), clock).queue.add_all(
            [NewDownload(item=item, device_id=STICK, user_id=ANN, places=[place])]
        )
    return db
