from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.config import SyncthingSettings, load
from sidecar.config.settings import CHANGEABLE
from sidecar.errors import ConfigError, SyncthingError


def loaded(tmp_path: Path, text: str, **environ: str) -> SyncthingSettings:
    file = tmp_path / "config.toml"
    file.write_text(f"[syncthing]\n{text}\n")
    data_dir = {"SIDECAR_SERVER__DATA_DIR": str(tmp_path / "data")}
    return load({**data_dir, **environ}, file=file).syncthing


def test_the_key_is_read_from_its_file_whenever_it_is_needed(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("first\n")
    settings = loaded(tmp_path, f'api_key_file = "{key}"')
    assert settings.read_key().get_secret_value() == "first"

    key.write_text("second")

    assert settings.read_key().get_secret_value() == "second"


def test_the_key_may_be_in_the_settings_or_the_environment(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'api_key = "a"').read_key().get_secret_value() == "a"
    in_environ = loaded(tmp_path, "", SIDECAR_SYNCTHING__API_KEY="b")
    assert in_environ.read_key().get_secret_value() == "b"
    assert "a" not in repr(loaded(tmp_path, 'api_key = "a"').api_key).removeprefix("SecretStr")


@pytest.mark.parametrize("text", ["", 'api_key_file = "/nowhere/key"'])
def test_without_a_key_it_is_said_which_setting_is_missing(tmp_path: Path, text: str) -> None:
    with pytest.raises(SyncthingError, match=r"syncthing\.api_key"):
        loaded(tmp_path, text).read_key()


def test_a_key_that_is_refused_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        loaded(tmp_path, "api_key = 12345")

    assert "12345" not in str(told.value)


def test_which_folder_carries_a_device_only_the_settings_file_says() -> None:
    assert "index" in CHANGEABLE
    assert "syncthing_folder" not in CHANGEABLE
