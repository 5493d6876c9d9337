"""`database move`: copies everything to another database, from a file to PostgreSQL or back."""

from __future__ import annotations

import argparse
from pathlib import Path

from pydantic import SecretStr, ValidationError

from sidecar.assembly.store import DATABASE, database_place
from sidecar.cli.parsing import common_arguments
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.config.base import explain_invalid
from sidecar.config.files import read_secret
from sidecar.config.settings import DatabaseSettings
from sidecar.errors import ConfigError
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.store.place import Place
from sidecar.store.place import move as move_all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = "The database: a file in the data folder, or one on a PostgreSQL server."
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    moving = actions.add_parser(
        "move", parents=[common_arguments()], help="copy everything to another database"
    )
    moving.description = (
        "Copy everything that the sidecar knows to another database and compare every row. The "
        "sidecar must not be running. The present database stays as it is; the settings say which "
        "one is used from then on."
    )
    target = moving.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--to",
        metavar="URL|PATH",
        help='"postgresql://user:password@host/name", or the path of a file',
    )
    target.add_argument(
        "--to-url-file",
        type=Path,
        metavar="FILE",
        help="read the address from this file: others see the arguments of a command",
    )
    moving.set_defaults(command=move)


def move(settings: Settings, asked: argparse.Namespace) -> int:
    """Copy, compare, and say what to set next."""
    source, target = database_place(settings), _read_target(settings, asked)
    if (source.path, source.address and source.address.url) == (
        target.path,
        target.address and target.address.url,
    ):
        raise ConfigError("command line", "--to", None, "is the database that is in use already")
    found = move_all(source, target, SystemClock())
    for name, content in found.items():
        if content.rows:
            print(f"{name:20} {content.rows:10,}  {content.digest[:16]}")
    total = sum(content.rows for content in found.values())
    print(f"{total:,} rows of {len(found)} tables are the same in both databases.")
    print(f"{source} stays as it is.")
    print(f"Next: {_next(settings, target)}")
    return 0


def _read_target(settings: Settings, asked: argparse.Namespace) -> Place:
    path = settings.server.data_dir / DATABASE
    if asked.to_url_file is not None:
        try:
            told = read_secret(asked.to_url_file)
        except OSError as error:
            raise ConfigError(
                asked.to_url_file, "address", None, f"cannot be read: {error.strerror}"
            ) from None
        except ValueError as error:
            raise ConfigError(asked.to_url_file, "address", None, str(error)) from None
    elif "://" not in asked.to:
        file = Path(asked.to).expanduser().absolute()
        return Place(file / DATABASE if file.is_dir() else file)
    else:
        told = asked.to
    try:
        url = DatabaseSettings(url=SecretStr(told)).url
    except ValidationError as error:
        raise explain_invalid("command line", error, {}) from None
    return Place(path, None if url is None else PostgresqlAddress(url.get_secret_value()))


def _next(settings: Settings, target: Place) -> str:
    if target.address is not None:
        return (
            f"set url in [database] of the settings file to the address of {target} "
            "(or SIDECAR_DATABASE__URL), and start the sidecar."
        )
    if target.path == settings.server.data_dir / DATABASE:
        return "take url out of [database] in the settings file, and start the sidecar."
    return (
        f"take url out of [database] in the settings file, move {target} to "
        f"{settings.server.data_dir / DATABASE}, and start the sidecar."
    )
