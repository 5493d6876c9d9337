from __future__ import annotations

import re
from pathlib import Path
from shutil import rmtree

import pytest
from pydantic import ByteSize

from sidecar.cli import main
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.services.operations.doctor import FoundWrong, look_at_device
from sidecar.store.database import Database
from sidecar.store.dialects.machine_roles import MachineRoles
from sidecar.store.dialects.postgresql import PostgresqlAddress
from tests import postgres, redis_server
from tests.cli.conftest import used


def test_a_budget_that_takes_no_file_is_no_good_set_up(tmp_path: Path) -> None:
    write_marker(tmp_path, Marker("0" * 32, "Stick"))
    settings = DeviceSettings(name="Stick", path=tmp_path, budget=ByteSize(10))

    with pytest.raises(FoundWrong, match=r"budget of 10 bytes takes no file") as found:
        look_at_device(settings, None)

    assert '"10 GB"' in found.value.way_out.text
    assert "is a device" in look_at_device(settings.with_changes({"budget": "10 GB"}), None)


def test_a_new_device_is_looked_at_as_one_that_was_used(tmp_path: Path) -> None:
    settings = DeviceSettings(name="Stick", path=tmp_path, budget=ByteSize(10))

    with pytest.raises(FoundWrong, match=r"budget of 10 bytes takes no file"):
        look_at_device(settings, None)

    assert "at the next start" in look_at_device(settings.with_changes({"budget": "10 GB"}), None)


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        (None, "Car stick is not there: plug it in"),
        (
            Marker("22222222-2222-4222-8222-222222222222", "Player"),
            "Another device (Player) is in the place of Car stick",
        ),
    ],
)
def test_a_stick_that_is_away_is_not_well_because_its_mount_point_is_there(
    house: Path, capsys: pytest.CaptureFixture[str], marker: Marker | None, words: str
) -> None:
    used(house).close()
    rmtree(house / "stick" / ".sidecar")
    if marker is not None:
        write_marker(house / "stick", marker)

    assert main(["doctor"]) == 1

    assert f"BAD  Device Car stick: {words}" in capsys.readouterr().out


@pytest.mark.parametrize("is_there", [True, False])
def test_the_folder_of_nightly_backups_is_looked_at(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_there: bool
) -> None:
    folder = house / "backups"
    if is_there:
        folder.mkdir()
    monkeypatch.setenv("SIDECAR_BACKUP__NIGHTLY", "true")
    monkeypatch.setenv("SIDECAR_BACKUP__FOLDER", str(folder))

    main(["doctor"])

    said = "ok   Backups: " if is_there else f"BAD  Backups: {folder} is not there, or is no folder"
    assert said in capsys.readouterr().out


def test_the_command_says_a_way_out_of_everything_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIDECAR_SERVER__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SIDECAR_JELLYFIN__URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SIDECAR_TRANSFER__ENGINE", "aria2")
    monkeypatch.setenv("SIDECAR_TRANSFER__ARIA2__PROGRAM", "none-of-this-name")

    assert main(["doctor"]) == 1

    lines = capsys.readouterr().out.splitlines()
    wrong = [number for number, line in enumerate(lines) if line.startswith("BAD  ")]
    assert [lines[one].partition(":")[0] for one in wrong] == [
        "BAD  Engine",
        "BAD  Jellyfin",
        "BAD  Devices",
    ]
    assert all(lines[one + 1].startswith("     What to do: ") for one in wrong)


def test_the_servers_of_several_processes_are_looked_at(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    postgresql: postgres.Server,
) -> None:
    def look() -> list[str]:
        main(["doctor"])
        lines = capsys.readouterr().out.splitlines()
        return [one for one in lines if re.search(r" (Database|Machines|Redis):", one)]

    url = postgresql.make("doctor")
    monkeypatch.setenv("SIDECAR_SERVER__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SIDECAR_DATABASE__URL", url)
    with redis_server.running() as redis:
        monkeypatch.setenv("SIDECAR_REDIS__URL", redis.url.get_secret_value())
        database, machines, news = look()
        assert database.startswith("ok   Database: PostgreSQL ")
        assert "gets a password of its own" in machines
        assert "/doctor; it lets " in database
        assert news.startswith("ok   Redis: Redis ")
        assert "0 processes listen" in news
        assert redis_server.PASSWORD not in news
    Database.open_server(PostgresqlAddress(url), tmp_path / "sidecar.db").close()
    other_version = "UPDATE sidecar_schema SET version = version - 1"
    a_guest = (
        "UPDATE sidecar_schema SET version = version + 1; CREATE ROLE guest LOGIN;"
        " REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
        " GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest"
    )
    for sql, wrong in ((other_version, "of another version"), (a_guest, "may not make tables")):
        postgresql.run("doctor", sql)
        if sql is a_guest:
            monkeypatch.setenv("SIDECAR_DATABASE__URL", url.replace("sidecar@", "guest@"))
        database, machines, news = look()
        assert ("CREATEROLE" in machines) == (sql is a_guest)
        assert database.startswith("BAD  Database: ")
        assert wrong in database
        assert "BAD  Redis: The Redis at " in news
    monkeypatch.setenv("SIDECAR_DATABASE__URL", MachineRoles(url).make("car", "pw"))
    database, machines, _ = look()
    assert database.startswith("ok   ")
    assert "has joined" in machines
    MachineRoles(url).lock_out("car")
    assert look()[0].startswith("BAD  Database: ")
    monkeypatch.setenv("SIDECAR_DATABASE__URL", url.replace("/doctor", "/none"))
    assert look()[0].startswith("BAD  Database: ")
    postgresql.drop("doctor")
    postgresql.run("postgres", "DROP ROLE guest")
