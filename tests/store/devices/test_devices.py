from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.meta import Meta
from sidecar.store.rules.tombstones import Tombstones
from tests.fakes.clock import START, FakeClock
from tests.store.examples import ANN, BEN, CARD, STICK, item_id


def test_a_device_keeps_its_identity_wherever_it_is_mounted(db: Database) -> None:
    devices = Devices(db)

    devices.save(Device(STICK, "Stick", "/media/elsewhere", START + timedelta(days=1)))

    assert devices.get(STICK) == Device(STICK, "Stick", "/media/elsewhere", START)


def test_all_devices_are_listed_oldest_first(db: Database) -> None:
    devices = Devices(db)
    older = Device("0ld", "Old player", "/media/old", START - timedelta(days=1))

    devices.save(older)

    assert [one.id for one in devices.all()] == ["0ld", STICK, CARD]
    assert devices.get("0ld") == older
    assert devices.get("unknown") is None
    assert replace(older, name="x") not in devices.all()


def test_the_last_word_on_a_fact_counts(db: Database) -> None:
    meta = Meta(db)
    assert meta.get("server_id") is None

    meta.set("server_id", "one")
    meta.set("server_id", "two")

    assert meta.get("server_id") == "two"


def test_a_tombstone_is_for_one_person_and_one_device(db: Database, clock: FakeClock) -> None:
    tombstones = Tombstones(db, clock)
    tombstones.put(ANN, STICK, item_id(1))
    tombstones.put(ANN, STICK, item_id(1))

    assert tombstones.items(ANN, STICK) == {item_id(1)}
    assert tombstones.items(BEN, STICK) == tombstones.items(ANN, CARD) == frozenset()


def test_asking_again_lifts_the_tombstone(db: Database, clock: FakeClock) -> None:
    tombstones = Tombstones(db, clock)
    tombstones.put(ANN, STICK, item_id(1))

    assert tombstones.forget(ANN, STICK, item_id(1))
    assert not tombstones.forget(ANN, STICK, item_id(1))

    assert tombstones.items(ANN, STICK) == frozenset()
