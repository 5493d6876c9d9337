from __future__ import annotations

from sidecar.store.database import Database
from sidecar.store.devices.settings import DeviceSettingsStore
from tests.store.examples import CARD, STICK


def test_only_what_was_changed_for_a_device_is_kept(db: Database) -> None:
    store = DeviceSettingsStore(db)
    store.save(STICK, {"budget": "8 GB"}, seen={})
    store.save(STICK, {"paused": True, "reserve": 1000}, seen={"budget": "8 GB"})

    assert store.of(STICK) == {"paused": True, "reserve": 1000}
    assert store.of(CARD) == {}

    store.save(STICK, {}, seen=store.of(STICK))
    assert store.of(STICK) == {}
