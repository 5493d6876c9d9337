"""Loads the settings from config.toml and the environment, and checks them.

Every key can be set as `SIDECAR_SECTION__KEY` in the environment, a secret also by the path of its
file in `SIDECAR_…_FILE`; the devices are a JSON list in `SIDECAR_DEVICES`. The environment
overrides the file. An unknown key is an error.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from sidecar.config.files import not_text, read_secret, read_text
from sidecar.config.schema import is_secret
from sidecar.config.settings import Settings, check_devices
from sidecar.errors import ConfigError

PREFIX = "SIDECAR_"
FILE_NAME = "config.toml"
# Not keys of a section: the path of the file, and the list of devices.
NOT_SETTINGS = {"SIDECAR_CONFIG", "SIDECAR_DEVICES"}

# What pydantic says otherwise, in words that have nothing to do with Python.
REASONS = {
    "extra_forbidden": "there is no such setting",
    "missing": "must be given",
    "tuple_type": "must be a list",
    "model_type": "must be settings with their names",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "string_type": "must be text in quotation marks",
}


def load(environ: Mapping[str, str], *, file: Path | None = None) -> Settings:
    """Read and check the settings.

    Args:
        environ: The environment, normally `os.environ`.
        file: The file named on the command line; must exist. If None: `SIDECAR_CONFIG`, else
            config.toml in the data folder or in the working folder, else no file.

    Raises:
        ConfigError: A setting is wrong.
    """
    source = file or find_file(environ)
    tree = _read(source) if source else {}
    from_environ = _parse_environ(environ)
    try:
        settings = Settings.model_validate(_merge(tree, from_environ))
    except ValidationError as error:
        raise _explain(error, source, tree, from_environ) from None
    check_devices(settings, source or "environment")
    settings.note_sources(source, frozenset(_places(from_environ)))
    return settings


def find_file(environ: Mapping[str, str]) -> Path | None:
    """Return the settings file that is read if none is named; None if there is none."""
    if named := environ.get("SIDECAR_CONFIG"):
        return Path(named)
    beside_data = environ.get("SIDECAR_SERVER__DATA_DIR") or platformdirs.user_data_path(
        "jellyfin-sidecar"
    )
    for folder in (Path(beside_data), Path()):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def _read(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(source))
    except OSError as error:
        raise ConfigError(source, "file", None, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(source, "file", None, not_text(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, "file", None, _not_toml(str(error))) from error
    except ValueError as error:
        reason = f"holds a number that is far too long: {error}"
        raise ConfigError(source, "file", None, reason) from error
    except RecursionError:
        reason = "is not valid TOML: lists in lists without an end"
        raise ConfigError(source, "file", None, reason) from None


def _not_toml(why: str) -> str:
    """Return the reason, reworded where the parser's message is of no help."""
    for said in ("Cannot overwrite a value", "Cannot declare"):
        if why.startswith(said):
            return f"the same key or section stands there twice {why[why.rfind('(') :]}"
    return f"is not valid TOML: {why}"


def _parse_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or "__" not in name:
            continue
        if not value:
            # Forms for containers pass what nobody filled in.
            continue
        if any("\ud800" <= one <= "\udfff" for one in value):
            raise ConfigError("environment", name, None, "is not UTF-8: write it as UTF-8")
        keys = name.removeprefix(PREFIX).lower().split("__")
        if keys[-1].endswith("_file") and keys[-1] != "ca_file":
            keys[-1] = keys[-1].removesuffix("_file")
            value = _read_secret(name, value)  # noqa: PLW2901 - the file's content stands for it
        branch = tree
        for key in keys[:-1]:
            branch = branch.setdefault(key, {})
            if not isinstance(branch, dict):
                raise ConfigError("environment", name, None, f"{key} is set to one value as well")
        branch[keys[-1]] = value.split(",") if _is_list(keys) else value
    if environ.get("SIDECAR_DEVICES"):
        tree["devices"] = _parse_devices(environ["SIDECAR_DEVICES"])
    return tree


LISTS = frozenset(
    {"allowed_hosts", "busy_hours", "jellyfin_web_origins", "quiet_hours", "trusted_proxies"}
)


def _is_list(keys: list[str]) -> bool:
    return keys[-1] in LISTS


def _read_secret(name: str, path: str) -> str:
    try:
        return read_secret(Path(path))
    except OSError as error:
        # Anything else may be the secret itself, given by mistake.
        shown = path if path.startswith(("/", "./", "~/")) else None
        reason = f"names a file that cannot be read: {error.strerror}"
        raise ConfigError("environment", name, shown, reason) from error
    except UnicodeDecodeError as error:
        raise ConfigError("environment", name, path, not_text(error)) from None
    except ValueError as error:
        raise ConfigError("environment", name, path, str(error)) from None


def _parse_devices(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f"must be a JSON list of devices: {error}"
        raise ConfigError("environment", "SIDECAR_DEVICES", None, reason) from error


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = (
            _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return merged


def _explain(
    error: ValidationError,
    source: Path | None,
    tree: Mapping[str, Any],
    from_environ: Mapping[str, Any],
) -> ConfigError:
    first = error.errors(include_url=False)[0]
    place = first["loc"]
    in_environ, value = _look_up(from_environ, place)
    if not in_environ:
        _, value = _look_up(tree, place)
    reason = REASONS.get(first["type"], first["msg"].removeprefix("Value error, "))
    reason = reason.replace("Input should be", "must be", 1)
    key = ".".join(str(part) for part in place)
    where: str | Path = "environment" if in_environ or source is None else source
    if where == "environment":
        key = (
            f"SIDECAR_DEVICES{''.join(map(_describe_step, place[1:]))}"
            if place[0] == "devices"
            else PREFIX + "__".join(str(part).upper() for part in place)
        )
    if first["type"] in {"extra_forbidden", "model_type"}:
        # An unknown key may be a misspelt `password`; a value in place of a section may hold one.
        value = None
    elif is_secret(Settings, place):
        value = "********"
    return ConfigError(where, key, value, reason)


def _describe_step(part: str | int) -> str:
    """Return a step into JSON as people write it: the first is number 1."""
    return f" number {part + 1}" if isinstance(part, int) else f", {part}"


def _look_up(tree: object, place: tuple[str | int, ...]) -> tuple[bool, object]:
    for part in place:
        is_list = isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        if not is_list and not (isinstance(tree, Mapping) and part in tree):
            return False, None
        tree = tree[part]  # type: ignore[index]  # narrowed by the two checks above
    return True, tree


def _places(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield every key of a tree, as "transfer.workers"."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _places(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
