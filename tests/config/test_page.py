from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.cli.demo_place import demo_settings
from sidecar.config import Settings, load
from sidecar.config.page import (
    FILE_ONLY,
    SECTIONS,
    Origin,
    find_origin,
    keys_of,
    merge,
    merge_valid,
    needs_restart,
)
from sidecar.errors import ConfigError

FILE = """
[transfer]
workers = 5
[network]
quiet_hours = ["22:00-06:30"]
[[devices]]
name = "Car"
path = "/media/car"
"""


@pytest.fixture
def base(tmp_path: Path) -> Settings:
    (tmp_path / "config.toml").write_text(FILE)
    environ = {"SIDECAR_TRANSFER__CONVERTERS": "2", "SIDECAR_SERVER__DATA_DIR": str(tmp_path)}
    return load(environ, file=tmp_path / "config.toml")


def test_the_page_comes_above_the_defaults_and_below_file_and_environment(base: Settings) -> None:
    changes = {
        "transfer.workers": 9,
        "transfer.converters": 9,
        "transfer.speed_limit": "2 MB",
        "transfer.aria2.url": "http://127.0.0.1:6800",
        "rules.latest.enabled": True,
        "network.use": "any",
    }

    merged = merge(base, changes)

    assert (merged.transfer.workers, merged.transfer.converters) == (5, 2)
    assert merged.transfer.speed_limit == 2_000_000
    assert merged.transfer.aria2.url == "http://127.0.0.1:6800/jsonrpc"
    assert merged.rules.latest.enabled  # type: ignore[attr-defined]
    assert (merged.network.use, len(merged.network.quiet_hours)) == ("any", 1)
    assert merged.from_environment == base.from_environment
    origins = {key: find_origin(base, changes, "transfer", key) for key in keys_of("transfer")}
    assert origins["workers"] is Origin.FILE
    assert origins["converters"] is Origin.ENVIRONMENT
    assert origins["speed_limit"] is Origin.PAGE
    assert origins["read_timeout"] is Origin.DEFAULT


def test_what_the_demo_sets_is_not_said_to_be_in_the_file(base: Settings) -> None:
    demo = demo_settings(base).with_demo("jellyfin", url="http://demo")

    merged = merge(demo, {"jellyfin.url": "http://other", "transfer.speed_limit": "2 MB"})

    assert merged.jellyfin.url == "http://demo"
    assert merged.server.data_dir == base.server.data_dir / "demo" / "sidecar"
    assert find_origin(merged, {}, "jellyfin", "url") is Origin.DEMO
    assert find_origin(merged, {}, "server", "data_dir") is Origin.DEMO
    assert find_origin(base, {}, "server", "data_dir") is Origin.ENVIRONMENT


def test_devices_of_the_page_come_after_those_of_the_file(base: Settings) -> None:
    merged = merge(base, {"devices": [{"name": "Phone", "path": "/srv/phone"}]})

    assert [one.name for one in merged.devices] == ["Car", "Phone"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("transfer.workers2", 1),
        ("nothing.at_all", 1),
        ("transfer.read_timeout", "soon"),
        ("devices", [{"name": "car", "path": "/srv/phone"}]),
        ("devices", [{"name": "Phone", "path": "/media/car"}]),
        ("devices", [{"name": "Phone"}]),
    ],
)
def test_what_is_wrong_is_refused_and_left_out_at_a_start(
    base: Settings, key: str, value: object
) -> None:
    with pytest.raises(ConfigError):
        merge(base, {key: value})

    merged, refused = merge_valid(base, {key: value, "transfer.speed_limit": "3 MB"})

    assert list(refused) == [key]
    assert merged.transfer.speed_limit == 3_000_000
    assert len(merged.devices) == 1


@pytest.mark.parametrize("key", ["metrics.key", "backup.passphrase"])
def test_a_secret_of_the_page_that_is_refused_is_not_shown(base: Settings, key: str) -> None:
    with pytest.raises(ConfigError, match="must have at least") as refused:
        merge(base, {key: "canary"})

    assert "canary" not in str(refused.value)


def test_programs_and_paths_of_the_machine_are_only_for_the_file() -> None:
    paths = {
        f"{name}.{key}"
        for name, section in SECTIONS.items()
        for key in keys_of(name)
        if "Path" in str(section.model_fields[key].annotation) or key in {"program", "ffmpeg"}
    }

    assert paths <= FILE_ONLY


def test_what_counts_at_once_needs_no_restart() -> None:
    assert not needs_restart("rules.latest.enabled")
    assert not needs_restart("transfer.speed_limit")
    assert needs_restart("transfer.workers")
    assert needs_restart("server.port")
