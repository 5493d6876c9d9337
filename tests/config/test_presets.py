"""What plays a device's files: said in the file, in the environment, and while it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar.config import DeviceSettings, load
from sidecar.config.schema import KeyKind, describe_keys
from sidecar.domain.files.presets import PresetName
from sidecar.errors import ConfigError


def devices(**more: object) -> dict[str, str]:
    return {"SIDECAR_DEVICES": json.dumps([{"name": "Stick", "path": "/media/stick", **more}])}


def test_a_device_is_for_any_player_unless_it_says_otherwise(tmp_path: Path) -> None:
    empty = tmp_path / "config.toml"
    empty.write_text('[[devices]]\nname = "Player"\npath = "/media/card"\npreset = "rockbox"\n')

    assert load({}, file=empty).devices[0].preset is PresetName.ROCKBOX
    assert load(devices(preset="car")).devices[0].preset is PresetName.CAR
    assert load(devices()).devices[0].preset is PresetName.GENERIC


def test_a_player_that_nobody_knows_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError) as told:
        load(devices(preset="ipod"))

    for word in ("SIDECAR_DEVICES", "ipod", *PresetName):
        assert word in str(told.value)


def test_it_can_be_changed_for_a_device_and_is_shown_as_a_choice() -> None:
    stick = DeviceSettings(name="Stick", path=Path("/media/stick"))

    assert stick.with_changes({"preset": "android"}).preset is PresetName.ANDROID
    described = {one.name: one for one in describe_keys(DeviceSettings)}["preset"]
    assert (described.kind, described.options) == (KeyKind.CHOICE, tuple(PresetName))
