"""`adopt`: restores the downloads after a lost database, from the files on the devices."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from sidecar.assembly.store import account_service, database_place
from sidecar.clock import Clock, SystemClock
from sidecar.config import DeviceSettings, Settings
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import read_marker
from sidecar.errors import ConfigError, DeviceError, JellyfinError, SidecarError
from sidecar.events import Bus
from sidecar.services.files.adoption.adopter import Adopter
from sidecar.services.files.adoption.restore import (
    AccountLibrary,
    ManifestRestore,
    RestoreOptions,
    RestoreReport,
)
from sidecar.services.health.problems import Problems
from sidecar.services.rules.wishes import WishService
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.devices import Device
from sidecar.store.stores import Stores

MOST_SHOWN = 50
NO_MARKER = "{} has no marker of the sidecar: nothing there was written by us"
OTHER_MARKER = "{} is known under another identity: nothing there is adopted"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Look at the devices for files that the sidecar once wrote, and know them "
        "again: by the manifest on the device, else by size, place and tags. Fetches, moves and "
        "overwrites nothing. The account must be signed in (jellyfin-sidecar sign-in), and the "
        "sidecar must not be running."
    )
    parser.add_argument("--device", metavar="NAME", help="only this device; else all of them")
    parser.add_argument("--account", metavar="NAME", help="who wants the files from now on")
    parser.add_argument(
        "--check", action="store_true", help="read every file and compare it with what was written"
    )
    parser.add_argument(
        "--unheld",
        action="store_true",
        help="hold nothing: what no rule wants goes when room is needed",
    )
    parser.add_argument("--dry-run", action="store_true", help="change nothing, only tell")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(command=adopt)


@dataclass(frozen=True, slots=True)
class _DeviceResult:
    """The result for one device; `trouble` says why it could not be used."""

    device: DeviceSettings
    device_id: str | None
    report: RestoreReport
    trouble: str | None = None


def adopt(settings: Settings, asked: argparse.Namespace) -> int:
    """Adopt the files on the devices, and print what was adopted, what was not, and why."""
    devices = _choose_devices(settings, asked.device)
    done = list(_adopt(settings, asked, devices))
    if asked.json:
        found = {"dry_run": asked.dry_run, "devices": [_to_json(one) for one in done]}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for one in done:
            _print(one, is_trial=asked.dry_run)
    problems = [one.trouble for one in done if one.trouble is not None]
    if problems:
        raise SidecarError("; ".join(problems))
    return 0


def _choose_devices(settings: Settings, name: str | None) -> Sequence[DeviceSettings]:
    if name is None:
        return settings.devices
    found = [one for one in settings.devices if one.name == name]
    if not found:
        raise ConfigError("devices", "name", name, "no device of this name is configured")
    return found


def _adopt(
    settings: Settings, asked: argparse.Namespace, devices: Sequence[DeviceSettings]
) -> Iterator[_DeviceResult]:
    clock, bus = SystemClock(), Bus()
    with ExitStack() as leaving:
        db = database_place(settings).open(clock)
        leaving.callback(db.close)
        store = Stores(db, bus, clock)
        account = _account(store, asked.account)
        library = _library(settings, store, account, clock, bus)
        for device in devices:
            try:
                yield _adopt_device(device, store, account, library, asked=asked, clock=clock)
            except DeviceError as trouble:
                yield _DeviceResult(device, None, RestoreReport(), str(trouble))


def _account(store: Stores, name: str | None) -> Account:
    if name is not None:
        found = store.accounts.by_name(name)
        if found is None:
            raise SidecarError(f"No account {name} has signed in: sign in first")
        return found
    every = store.accounts.all()
    if len(every) == 1:
        return every[0]
    what = "Several accounts have signed in" if every else "No account has signed in yet"
    how = "say whose files these are with --account NAME" if every else "sign in first"
    raise SidecarError(f"{what}: {how}")


def _library(
    settings: Settings, store: Stores, account: Account, clock: Clock, bus: Bus
) -> AccountLibrary | None:
    """Return the account's library; None if Jellyfin cannot be asked."""
    try:
        accounts = account_service(settings, store, Problems(bus), bus, clock)
        client = accounts.client(account.user_id)
        client.me()
    except JellyfinError as trouble:
        print(f"{trouble}: only the manifests are believed", file=sys.stderr)
        return None
    return AccountLibrary(client)


def _adopt_device(
    device: DeviceSettings,
    store: Stores,
    account: Account,
    library: AccountLibrary | None,
    *,
    asked: argparse.Namespace,
    clock: Clock,
) -> _DeviceResult:
    marker = read_marker(device.path, name=device.name)
    if marker is None:
        return _DeviceResult(device, None, RestoreReport(), NO_MARKER.format(device.name))
    known = next((one.id for one in store.devices.all() if one.path == str(device.path)), None)
    if known not in {None, marker.id}:
        return _DeviceResult(device, known, RestoreReport(), OTHER_MARKER.format(device.name))
    folder = DeviceFolder(device.path, marker.id, name=device.name)
    with ExitStack() as leaving:
        folder.attach()
        leaving.callback(folder.close)
        if not asked.dry_run:
            store.devices.save(Device(marker.id, device.name, str(device.path), clock.now()))
        planning = WishService(store.db, store.holds, store.downloads, clock)
        adopter = Adopter(store.db, store.downloads, planning)
        report = ManifestRestore(folder, store.downloads, adopter, library, clock).run(
            RestoreOptions(
                user_id=account.user_id,
                device_id=marker.id,
                server_id=account.server_id,
                checks=asked.check,
                is_held=not asked.unheld,
                is_trial=asked.dry_run,
            )
        )
    return _DeviceResult(device, marker.id, report)


def _to_json(done: _DeviceResult) -> dict[str, Any]:
    report = done.report
    return {
        "device_id": done.device_id,
        "device": done.device.name,
        "trouble": done.trouble,
        "remark": report.remark,
        "manifest": report.has_manifest,
        "known": report.known,
        "adopted": [asdict(one) for one in report.adopted],
        "not_adopted": [asdict(one) for one in report.left],
    }


def _print(done: _DeviceResult, *, is_trial: bool) -> None:
    if done.trouble is not None:
        return
    report = done.report
    would = "would be" if is_trial else "were"
    print(
        f"{done.device.name}: {len(report.adopted)} files {would} adopted, {len(report.left)} not, "
        f"{report.known} were known"
    )
    if report.remark:
        print(f"  {report.remark}")
    for one in report.adopted[:MOST_SHOWN]:
        print(f"  + {one.path}")
    for other in report.left[:MOST_SHOWN]:
        print(f"  - {other.path}: {other.why}")
    hidden = max(0, len(report.adopted) - MOST_SHOWN) + max(0, len(report.left) - MOST_SHOWN)
    if hidden:
        print(f"  … and {hidden} more: all of them with --json")
