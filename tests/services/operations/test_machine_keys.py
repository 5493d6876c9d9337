"""A machine that joins has passwords of its own, on the real servers; *Remove* takes them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from pydantic import SecretStr

from sidecar.config import ServerSettings, Settings
from sidecar.config.settings import DatabaseSettings, RedisSettings
from sidecar.domain.processes.roles import read_roles
from sidecar.errors import LockedOut, NotPossible
from sidecar.events import Bus
from sidecar.services.operations.machine_keys import Addresses, MachineKeys
from sidecar.services.operations.machine_list import MachineList
from sidecar.shared_events.bridge import CHANNEL
from sidecar.store.accounts.accounts import Account
from sidecar.store.database import Database
from sidecar.store.dialects.machine_roles import OF_PAGES, replace_user
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.store.stores import Stores
from tests import postgres, redis_server
from tests.fakes.clock import START, FakeClock
from tests.store.examples import ANN, BEN


@pytest.fixture(scope="module")
def events() -> Iterator[redis_server.Server]:
    with redis_server.running() as server:
        yield server


@pytest.fixture(params=["superuser", "CREATEROLE"])
def owner(
    postgresql: postgres.Server, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of an empty database, for an owner that may make roles."""
    with own_database(postgresql, tmp_path.name, request.param) as url:
        yield url


@contextmanager
def own_database(server: postgres.Server, name: str, rights: str) -> Iterator[str]:
    url = server.make(name)
    if rights == "superuser":
        yield url
    else:
        server.run("postgres", f'CREATE ROLE "{name}" LOGIN {rights}')
        server.run("postgres", f'ALTER DATABASE "{name}" OWNER TO "{name}"')
        server.run(name, f'ALTER SCHEMA public OWNER TO "{name}"')
        yield replace_user(url, name, "any")
    server.drop(name)


def settings(url: str, events: redis_server.Server, folder: Path) -> Settings:
    return Settings(
        server=ServerSettings(data_dir=folder),
        database=DatabaseSettings(url=SecretStr(url)),
        redis=RedisSettings(url=events.url),
    )


@dataclass
class House:
    """Opens the database for each machine, and closes it at the end."""

    folder: Path
    leaving: ExitStack

    def open(self, url: str, machine: str) -> Stores:
        place, clock = self.folder / f"{machine}.db", FakeClock()
        db = Database.open_server(PostgresqlAddress(url), place, roles=read_roles("work"))
        self.leaving.callback(db.close)
        stores = Stores(db, Bus(), clock, machine=machine)
        stores.processes.register(machine, f"/{machine}", is_alone=False)
        return stores

    def open_given(self, given: Addresses, machine: str) -> Stores:
        return self.open(given.database.get_secret_value(), machine)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as leaving:
        yield House(tmp_path, leaving)


def user_of(addresses: Addresses) -> str:
    """Return who asks for news there."""
    assert addresses.redis is not None
    with redis.Redis.from_url(addresses.redis.get_secret_value()) as client:
        client.publish(CHANNEL, b"x")
        for forbidden in (
            ("GET", "x"),
            ("PUBLISH", "other", "x"),
            ("ACL", "LIST"),
            ("CLIENT", "PAUSE", "1"),
            ("CLIENT", "LIST"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*forbidden)
        return str(client.connection_pool.connection_kwargs["username"])


def test_a_machine_works_with_its_own_passwords_until_it_is_removed_and_others_go_on(
    owner: str, events: redis_server.Server, house: House
) -> None:
    nas = house.open(owner, "nas")
    keys = MachineKeys(lambda: settings(owner, events, house.folder))
    given = {one: keys.make(one) for one in ("car", "Anna's van")}
    machines = {one: house.open_given(its, one) for one, its in given.items()}
    listed = MachineList(nas, keys, FakeClock(), here="nas")
    assert {one.name: (one.has_own_key, one.may_go) for one in listed.all()} == {
        "nas": (False, False),
        "car": (True, True),
        "Anna's van": (True, True),
    }
    assert len({user_of(one) for one in given.values()}) == 2

    listed.remove("car")

    with pytest.raises(LockedOut, match="an admin has removed it"):
        machines["car"].meta.get("x")
    with pytest.raises(LockedOut, match="To join again"):
        house.open_given(given["car"], "again")
    with pytest.raises(redis.AuthenticationError):
        user_of(given["car"])
    hosts = {one.host for one in nas.processes.all()}
    assert hosts == {"nas", "Anna's van"}, "the lease of what ran there is over"
    machines["Anna's van"].meta.set("x", "y")
    assert nas.meta.get("x") == "y"
    assert [one.name for one in listed.all()] == ["Anna's van", "nas"]
    user_of(given["Anna's van"])

    again = keys.make("car")
    assert house.open_given(again, "car").meta.get("x") == "y"
    assert listed.find("car").has_own_key
    assert keys.make("car") != again, "who joins once more has another password"


def test_a_machine_may_do_what_work_on_devices_needs_and_no_more(
    owner: str, events: redis_server.Server, house: House
) -> None:
    nas = house.open(owner, "nas")
    given = MachineKeys(lambda: settings(owner, events, house.folder)).make("car")
    forbidden = (
        "SELECT * FROM sessions",
        "INSERT INTO api_keys SELECT * FROM api_keys",
        "SELECT * FROM push_subscriptions",
        "UPDATE sidecar_schema SET version = 1",
        "DELETE FROM page_settings",
        "DROP TABLE downloads",
        "TRUNCATE downloads",
        "CREATE ROLE other",
        "CREATE TABLE public.other (id int)",
    )
    with psycopg.connect(given.database.get_secret_value(), autocommit=True) as car:
        for statement in forbidden:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                car.execute(statement.encode())
    # A table of a newer version is for it as well.
    nas.db.sql("CREATE TABLE newer (id INTEGER)")
    with psycopg.connect(given.database.get_secret_value(), autocommit=True) as car:
        car.execute("INSERT INTO newer VALUES (1)")


def test_a_machine_that_hides_and_lies_is_listed_and_locked_out_for_good(
    owner: str, postgresql: postgres.Server, events: redis_server.Server, house: House
) -> None:
    nas = house.open(owner, "nas")
    keys = MachineKeys(lambda: settings(owner, events, house.folder))
    car = keys.make("car").database.get_secret_value()
    listed = MachineList(nas, keys, FakeClock(), here="nas")
    assert {one.name for one in listed.all()} == {"car", "nas"}, "it has not been heard of yet"
    other = urlunsplit(urlsplit(car)._replace(path="/postgres"))
    with psycopg.connect(car, autocommit=True) as lying, psycopg.connect(other) as elsewhere:
        lying.execute("UPDATE processes SET host = 'car'")
        lying.execute("DELETE FROM machines")
        lying.execute("INSERT INTO meta VALUES ('join_code', 'of its own making')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            lying.execute(f'COMMENT ON ROLE "{urlsplit(car).username}" IS NULL'.encode())
        elsewhere.execute("SELECT lo_create(0)")
        elsewhere.commit()
        assert listed.find("car").may_go

        listed.remove("car")

        with pytest.raises(psycopg.OperationalError):
            lying.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(car)
    assert nas.meta.get("join_code") is None
    assert "car" not in keys.list_joined()
    again = keys.make("car")
    assert house.open_given(again, "car").meta.get("join_code") is None
    postgresql.run("postgres", "SELECT lo_unlink(oid) FROM pg_largeobject_metadata")


def signed_in(user_id: str) -> Account:
    return Account(
        user_id=user_id,
        name=user_id[:3],
        server_id="5" * 32,
        is_admin=False,
        may_download=True,
        jellyfin_device_id=f"sidecar-{user_id}",
        token_encrypted=None,
        is_signed_in=True,
        signed_in_at=START,
    )


def test_a_machine_signs_out_whom_jellyfin_refuses_and_changes_no_settings(
    owner: str, events: redis_server.Server, house: House
) -> None:
    nas = house.open(owner, "nas")
    for user_id in (ANN, BEN):
        nas.accounts.save(signed_in(user_id))
        nas.sessions.begin(user_id, address_prefix="192.0.2.0/24")
    given = MachineKeys(lambda: settings(owner, events, house.folder)).make("car")
    car = house.open_given(given, "car")

    car.accounts.mark_signed_out(ANN)

    assert [one.user_id for one in nas.sessions.live()] == [BEN]
    assert {one.user_id: one.is_signed_in for one in nas.accounts.all()} == {ANN: False, BEN: True}
    assert nas.page_settings.may_save()
    assert not car.page_settings.may_save()


# Decide for each new table: what opens pages or programs belongs into OF_PAGES.
FOR_MACHINES = {
    *("accounts", "activity", "activity_of", "arrivals", "beside", "browser_plays", "choices"),
    *("chosen_playlists", "device_machines", "device_playlists"),
    *(
        "device_settings",
        "devices",
        "downloads",
        "exclusions",
        "findings",
        "hearts",
        "hidden_items",
    ),
    "holds",
    *("imported_plays", "kept_parts", "machines", "meta", "orders", "own_tallies", "owned"),
    *("copied", "own_copies", "own_tiles", "page_settings"),
    *("peers", "player_changes", "player_imports", "player_listeners", "player_states"),
    *("playlist_orders", "plays", "processes", "rests", "rule_settings", "seen_libraries"),
    *("selection_devices", "selections", "sidecar_schema", "space_samples", "speed_samples"),
    *("taken_playlists", "tallies", "tiled", "tiles", "tombstones", "unlike"),
}


def test_of_each_table_it_is_decided_whether_a_machine_may_read_it(
    owner: str, events: redis_server.Server, house: House
) -> None:
    house.open(owner, "nas")
    given = MachineKeys(lambda: settings(owner, events, house.folder)).make("car")
    with psycopg.connect(given.database.get_secret_value()) as car:
        found: dict[str, bool] = dict(
            car.execute(
                "SELECT relname, has_table_privilege(oid, 'SELECT') FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
        )
    assert {one for one, may_read in found.items() if may_read} == FOR_MACHINES
    assert {one for one, may_read in found.items() if not may_read} == {*OF_PAGES}


def test_where_the_database_lets_nobody_make_roles_machines_share_its_password(
    postgresql: postgres.Server, events: redis_server.Server, tmp_path: Path
) -> None:
    with (
        own_database(postgresql, tmp_path.name, "NOCREATEROLE") as url,
        ExitStack() as leaving,
    ):
        house = House(tmp_path, leaving)
        nas = house.open(url, "nas")
        keys = MachineKeys(lambda: settings(url, events, tmp_path))

        assert not keys.are_possible()
        assert keys.make("car") == Addresses(SecretStr(url), events.url)
        house.open(url, "car")
        listed = MachineList(nas, keys, FakeClock(), here="nas")
        assert not listed.find("car").has_own_key
        with pytest.raises(NotPossible):
            listed.remove("car")
