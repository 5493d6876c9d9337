"""`backup`: writes the whole state of the sidecar to one file, also while it is running."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from pydantic import SecretStr

from sidecar import sizes
from sidecar.assembly.store import KEY_FILE, database_place
from sidecar.cli.opening import check_used
from sidecar.clock import SystemClock
from sidecar.config import Settings, find_file
from sidecar.config.files import not_text, read_secret
from sidecar.errors import ConfigError, SidecarError
from sidecar.services.operations.backups.backups import Installation, back_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Write everything that the sidecar knows to one file: accounts, devices, downloads, "
        "wishes, plays, the settings of the page. It may be running. Without --secrets the file "
        "holds no token and no key: after a restore everybody signs in again."
    )
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="where to write it (default: jellyfin-sidecar-DATE.zip in this folder)",
    )
    parser.add_argument(
        "--secrets",
        action="store_true",
        help="with the sign-ins, API keys and the settings file, encrypted with a passphrase",
    )
    add_passphrase(parser)
    parser.set_defaults(command=backup)


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the file with the passphrase."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="read the passphrase from this file in place of asking for it",
    )


def backup(settings: Settings, asked: argparse.Namespace) -> int:
    """Write the backup and say where it is."""
    if asked.passphrase_file is not None and not asked.secrets:
        raise ConfigError(
            "command line", "--passphrase-file", None, "is of use only with --secrets"
        )
    now = SystemClock().now()
    to: Path = asked.file or Path(f"jellyfin-sidecar-{now:%Y-%m-%dT%H-%M-%S}.zip")
    check_used(settings)
    if not to.absolute().parent.is_dir():
        raise SidecarError(f"There is no folder {to.parent}: nothing was written")
    passphrase = ask_passphrase(asked.passphrase_file, twice=True) if asked.secrets else None
    made = back_up(find_installation(settings, asked), to, passphrase=passphrase, now=now)
    what = "with secrets" if made.has_secrets else "without secrets"
    print(f"{to}: {sizes.format_size(to.stat().st_size)}, {what}")
    return 0


def find_installation(settings: Settings, asked: argparse.Namespace) -> Installation:
    """Return where the state is that the settings mean."""
    data_dir, place = settings.server.data_dir, database_place(settings)
    return Installation(
        database=place.path,
        server=place.address,
        key=data_dir / KEY_FILE,
        config=asked.config or find_file(os.environ) or data_dir / "config.toml",
    )


def ask_passphrase(file: Path | None, *, twice: bool) -> SecretStr:
    """Return the passphrase from a file, or ask for it.

    Raises:
        SidecarError: It cannot be read, or nobody can be asked.
    """
    if file is not None:
        try:
            return SecretStr(read_secret(file))
        except UnicodeDecodeError as error:
            raise ConfigError(file, "passphrase", None, not_text(error)) from None
        except OSError as error:
            raise ConfigError(
                file, "passphrase", None, f"cannot be read: {error.strerror}"
            ) from None
        except ValueError as error:
            raise ConfigError(file, "passphrase", None, str(error)) from None
    if not sys.stdin.isatty():
        raise SidecarError("A passphrase is needed: give --passphrase-file FILE")
    given = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Once more: ") != given:
        raise SidecarError("The two passphrases differ; nothing was written")
    return SecretStr(given)
