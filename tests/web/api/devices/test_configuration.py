"""The settings and the devices in the API: what the pages of admins do, for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.device.drives import DevicePlaces, Drive
from tests.services.conftest import STICK
from tests.web.house import Browser, WebHouse

API = "/api/v1"


@pytest.fixture
def folder(quick_path: Path) -> Path:
    """Return a folder on the one drive that is plugged in."""
    drive = quick_path / "media" / "SANDISK"
    drive.mkdir(parents=True)
    return drive


@pytest.fixture
def places(folder: Path) -> DevicePlaces:
    shown = [Drive(folder, "SANDISK", "vfat", 64 * 10**9, 58 * 10**9, can_write=True)]
    return DevicePlaces(roots=lambda: (folder.parent,), drives=lambda: shown)


def test_settings_are_shown_with_their_source_and_changed(house: WebHouse, eve: Browser) -> None:
    told = {one["name"]: one["settings"] for one in eve.told(f"{API}/settings")["items"]}
    assert told["jellyfin"]["jellyfin.url"]["origin"] == "file"
    assert told["jellyfin"]["jellyfin.url"]["is_locked"]
    assert told["transfer"]["transfer.workers"]["default"] == 3
    # Of a secret only whether there is one.
    assert told["jellyfin"]["jellyfin.password"]["value"] is None

    changes = {"transfer.speed_limit": "2 MB", "network.quiet_hours": ["22:00-06:30"]}
    done = eve.send("PATCH", f"{API}/settings", {"settings": changes})

    assert done.status_code == 200, done.text
    assert house.services.transfers.speed.of_all() == 2_000_000
    refused = eve.send(
        "PATCH", f"{API}/settings", {"settings": {"transfer.workers": 99, "jellyfin.url": "x"}}
    )
    assert refused.status_code == 422
    assert refused.json is not None
    assert refused.json["reasons"] == {
        "transfer.workers": "Enter a whole number from 1 to 16",
        "jellyfin.url": "This is set in the settings file or the environment",
    }
    assert eve.send("PATCH", f"{API}/settings", {"settings": {"a.b": 1}}).status_code == 404


def test_a_device_is_added_changed_and_forgotten(
    house: WebHouse, eve: Browser, folder: Path
) -> None:
    assert [one["name"] for one in eve.told(f"{API}/drives")["items"]] == ["SANDISK"]
    given = {"name": "New stick", "path": str(folder), "preset": "car", "budget": "10 GB"}

    refused = eve.send("POST", f"{API}/devices", given | {"path": "/etc"})
    added = eve.send("POST", f"{API}/devices", given)

    assert refused.status_code == 422
    assert added.status_code == 201, added.text
    house.look_at_devices()
    device_id = next(
        one["id"] for one in eve.told(f"{API}/devices")["items"] if one["name"] == "New stick"
    )
    one = f"{API}/devices/{device_id}"
    changed = eve.send("PATCH", one, {"name": "Car", "users": ["ann"]})
    assert changed.json is not None
    assert (changed.json["name"], changed.json["users"]) == ("Car", ["ann"])
    # That of the settings file stays as the file has it.
    assert eve.send("PATCH", f"{API}/devices/{STICK}", {"name": "x"}).status_code == 409
    assert eve.send("DELETE", f"{API}/devices/{STICK}").status_code == 409
    house.look_at_devices()
    assert eve.send("DELETE", f"{one}?files=delete").json == {"deleted": 0}
    assert eve.send("PATCH", one, {"name": "x"}).status_code == 404
