"""`status`: prints how the sidecar, its accounts, devices, downloads and backups are."""

from __future__ import annotations

import argparse
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar import __version__
from sidecar.assembly.store import KEY_FILE, account_service, database_place
from sidecar.cli.opening import is_running, open_database
from sidecar.clock import Clock, SystemClock
from sidecar.config import Settings
from sidecar.config.local_url import make_local_url
from sidecar.device.inspect import read_space_at
from sidecar.domain.downloads.download import Status
from sidecar.domain.space.space import Space, compute_default_reserve
from sidecar.errors import (
    ConfigError,
    DeviceError,
    JellyfinError,
    OutsideHours,
    SignedOut,
    WrongServer,
)
from sidecar.events import Bus
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.health.problems import Problems
from sidecar.services.operations.backups.backups import Installation
from sidecar.services.operations.backups.nightly import NightlyBackups
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.devices import Device
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queries import DeviceState, DeviceUse
from sidecar.store.stores import Stores

# How long the running sidecar may take to say that it is well.
ANSWERS_WITHIN_S = 8.0
# No proxy of the environment stands between it and us.
_HERE = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Show accounts, devices and downloads, as the database has them, and "
        "whether the running sidecar is well and the Jellyfin server that is ours answers."
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
    if found["health"] not in {None, "ok"}:
        print(f"Health   {found['health']}")
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
        if device["trouble"]:
            print(f"         {device['trouble']['text']}")
    for state, count in found["downloads"].items():
        print(f"{state:>12}  {count}")
    if found["backups"] and found["backups"]["nightly"]:
        print(f"Backup   {found['backups']['last_at'] or 'none was made yet'}")
    return 0


def read_status(settings: Settings) -> dict[str, Any]:
    """Return the status, as `--json` prints it."""
    clock, place = SystemClock(), database_place(settings)
    found: dict[str, Any] = {
        "version": __version__,
        "running": False,
        "health": None,
        "server": None,
        "database": None,
        "accounts": [],
        "devices": [],
        "downloads": {},
        "queue_bytes": 0,
        "backups": None,
    }
    if not place.exists():
        return found
    found["running"] = is_running(settings, clock)
    if found["running"]:
        found["health"] = _ask_health(settings)
    with open_database(settings, clock) as db:
        bus = Bus()
        store = Stores(db, bus, clock)
        accounts = None
        if settings.jellyfin.url is not None:
            accounts = account_service(settings, store, Problems(bus), bus, clock)
        server = _server(accounts)
        answers = server is not None and server["trouble"] is None
        everything = DownloadFilter()
        return found | {
            "server_id": store.meta.get("server_id"),
            "server": server,
            "database": {
                "path": str(db.dialect.place),
                "bytes": db.measure(),
                "tables": db.version(),
            },
            "accounts": [
                {
                    "name": one.name,
                    "admin": one.is_admin,
                    "state": _state(one, accounts if answers else None),
                }
                for one in store.accounts.all()
            ],
            "devices": _devices(settings, store, bus),
            "downloads": {
                str(state): count
                for state, count in store.downloads.queries.counts(everything).items()
                if count or state in {Status.PENDING, Status.COMPLETED, Status.FAILED}
            },
            "queue_bytes": store.downloads.queries.bytes_waiting(everything),
            "backups": _backups(settings, store, bus, clock),
        }


def _ask_health(settings: Settings) -> str:
    """Return what the running sidecar says of itself, or that it says nothing."""
    server = settings.server
    url = f"{make_local_url(server.host, server.port)}{server.base_url}/health"
    try:
        with _HERE.open(url, timeout=ANSWERS_WITHIN_S) as answer:
            body = answer.read(1000)
    except urllib.error.HTTPError as unwell:
        body = unwell.read(1000)
    except (OSError, http.client.HTTPException):
        return "no answer"
    try:
        return str(json.loads(body)["status"])
    except (ValueError, KeyError, TypeError):
        return "no answer"


def _devices(settings: Settings, store: Stores, bus: Bus) -> list[dict[str, Any]]:
    """Return each device with its present settings and its space, if it is there."""
    present = DeviceSettingsService(
        settings.devices,
        devices=store.devices,
        store=DeviceSettingsStore(store.db),
        stop_on=lambda _device_id: None,
        bus=bus,
    )
    uses = store.downloads.queries.use_of_devices()
    states = store.downloads.queries.by_device(None)
    return [
        _device(one, present, uses.get(one.id, DeviceUse()), states.get(one.id, DeviceState({})))
        for one in store.devices.all()
    ]


def _device(
    device: Device, present: DeviceSettingsService, use: DeviceUse, state: DeviceState
) -> dict[str, Any]:
    chosen = present.of(device.id)
    space, trouble = None, None
    try:
        space = read_space_at(Path(device.path), device.id, name=device.name)
    except DeviceError as away:
        trouble = {"code": away.code, "text": str(away)}
    return {
        "id": device.id,
        "name": device.name,
        "path": device.path,
        "configured": chosen is not None,
        "paused": chosen is not None and chosen.paused,
        "trouble": trouble,
        "files": use.bytes - use.bytes_missing,
        "items": use.files,
        "missing": use.missing,
        "limit": chosen.budget if chosen else None,
        **_measure(space, chosen.reserve if chosen else None),
        "waiting": state.on_the_way,
        "failed": _count(state.counts, Status.FAILED),
        "last_arrival": state.last_arrival.isoformat() if state.last_arrival else None,
    }


def _measure(space: Space | None, reserve: int | None) -> dict[str, int | None]:
    if space is None:
        return {"reserve": reserve, "free": None, "total": None}
    kept = compute_default_reserve(space.total) if reserve is None else reserve
    return {"reserve": kept, "free": space.free, "total": space.total}


def _count(counts: Mapping[Status, int], *statuses: Status) -> int:
    return sum(counts.get(one, 0) for one in statuses)


def _backups(settings: Settings, store: Stores, bus: Bus, clock: Clock) -> dict[str, Any]:
    """Return what is there of the nightly backups; whether one fails shows in its age."""
    data_dir, place = settings.server.data_dir, database_place(settings)
    found = NightlyBackups(
        settings=lambda: settings,
        installation=Installation(
            place.path,
            data_dir / KEY_FILE,
            settings.file or data_dir / "config.toml",
            place.address,
        ),
        meta=store.meta,
        problems=Problems(bus),
        clock=clock,
    ).view()
    return {
        "nightly": found.is_on,
        "kept": found.kept,
        "last_at": found.last_at.isoformat() if found.last_at else None,
        "last_bytes": found.last_bytes,
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
