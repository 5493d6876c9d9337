from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.store.database import Database
from sidecar.store.devices import devices as devices_module
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.dialects.postgresql import PostgresqlDialect
from sidecar.store.downloads.queue import Downloads
from sidecar.store.meta import Meta
from sidecar.store.rules.tombstones import Tombstones
from tests.fakes.clock import START, FakeClock
from tests.statements import hook
from tests.store.examples import ANN, BEN, CARD, STICK, item_id, wanted


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


def test_a_device_with_many_files_is_forgotten_in_steps_between_which_others_write(
    db: Database, downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices_module, "MOST_AT_ONCE", 2)
    downloads.queue.add_all([wanted(number) for number in range(5)])
    downloads.queue.add_all([wanted(9, device=CARD)])
    said: list[str] = []
    end = hook(db, lambda sql, _values: said.append(sql))

    Devices(db).forget(STICK)
    end()

    gone = [number for number, one in enumerate(said) if "DELETE FROM downloads" in one]
    assert len(gone) >= 3
    # SQLite does not tell of what begins a transaction.
    for before, after in itertools.pairwise(
        gone if isinstance(db.dialect, PostgresqlDialect) else []
    ):
        between = " ".join(said[before:after])
        assert "BEGIN" in between, "others wait until all are gone"
    assert [one.id for one in Devices(db).all()] == [CARD]
    assert db.sql("SELECT device_id FROM downloads") == [(CARD,)]
