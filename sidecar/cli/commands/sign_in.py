"""`sign-in`: signs an account in; a running sidecar notices it within seconds."""

from __future__ import annotations

import argparse
import getpass
import sys
import time

from pydantic import SecretStr

from sidecar.assembly.store import account_service
from sidecar.cli.opening import open_database
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.errors import SidecarError, SignInRefused
from sidecar.events import Bus
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.health.problems import Problems
from sidecar.store.accounts.accounts import Account
from sidecar.store.stores import Stores

ASK_EVERY_S = 3.0
GIVE_UP_AFTER_S = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Sign a Jellyfin account in. The name and password come from the settings "
        "(SIDECAR_JELLYFIN__USERNAME, SIDECAR_JELLYFIN__PASSWORD or …_PASSWORD_FILE) or are "
        "asked for. The password is sent once and not kept."
    )
    parser.add_argument("--account", metavar="NAME", help="who signs in")
    parser.add_argument(
        "--quick-connect", action="store_true", help="show a code to approve in another client"
    )
    parser.set_defaults(command=sign_in)


def sign_in(settings: Settings, asked: argparse.Namespace) -> int:
    """Sign one account in."""
    clock, bus = SystemClock(), Bus()
    with open_database(settings, clock) as db:
        accounts = account_service(settings, Stores(db, bus, clock), Problems(bus), bus, clock)
        account = (
            _with_quick_connect(accounts)
            if asked.quick_connect
            else _with_password(settings, asked, accounts)
        )
        print(f"{account.name} is signed in")
    return 0


def _with_password(
    settings: Settings, asked: argparse.Namespace, accounts: AccountService
) -> Account:
    name, password = name_and_password(settings, asked.account)
    return accounts.with_password(name, password)


def name_and_password(settings: Settings, account: str | None) -> tuple[str, SecretStr]:
    """Return the credentials from the command line and the settings; prompt for what is missing.

    Raises:
        SidecarError: Something is missing, and standard input is no terminal.
    """
    name = account or settings.jellyfin.username
    if not name:
        if not sys.stdin.isatty():
            raise SidecarError("Nobody to sign in: give --account NAME, or set the user name")
        name = input("Jellyfin user name: ")
    configured = settings.jellyfin.username or ""
    password = settings.jellyfin.password if name.casefold() == configured.casefold() else None
    if password is None and not settings.jellyfin.username:
        password = settings.jellyfin.password
    if password is None:
        if not sys.stdin.isatty():
            raise SidecarError(f"No password for {name}: set SIDECAR_JELLYFIN__PASSWORD_FILE")
        password = SecretStr(getpass.getpass(f"Password of {name}: "))
    return name, password


def _with_quick_connect(accounts: AccountService) -> Account:
    asking, device_id = accounts.quick_connect()
    code = asking.start_quick_connect()
    print(f"In a Jellyfin client, choose Quick Connect and enter {code.code}", flush=True)
    deadline = time.monotonic() + GIVE_UP_AFTER_S
    while not asking.is_approved(code.secret):
        if time.monotonic() > deadline:
            raise SignInRefused("Nobody has approved the code: ask for another one")
        time.sleep(ASK_EVERY_S)
    return accounts.keep_quick_connect(asking.finish_quick_connect(code.secret), device_id)
