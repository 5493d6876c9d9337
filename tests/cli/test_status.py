"""What a monitoring system reads: everything that it needs stands in one object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sidecar import cli
from sidecar.cli.commands.plan import NEVER_USED
from sidecar.services.operations.backups.nightly import FOLDER
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.schema.migrations import STEPS
from tests.cli.conftest import STICK, used
from tests.fakes.servers.syncthings import free_port


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert cli.main(["status", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_before_the_first_run_every_key_is_there(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = told(capsys)
    used(house).close()

    assert {*told(capsys)} == {*before, "server_id"}
    assert (before["running"], before["health"], before["backups"]) == (False, None, None)


def test_without_a_server_the_commands_look_where_the_demo_is(
    house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIDECAR_JELLYFIN__URL")
    monkeypatch.setenv("SIDECAR_SERVER__PORT", str(free_port()))
    db = used(house, "data/demo/sidecar")

    beside = told(capsys)
    db.close()

    assert beside["running"] is True
    assert beside["downloads"] == {"pending": 2, "completed": 0, "failed": 0}
    cli.main(["plan"])
    assert NEVER_USED not in capsys.readouterr().out
    cli.main(["doctor"])
    assert f"Data folder: {house / 'data/demo/sidecar'}" in capsys.readouterr().out


def test_a_device_says_what_it_has_room_for_and_what_is_in_its_way(
    house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_SERVER__PORT", str(free_port()))
    db = used(house)
    DeviceSettingsStore(db).save(STICK, {"paused": True}, seen={})
    (house / "data" / FOLDER).mkdir()

    beside = told(capsys)
    db.close()

    # Who holds the database, but answers nobody, is not well.
    assert (beside["running"], beside["health"]) == (True, "no answer")
    assert beside["server"]["trouble"] == "server-away"
    assert beside["database"]["tables"] == len(STEPS)
    assert beside["queue_bytes"] == 39_000
    assert beside["downloads"] == {"pending": 2, "completed": 0, "failed": 0}
    (stick,) = beside["devices"]
    assert 0 < stick["free"] <= stick["total"]
    assert (stick["limit"], stick["reserve"], stick["waiting"]) == (20_000, 0, 2)
    assert (stick["configured"], stick["paused"], stick["trouble"]) == (True, True, None)
    assert beside["backups"] == {"nightly": False, "kept": 0, "last_at": None, "last_bytes": 0}
    (house / "stick").rename(house / "drawer")
    (away,) = told(capsys)["devices"]
    assert (away["trouble"]["code"], away["free"], away["waiting"]) == ("missing", None, 2)
    assert "Car stick" in away["trouble"]["text"]
    monkeypatch.setenv("SIDECAR_BACKUP__NIGHTLY", "true")
    assert cli.main(["status"]) == 0
    text = capsys.readouterr().out
    assert away["trouble"]["text"] in text
    assert "none was made yet" in text
