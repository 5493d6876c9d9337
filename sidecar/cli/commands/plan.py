"""`plan`: shows which files would come to each device, go from it, or have another name there.

Changes nothing, unless new names are confirmed with `--names --yes`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sidecar.assembly.store import database_place
from sidecar.cli.opening import open_database
from sidecar.cli.services import open_services
from sidecar.clock import Clock, SystemClock
from sidecar.config import DeviceSettings, Settings
from sidecar.device.inspect import read_space_at
from sidecar.domain.space.budget import DeviceRoom, RunningDownload
from sidecar.domain.space.plan import Plan, PlanStep, RefusedAdd, plan
from sidecar.errors import ConfigError, DeviceError
from sidecar.events import Bus
from sidecar.services.accounts.person import Person
from sidecar.sizes import format_size
from sidecar.store.downloads.inventory import Inventory
from sidecar.store.stores import Stores

NEVER_USED = "It was never used: the sidecar has not run on it yet"
SIGNS = {"removals": "-", "adds": "+", "refusals": "!"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Show for each device which files would come, go or find no room, and why. "
        "Moves nothing. What plays just now is known to the running sidecar alone."
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.add_argument(
        "--names",
        action="store_true",
        help="show in place of it which files would have other names today, as Jellyfin has their "
        "albums, seasons and books now; nothing is fetched for that",
    )
    parser.add_argument("--device", metavar="NAME", help="with --names: only this device")
    parser.add_argument(
        "--yes",
        action="store_true",
        help="with --names: have them renamed, by the sidecar that runs or when it runs next",
    )
    parser.set_defaults(command=show)


def show(settings: Settings, asked: argparse.Namespace) -> int:
    """Print the plan of every device, or what its files would be called.

    Raises:
        errors.ConfigError: There is no such device, or only names can be confirmed.
    """
    if asked.names:
        return _show_names(settings, asked)
    if asked.yes or asked.device is not None:
        raise ConfigError("plan", "--yes or --device", None, "needs --names as well")
    found = list(_plans(settings))
    if asked.json:
        print(json.dumps({"devices": found}, indent=2, ensure_ascii=False))
        return 0
    for device in found:
        _print(device)
    if not found:
        print("No device is configured")
    return 0


def _show_names(settings: Settings, asked: argparse.Namespace) -> int:
    """Print which files would be renamed, and have that done if it is confirmed."""
    told = list(_plan_names(settings, asked.device, is_confirmed=asked.yes))
    if asked.json:
        print(json.dumps({"devices": told}, indent=2, ensure_ascii=False))
        return 0
    for device in told:
        if device["trouble"]:
            print(f"{device['device']}: {device['trouble']}")
            continue
        what = "are renamed now" if asked.yes else "would be renamed"
        print(f"{device['device']}: {device['renamed']} files {what}, {device['fetched']} fetched")
        for one in device["examples"]:
            print(f"  {one['path']}\n    -> {one['new_path']}")
        if device["renamed"] and not asked.yes:
            print("  Say yes with --yes, or on the device's page")
    return 0


def _plan_names(
    settings: Settings, name: str | None, *, is_confirmed: bool
) -> Iterator[dict[str, Any]]:
    chosen = [one for one in settings.devices if name in {None, one.name}]
    if name is not None and not chosen:
        raise ConfigError("devices", "name", name, "no device of this name is configured")
    # Whoever may read the database may do what an admin may.
    admin = Person("", "the command line", is_admin=True)
    with open_services(settings) as services:
        names = services.rules.names
        ids = {one.path: one.id for one in services.base.store.devices.all()}
        for device in chosen:
            device_id = ids.get(str(device.path))
            facts = {"device_id": device_id, "device": device.name, "trouble": None}
            if device_id is None:
                yield {**facts, "trouble": NEVER_USED}
                continue
            while (found := names.preview(admin, device_id)).unread:
                pass
            if is_confirmed and found.renamed:
                names.rename(admin, device_id, found.plan_id)
            examples = [asdict(one) for one in found.examples]
            yield {
                **facts,
                "renamed": found.renamed,
                "fetched": found.fetched,
                "examples": examples,
            }


def _plans(settings: Settings) -> Iterator[dict[str, Any]]:
    clock = SystemClock()
    if not database_place(settings).exists():
        for device in settings.devices:
            yield _to_json(device, None, NEVER_USED)
        return
    with open_database(settings, clock) as db:
        store = Stores(db, Bus(), clock)
        ids = {one.path: one.id for one in store.devices.all()}
        for device in settings.devices:
            device_id = ids.get(str(device.path))
            if device_id is None:
                yield _to_json(device, None, NEVER_USED)
                continue
            try:
                with db.read():
                    inventory = Inventory(db)
                    found = _plan_device(device, device_id, inventory, clock)
                    titles = inventory.read_titles(found.download_ids)
            except DeviceError as trouble:
                yield _to_json(device, device_id, str(trouble))
            else:
                yield _to_json(device, device_id, None, found, titles)


def _plan_device(
    device: DeviceSettings, device_id: str, inventory: Inventory, clock: Clock
) -> Plan:
    keeps = device.keep_original
    found = inventory.list_holdings(device_id, clock.now(), keeps_originals=keeps)
    running = inventory.list_running(device_id)
    limits = DeviceRoom(
        name=device.name,
        space=read_space_at(device.path, device_id, name=device.name),
        budget=device.budget,
        reserve=device.reserve,
        running=tuple(RunningDownload(one.size, one.held) for one in running),
    )
    return plan(limits, found.stored, found.waiting)


def _to_json(
    device: DeviceSettings,
    device_id: str | None,
    trouble: str | None,
    found: Plan | None = None,
    titles: Mapping[int, tuple[str, str]] = MappingProxyType({}),
) -> dict[str, Any]:
    found = found or Plan(id="")
    return {
        "device_id": device_id,
        "device": device.name,
        "trouble": trouble,
        "plan_id": found.id or None,
        "needs_confirmation": found.needs_confirmation,
        "over": found.over,
        "bytes_added": found.bytes_added,
        "bytes_removed": found.bytes_removed,
        "adds": [_line(one, titles) for one in found.adds],
        "removals": [_line(one, titles) for one in found.removals],
        "refusals": [
            _line(one, titles) | {"code": one.code, "is_final": one.is_final}
            for one in found.refusals
        ],
    }


def _line(one: PlanStep | RefusedAdd, titles: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    item_id, title = titles[one.download_id]
    return {
        "download_id": one.download_id,
        "item_id": item_id,
        "title": title,
        "bytes": one.bytes,
        "reason": one.reason,
    }


def _print(device: dict[str, Any]) -> None:
    if device["trouble"]:
        print(f"{device['device']}: {device['trouble']}")
        return
    added, removed = (format_size(device[one]) for one in ("bytes_added", "bytes_removed"))
    print(
        f"{device['device']}: {len(device['adds'])} come ({added}), "
        f"{len(device['removals'])} go ({removed}), "
        f"{len(device['refusals'])} have no room"
    )
    for kind, sign in SIGNS.items():
        for one in device[kind]:
            print(f"  {sign} {one['title']} ({format_size(one['bytes'])}): {one['reason']}")
    if device["needs_confirmation"]:
        print("  So much goes at once that it waits: confirm it on the page Devices")
