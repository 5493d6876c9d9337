"""The services are made without starting anything."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sidecar.assembly.assembly import assemble
from sidecar.assembly.store import DATABASE
from sidecar.config import DeviceSettings, JellyfinSettings, ServerSettings, Settings
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.stores import Stores
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import answering


def test_making_the_services_starts_no_thread_asks_nobody_and_writes_no_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "stick").mkdir()
    clock, bus = FakeClock(), Bus()
    with answering() as jellyfin:
        settings = Settings(
            jellyfin=JellyfinSettings(url=jellyfin.url),
            server=ServerSettings(data_dir=tmp_path / "data"),
            devices=(DeviceSettings(name="Car stick", path=tmp_path / "stick"),),
        )
        db = Database.open(tmp_path / "data" / DATABASE, clock=clock)
        store = Stores(db, bus, clock)
        # The settings of the page are read; SQLite then has files of its own beside the database.
        store.page_settings.all()
        files, threads = set(tmp_path.rglob("*")), set(threading.enumerate())

        services = assemble(settings, store, bus, clock)

        assert set(tmp_path.rglob("*")) == files
        assert set(threading.enumerate()) == threads
        assert jellyfin.requests == []
        assert services.devices.registry.all() == []
        db.close()


def test_without_a_jellyfin_server_it_is_said_which_setting_is_missing(tmp_path: Path) -> None:
    clock, bus = FakeClock(), Bus()
    settings = Settings(server=ServerSettings(data_dir=tmp_path / "data"))
    db = Database.open(tmp_path / "data" / DATABASE, clock=clock)

    with pytest.raises(ConfigError, match=r"jellyfin\.url"):
        assemble(settings, Stores(db, bus, clock), bus, clock)
    db.close()
