"""`restore`: puts a backup in place of the present state, here or on another machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sidecar.cli.commands.backup import add_passphrase, ask_passphrase, find_installation
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.services.operations.backups.backups import Installation, Restored, has_secrets, restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Put a backup in place of what the sidecar knows, here or on another machine; also a "
        "copy of the database, such as sidecar.db.before-N from before an update. The sidecar "
        "must not be running. Files on devices are not touched, and what was there before stays "
        "in the data folder under another name."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
    parser.add_argument(
        "--without-secrets",
        action="store_true",
        help="leave the secrets in the backup alone: everybody signs in again",
    )
    add_passphrase(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(command=put_back)


def put_back(settings: Settings, asked: argparse.Namespace) -> int:
    """Restore, and say what is there now and what to do next."""
    installation = find_installation(settings, asked)
    wanted = has_secrets(asked.file) and not asked.without_secrets
    passphrase = ask_passphrase(asked.passphrase_file, twice=False) if wanted else None
    _confirm(installation, asked)
    done = restore(installation, asked.file, passphrase=passphrase, now=SystemClock().now())
    _print(done)
    return 0


def _confirm(installation: Installation, asked: argparse.Namespace) -> None:
    if asked.yes or not installation.place.exists():
        return
    if not sys.stdin.isatty():
        raise SidecarError(
            f"There is a database already, {installation.place}: give --yes to replace it; it "
            "stays beside the new one"
        )
    print(f"{installation.place} is replaced; it stays beside the new one.")
    if input("Go on? [y/N] ").strip().casefold() not in {"y", "yes"}:
        raise SidecarError("Nothing was changed")


def _print(done: Restored) -> None:
    of = f" of {done.made_at:%Y-%m-%d %H:%M} UTC" if done.made_at else ""
    print(f"The state{of} is restored.")
    if done.before is not None:
        print(f"What was there before is {done.before}")
    if done.config is not None:
        print(f"The settings file is {done.config}")
    if done.config_left is not None:
        print(f"The settings file {done.config_left} was there and is left as it is")
    if not done.has_tokens:
        print("Everybody signs in again, on the page or with `jellyfin-sidecar sign-in`.")
    print(
        "Start the sidecar now. Files that came to a device after the backup was made: "
        "`jellyfin-sidecar adopt` knows them again."
    )
