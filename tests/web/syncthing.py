"""A house whose stick Syncthing carries to Ann's phone, as Syncthing's own interface tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from sidecar.config import Settings, SyncthingSettings
from sidecar.domain.downloads.download import Download, Status
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Answering, Reply, Request, answering, json_reply
from tests.web.house import WebHouse, only_for, web_house

PHONE, CAR = "PHONE", "CAR"


@contextmanager
def carried_house(path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Answering]]:
    """Build a house with Ann's stick, and the Syncthing that is asked about it."""
    with answering() as syncthing:

        def change(settings: Settings) -> Settings:
            asked = SyncthingSettings(url=syncthing.url, api_key=SecretStr("key"))
            return only_for("ann")(settings.model_copy(update={"syncthing": asked}))

        with web_house(path, clock, change=change) as house:
            yield house, syncthing


def carry(house: WebHouse, syncthing: Answering) -> tuple[Download, Download]:
    """Let the phone have one file of Ann's and still need a newer one; the car is not there."""
    first = house.add(1, status=Status.COMPLETED)
    house.clock.advance(60)
    second = house.add(2, status=Status.COMPLETED)
    entries = [
        {
            "name": one.file_path.rpartition("/")[2],
            "size": one.file_size,
            "type": "FILE_INFO_TYPE_FILE",
        }
        for one in (first, second)
    ]
    folder = {
        "id": "music",
        "label": "Music",
        "path": str(house.folder),
        "devices": [{"deviceID": one} for one in ("ME", PHONE, CAR)],
    }
    seen = {PHONE: {"lastSeen": "2026-11-01T11:42:00Z"}, CAR: {"lastSeen": "1970-01-01T00:00:00Z"}}
    needs = {PHONE: [second], CAR: [first, second]}

    def completion(request: Request) -> Reply:
        needed = needs[request.query["device"]]
        told = {"completion": 99.94, "needBytes": 2000, "sequence": 1}
        return json_reply(told | {"needItems": len(needed)})

    def remote_need(request: Request) -> Reply:
        needed = needs[request.query["device"]]
        files = [{"name": one.file_path, "size": one.file_size} for one in needed]
        return json_reply({"files": files})

    told: dict[str, object] = {
        "system/status": {"myID": "ME"},
        "config/folders": [folder],
        "config/devices": [
            {"deviceID": PHONE, "name": "Ann's phone"},
            {"deviceID": CAR, "name": "Car"},
        ],
        "system/connections": {"connections": {PHONE: {"connected": True}}},
        "stats/device": seen,
        "db/browse": entries,
        "db/ignores": {"ignore": []},
    }
    syncthing.routes |= {f"GET /rest/{path}": json_reply(answer) for path, answer in told.items()}
    syncthing.routes |= {
        "GET /rest/db/completion": completion,
        "GET /rest/db/remoteneed": remote_need,
    }
    peers = house.services.devices.peers
    assert peers is not None
    while peers.step():
        pass
    return first, second
