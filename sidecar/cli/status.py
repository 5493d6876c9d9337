"""`status`: prints a summary of accounts, devices and downloads, as text or JSON."""

from __future__ import annotations

import argparse
import json
from typing import Any

from sidecar.assembly.store import DATABASE, account_service
from sidecar.cli.database import is_running, open_database
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.domain.downloads.download import Status
from sidecar.errors import ConfigError, JellyfinError, OutsideHours, SignedOut, WrongServer
from sidecar.events import Bus
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.problems import Problems
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.stores import Stores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Show accounts, devices and downloads, as the database has them, and "
        "whether the Jellyfin server that is ours answers."
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(command=status)


def status(settings: Settings, asked: argparse.Namespace) -> int:
    """Print the status."""
    found = read_status(settings)
    if asked.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    print("The sidecar is " + ("running" if found["running"] else "not running"))
    if found["server"] is not None:
        print(f"Jellyfin {found['server']['text']}")
    for account in found["accounts"]:
        print(f"Account  {account['name']}: {account['state']}")
    for device in found["devices"]:
        missing = ""
        if device["missing"]:
            missing = f", {device['missing']} of {device['items']} files are missing"
        size = f"{device['files']:,} bytes of files"
        print(f"Device   {device['name']} at {device['path']}: {size}{missing}")
    for state, count in found["downloads"].items():
        print(f"{state:>12}  {count}")
    return 0


def read_status(settings: Settings) -> dict[str, Any]:
    """Return the status, as `--json` prints it."""
    clock = SystemClock()
    if not (settings.server.data_dir / DATABASE).exists():
        return {
            "running": False,
            "server": None,
            "accounts": [],
            "devices": [],
            "downloads": {},
        }
    running = is_running(settings, clock)
    with open_database(settings, clock) as db:
        bus = Bus()
        store = Stores(db, bus, clock)
        accounts = None
        if settings.jellyfin.url is not None:
            accounts = account_service(settings, store, Problems(bus), bus, clock)
        server = _server(accounts)
        answers = server is not None and server["trouble"] is None
        return {
            "running": running,
            "server_id": store.meta.get("server_id"),
            "server": server,
            "accounts": [
                {
                    "name": one.name,
                    "admin": one.is_admin,
                    "state": _state(one, accounts if answers else None),
                }
                for one in store.accounts.all()
            ],
            "devices": [
                {
                    "id": one.id,
                    "name": one.name,
                    "path": one.path,
                    "files": use.bytes - use.bytes_missing,
                    "items": use.files,
                    "missing": use.missing,
                }
                for one in store.devices.all()
                for use in (store.downloads.queries.use_of(one.id),)
            ],
            "downloads": {
                str(state): count
                for state, count in store.downloads.queries.counts(DownloadFilter()).items()
                if count or state in {Status.PENDING, Status.COMPLETED, Status.FAILED}
            },
        }


def _state(account: Account, accounts: AccountService | None) -> str:
    """Return the state of an account; asks Jellyfin, which alone knows its access hours.

    Args:
        account: As stored in the database.
        accounts: Makes its client; None if the server cannot be asked.
    """
    if not account.is_signed_in:
        return "must sign in again"
    if accounts is None:
        return "signed in"
    try:
        accounts.client(account.user_id).me()
    except OutsideHours:
        return "signed in, outside its hours: its work waits and goes on by itself"
    except SignedOut:
        return "must sign in again"
    except (JellyfinError, ConfigError):
        pass
    return "signed in"


def _server(accounts: AccountService | None) -> dict[str, Any] | None:
    """Return whether Jellyfin answers, and if not, why; None if no server is configured."""
    if accounts is None:
        return None
    try:
        found = accounts.anonymous().public_info()
    except WrongServer as trouble:
        return {"trouble": "wrong-server", "text": str(trouble)}
    except JellyfinError as trouble:
        return {"trouble": "server-away", "text": str(trouble)}
    return {"trouble": None, "text": f"{found.server_name or 'Jellyfin'} {found.version} answers"}
