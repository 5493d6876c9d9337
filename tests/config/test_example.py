"""The example file explains every setting, and its values are the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pydantic import BaseModel

from sidecar.config import DeviceSettings, Settings, load
from sidecar.config.rules import ALL_RULES

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def keys(model: type[BaseModel], path: str = "") -> set[str]:
    """Every key of the settings as the file writes it: `server.port`, `devices.name` …"""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        kind = {"devices": DeviceSettings, "rules": ALL_RULES}.get(name, field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= keys(kind, f"{path}{name}.")
        else:
            found.add(f"{path}{name}")
    return found


def documented() -> set[str]:
    """Every key the example shows, commented out or not, each with a comment above its group."""
    found, section = set(), ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        bare = line.lstrip("# ")
        if match := re.fullmatch(r"\[{1,2}([a-z0-9_.]+)\]{1,2}", bare):
            section = match[1]
        elif match := re.match(r"([a-z_]+) = ", bare):
            found.add(f"{section}.{match[1]}")
    return found


def test_the_example_shows_every_setting_and_no_other() -> None:
    assert documented() == keys(Settings)


def test_the_example_is_valid_and_its_values_are_the_defaults(tmp_path: Path) -> None:
    nothing = {"SIDECAR_SERVER__DATA_DIR": str(tmp_path)}

    example, empty = load(nothing, file=EXAMPLE), load(nothing, file=_empty(tmp_path))
    assert example.model_dump() == empty.model_dump()


def test_the_example_with_everything_uncommented_is_valid(tmp_path: Path) -> None:
    text = re.sub(
        r"^# (# )?(?=(\[\[devices|[a-z_]+ = ))", "", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE
    )
    text = re.sub(r"^# .*$", "", text, flags=re.MULTILINE)
    whole = tmp_path / "whole.toml"
    whole.write_text(text, encoding="utf-8")

    settings = load({}, file=whole)

    assert tomllib.loads(text)["devices"]
    assert settings.devices[0].users == ("ann",)


def _empty(folder: Path) -> Path:
    file = folder / "empty.toml"
    file.write_text("")
    return file
