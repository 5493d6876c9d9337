from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.cli.commands import plan, server, status
from sidecar.cli.demo_place import settings_in_use
from sidecar.config import Settings
from sidecar.errors import ConfigError, SidecarError, WrongServer
from sidecar.services.identity.renaming import FileRenaming
from tests.services.identity.house import MovingHouse, moving_house, tracks

OTHER = "9" * 32


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    """A sidecar that runs while the commands are given."""
    with moving_house(tmp_path, tracks(3)) as built:
        built.person("admin")
        built.fill(*built.items())
        yield built


def as_admin(house: MovingHouse) -> Settings:
    named = {"username": "admin", "password": SecretStr("admin")}
    jellyfin = house.settings.jellyfin.model_copy(update=named)
    return house.settings.model_copy(update={"jellyfin": jellyfin})


def asked(**words: object) -> Namespace:
    usual = {"account": None, "dry_run": False, "yes": False, "json": False}
    return Namespace(**{**usual, **words})


def test_status_and_server_say_that_another_one_answers(
    house: MovingHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert server._show(house.settings, asked(json=True)) == 0
    assert json.loads(capsys.readouterr().out)["other"] is None
    assert status.read_status(house.settings)["server"]["trouble"] is None

    house.install_anew(OTHER)

    found = status.read_status(house.settings)["server"]
    assert found["trouble"] == "wrong-server"
    assert "jellyfin-sidecar server accept" in found["text"]
    with pytest.raises(SidecarError, match=f"{OTHER}.*is another one"):
        server._show(house.settings, asked())


def test_a_device_that_was_added_on_the_page_is_known_once(
    house: MovingHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house.store.page_settings.save({"devices": [{"name": "Player", "path": str(tmp_path / "p")}]})

    assert server._show(settings_in_use(house.settings), asked()) == 0

    assert "two devices have this name" not in caplog.text


def test_status_says_whose_hours_are_over(house: MovingHouse) -> None:
    def states() -> dict[str, str]:
        return {one["name"]: one["state"] for one in status.read_status(house.settings)["accounts"]}

    house.person("ann")
    assert set(states().values()) == {"signed in"}
    ann = house.server.core.users.find("ann")
    assert ann is not None

    ann.policy["AccessSchedules"] = [{"DayOfWeek": "Everyday", "StartHour": 0, "EndHour": 0}]

    assert states() == {
        "admin": "signed in",
        "ann": "signed in, outside its hours: its work waits and goes on by itself",
    }


def test_it_is_shown_before_it_is_taken_beside_a_sidecar_that_runs(
    house: MovingHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    house.install_anew(OTHER, media_root="/mnt/other")
    before = house.rows()

    assert server._accept(as_admin(house), asked(dry_run=True)) == 0

    shown = capsys.readouterr().out
    assert "3 are there as new entries and follow" in shown
    assert "Accounts of the same name there: admin, ann" in shown
    assert house.rows() == before
    with pytest.raises(SidecarError, match="say yes with --yes"):
        server._accept(as_admin(house), asked())
    assert house.rows() == before

    with pytest.raises(WrongServer):
        house.client("admin").me()
    assert server._accept(as_admin(house), asked(yes=True)) == 0

    # The one that runs goes on with it.
    house.services.accounts.server.tell(house.services.accounts.service.wrong_server())
    house.clock.advance(10)
    house.services.accounts.server.probe()
    assert house.services.accounts.server.is_there
    house.people.clear()
    assert {one.item_id for one in house.rows()} == {one.id for one in house.items()}
    with pytest.raises(SidecarError, match="is ours already"):
        server._accept(as_admin(house), asked(yes=True))


def test_new_names_are_shown_and_confirmed_beside_a_sidecar_that_runs(
    house: MovingHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    house.store.db.sql("UPDATE downloads SET started_at = completed_at")
    old = house.files()
    album = "The Sine Waves/First Light (2019)"
    for one in house.listing["tracks"]:
        one["album"] = "First Light Again"
    house.rescan()

    def names(**words: object) -> str:
        words = {"names": True, "device": None, **words}
        assert plan.show(house.settings, asked(**words)) == 0
        return capsys.readouterr().out

    told = names()
    assert "Car stick: 3 files would be renamed, 0 fetched" in told
    assert f"{album}/1-01 - Tone 1.flac\n    -> The Sine Waves/First Light Again" in told
    (shown,) = json.loads(names(json=True))["devices"]
    assert (shown["renamed"], shown["fetched"], len(shown["examples"])) == (3, 0, 3)
    assert [one.wanted_path for one in house.rows()] == [None] * 3
    with pytest.raises(ConfigError, match="no device of this name"):
        names(device="Card")
    with pytest.raises(ConfigError, match="needs --names"):
        plan.show(house.settings, asked(names=False, device=None, yes=True))

    assert "3 files are renamed now, 0 fetched" in names(device="Car stick", yes=True)

    services = house.services
    FileRenaming(house.store.downloads, services.devices.registry, house.bus).step()
    assert len(set(house.files()) - set(old)) == 3
    assert house.server.fetched == 0
    assert "0 files would be renamed" in names()
