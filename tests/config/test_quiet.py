"""What is wrong with the settings is told without what is secret in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from sidecar.config import DeviceSettings, Settings, load
from sidecar.config.base import Section
from sidecar.errors import ConfigError

CANARY = "hunter2canary"
ADDRESSES = (
    f"http://user:{CANARY}@host:6800/jsonrpc",
    f"http://{CANARY}@host",
    f"user:{CANARY}@host",
    f"ftp://user:pa/ss@{CANARY}@host",
    f"http://host/jsonrpc?api_key={CANARY}",
)


def sections(section: type[Section], *path: str) -> Iterator[tuple[str, ...]]:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from sections(kind, *path, name)
        else:
            yield (*path, name)


def declared(section: type[Section], name: str, *further: str) -> FieldInfo:
    field = section.model_fields[name]
    return declared(field.annotation, *further) if further else field  # type: ignore[arg-type]  # a section


KEYS = sorted(sections(Settings))
SECRETS = [key for key in KEYS if "SecretStr" in str(declared(Settings, *key).annotation)]


def told(tmp_path: Path, environ: dict[str, str], file: str = "") -> str:
    """Return what is said of settings; nothing if they are taken."""
    (tmp_path / "config.toml").write_text(file)
    folder = {"SIDECAR_SERVER__DATA_DIR": str(tmp_path / "data")}
    try:
        load(folder | environ, file=tmp_path / "config.toml")
    except ConfigError as error:
        return f"{error}" if CANARY not in repr(error.value) else CANARY
    return ""


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_shows_its_password(tmp_path: Path, address: str) -> None:
    for key in KEYS:
        name = "SIDECAR_" + "__".join(key).upper()
        assert CANARY not in told(tmp_path, {name: address}), name
        section = ".".join(key[:-1])
        if section:
            assert CANARY not in told(tmp_path, {}, f'[{section}]\n{key[-1]} = "{address}"\n'), name


@pytest.mark.parametrize("value", [f'"{CANARY}"', f'["{CANARY}"]', f'{{a = "{CANARY}"}}'])
def test_no_secret_that_is_refused_is_shown(tmp_path: Path, value: str) -> None:
    assert len(SECRETS) >= 7
    for *section, name in SECRETS:
        assert CANARY not in told(tmp_path, {}, f"[{'.'.join(section)}]\n{name} = {value}\n")


def test_a_key_that_is_too_short_is_named_and_masked(tmp_path: Path) -> None:
    text = told(tmp_path, {}, '[metrics]\nkey = "short"\n')

    assert text.endswith("metrics.key = '********': must have at least 20 characters")


def test_an_address_is_told_as_far_as_it_is_no_secret(tmp_path: Path) -> None:
    text = told(tmp_path, {"SIDECAR_SYNCTHING__URL": "http://me:pw@host:8384/x?api_key=1"})

    assert "SIDECAR_SYNCTHING__URL = 'http://***@host:8384/x?***': must be the plain" in text


def test_a_misspelt_key_is_named_and_what_it_held_is_not(tmp_path: Path) -> None:
    in_file = told(tmp_path, {}, f'[jellyfin]\npasswort = "{CANARY}"\n')
    in_environ = told(tmp_path, {"SIDECAR_JELLYFIN__PASSWORT": CANARY})
    nested = told(tmp_path, {}, f'[jellyfin.passwords]\nann = "{CANARY}"\n')

    assert in_file.endswith("config.toml: jellyfin.passwort: there is no such setting")
    assert in_environ == "environment: SIDECAR_JELLYFIN__PASSWORT: there is no such setting"
    assert "jellyfin.passwords: there is no such setting" in nested
    assert CANARY not in nested


@pytest.mark.parametrize(
    "environ",
    [
        {"SIDECAR_DEVICES": f'[{{"password": "{CANARY}",]'},
        {"SIDECAR_DEVICES": json.dumps([{"password": CANARY}])},
        {"SIDECAR_JELLYFIN__PASSWORD__X": CANARY},
        {"SIDECAR_JELLYFIN__PASSWORD_FILE": CANARY},
        {"SIDECAR_JELLYFIN": "x", "SIDECAR_JELLYFIN__PASSWORD": CANARY, "SIDECAR_LOG__X": "y"},
    ],
)
def test_what_holds_a_secret_is_not_shown_whole(tmp_path: Path, environ: dict[str, str]) -> None:
    assert CANARY not in told(tmp_path, environ)


@pytest.mark.parametrize(
    "file", [f'jellyfin = "{CANARY}"', f'jellyfin = [{{password="{CANARY}"}}]']
)
def test_a_section_in_another_form_does_not_show_it(tmp_path: Path, file: str) -> None:
    text = told(tmp_path, {}, file)

    assert "jellyfin: " in text
    assert CANARY not in text


@pytest.mark.parametrize("key", ["budget", "reserve", "speed_limit", "bitrate"])
@pytest.mark.parametrize("value", [True, False])
def test_yes_and_no_are_no_numbers(key: str, value: object) -> None:
    configured = DeviceSettings(name="Car stick", path=Path("/media/car"))

    with pytest.raises(ConfigError, match="must not be true or false"):
        configured.with_changes({key: value})


@pytest.mark.parametrize("value", [1, 0, 1.0])
def test_numbers_are_no_yes_and_no(value: float) -> None:
    configured = DeviceSettings(name="Car stick", path=Path("/media/car"))

    with pytest.raises(ConfigError, match="must be true or false"):
        configured.with_changes({"paused": value})


def test_whole_settings_take_neither_for_the_other(tmp_path: Path) -> None:
    assert "true or false" in told(tmp_path, {}, "[transfer]\nworkers = true\n")
    assert "true or false" in told(tmp_path, {}, "[server]\nport = false\n")
    assert "true or false" in told(tmp_path, {}, "[rules.queue_ahead]\ncount = true\n")
    assert told(tmp_path, {"SIDECAR_RULES__FAVOURITES__ENABLED": "true"}) == ""
