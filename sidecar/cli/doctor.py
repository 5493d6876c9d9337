"""`doctor`: checks every part of the set-up and says what does not work, and why."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sidecar.assembly.store import DATABASE, account_service
from sidecar.cli.database import open_database
from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings, Settings
from sidecar.device.filesystem import database_risk
from sidecar.device.own.marker import read_marker
from sidecar.errors import SidecarError
from sidecar.events import Bus
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.problems import Problems
from sidecar.services.transfers.finishing.formats import check_format
from sidecar.store.stores import Stores
from sidecar.transfer.converting.availability import ConverterAvailability
from sidecar.transfer.engines import describe_engine

# Bytes. No music file is that small: a lower budget was probably written without its unit.
LEAST_BUDGET = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    subject: str
    is_well: bool
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = "Check settings, data folder, Jellyfin, accounts and devices."
    parser.set_defaults(command=doctor)


def doctor(settings: Settings, _asked: argparse.Namespace) -> int:
    """Print every finding; return 1 if one of them is bad."""
    findings = list(_examine(settings))
    for finding in findings:
        print(_line(finding))
    return 0 if all(finding.is_well for finding in findings) else 1


def describe_findings(settings: Settings) -> str:
    """Return every finding, a line for each."""
    return "\n".join(map(_line, _examine(settings)))


def _line(finding: Finding) -> str:
    return f"{'ok ' if finding.is_well else 'BAD'}  {finding.subject}: {finding.text}"


def _examine(settings: Settings) -> Iterator[Finding]:
    yield _look("Settings", lambda: "read and valid")
    yield _look("Data folder", lambda: _data_folder(settings))
    if (risk := database_risk(settings.server.data_dir)) is not None:
        yield Finding("Database", is_well=False, text=risk)
    yield _look("Engine", lambda: describe_engine(settings))
    if any(device.target or device.film_target for device in settings.devices):
        yield _look("Formats", lambda: _formats(settings))
    if settings.jellyfin.url is None:
        yield Finding("Jellyfin", is_well=True, text="none is configured: run starts the demo")
    else:
        clock, bus = SystemClock(), Bus()
        try:
            with open_database(settings, clock) as db:
                store = Stores(db, bus, clock)
                service = account_service(settings, store, Problems(bus), bus, clock)
                yield _look("Jellyfin", lambda: _server(service))
                yield from _accounts(service)
        except SidecarError as error:
            yield Finding("Database", is_well=False, text=str(error))
    if not settings.devices:
        yield Finding("Devices", is_well=False, text="none is configured: nothing can be kept")
    for device in settings.devices:
        yield _look(f"Device {device.name}", lambda device=device: _device(device))  # type: ignore[misc]


def _formats(settings: Settings) -> str:
    workshop = ConverterAvailability(settings.transfer.ffmpeg, SystemClock())
    wanted = {
        one.title
        for device in settings.devices
        for one in (device.target, device.film_target)
        if one is not None
    }
    for device in settings.devices:
        check_format(device, workshop.check)
    return f"ffmpeg can make {', '.join(sorted(wanted))}"


def _look(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, is_well=True, text=look())
    except SidecarError as error:
        return Finding(subject, is_well=False, text=str(error))


def _data_folder(settings: Settings) -> str:
    folder = settings.server.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SidecarError(f"{folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SidecarError(f"{folder} cannot be written to")
    made = "has a database" if (folder / DATABASE).exists() else "is still empty"
    return f"{folder} can be written to and {made}"


def _server(service: AccountService) -> str:
    server = service.anonymous().public_info()
    return f"{server.server_name or 'Jellyfin'} {server.version} answers"


def _accounts(service: AccountService) -> Iterator[Finding]:
    accounts = service.all()
    if not accounts:
        yield Finding("Accounts", is_well=False, text="nobody has signed in yet")
    for account in accounts:
        yield _look(
            f"Account {account.name}",
            lambda user_id=account.user_id: _account(service, user_id),  # type: ignore[misc]
        )


def _account(service: AccountService, user_id: str) -> str:
    user = service.client(user_id).me()
    if not user.policy.enable_content_downloading:
        raise SidecarError("Jellyfin does not let this account download")
    return "signed in, and may download"


def _device(device: DeviceSettings) -> str:
    marker = read_marker(device.path, name=device.name)
    if marker is None:
        return f"{device.path} is there and becomes a device at the next start"
    if not os.access(device.path, os.W_OK | os.X_OK):
        raise SidecarError(f"{device.path} cannot be written to")
    if device.budget is not None and device.budget < LEAST_BUDGET:
        raise SidecarError(
            f"{device.path} is there, but its budget of {device.budget} bytes takes no file: "
            'write it with its unit, budget = "10 GB"'
        )
    return f"{device.path} is there and is ours"
