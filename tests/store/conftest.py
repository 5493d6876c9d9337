from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.events import Bus, Event
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.store.downloads.queue import Downloads
from tests import postgres
from tests.fakes.clock import START, FakeClock
from tests.statements import connections
from tests.store.examples import CARD, STICK, with_tables


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def news(bus: Bus) -> list[Event]:
    told: list[Event] = []
    bus.subscribe(told.append)
    return told


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on both databases, unless it is marked to be of SQLite alone."""
    is_of_file = metafunc.definition.get_closest_marker("sqlite") is not None
    if "db" in metafunc.fixturenames and not is_of_file:
        metafunc.parametrize("db", ("sqlite", "postgresql"), indirect=True)


@pytest.fixture
def db(tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Database]:
    if getattr(request, "param", None) == "postgresql":
        shared: Database = request.getfixturevalue("on_server")
        put_devices(shared)
        yield shared
        shared.sql(EMPTY)
        return
    database = Database.open(with_tables(tmp_path / "state" / "sidecar.db"), clock=clock)
    statements: dict[int, list[str]] = {}
    for number, one in enumerate(connections(database)):
        # Rows in an order that nobody asked for: a server gives them in any.
        one.execute_sql("PRAGMA reverse_unordered_selects = ON")
        one.connection().set_trace_callback(statements.setdefault(number, []).append)
    put_devices(database)
    yield database
    database.close()
    for said in statements.values():
        assert changes_outside_of_an_immediate_transaction(said) == []


def put_devices(database: Database) -> None:
    Devices(database).save(Device(STICK, "Car stick", "/media/car", START))
    Devices(database).save(Device(CARD, "Player", "/media/player", START))


@pytest.fixture(scope="session")
def on_server(
    postgresql: postgres.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all tests: to empty its few rows is quicker than to open another."""
    address = PostgresqlAddress(postgresql.make("store"))
    opened = Database.open_server(address, tmp_path_factory.mktemp("store") / "sidecar.db")
    yield opened
    opened.close()


EMPTY = """DO $$ DECLARE one text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema() AND tablename <> 'sidecar_schema' LOOP
        EXECUTE format('DELETE FROM %I', one);
    END LOOP;
    FOR one IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', one);
    END LOOP;
END $$"""


def changes_outside_of_an_immediate_transaction(statements: list[str]) -> list[str]:
    """A read that turns into a write fails at once when another writer came between."""
    transaction, strays = "", []
    for statement in statements:
        word = statement.split(None, 1)[0].upper()
        if word in {"BEGIN", "COMMIT", "ROLLBACK"}:
            transaction = statement if word == "BEGIN" else transaction
            transaction = transaction if word == "BEGIN" or " TO " in statement else ""
        elif word in {"INSERT", "UPDATE", "DELETE", "REPLACE"} and "IMMEDIATE" not in transaction:
            strays.append(statement)
    return strays


@pytest.fixture
def downloads(db: Database, bus: Bus, clock: FakeClock) -> Downloads:
    return Downloads(db, bus, clock)
