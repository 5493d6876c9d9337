"""`doctor`: checks every part of the set-up and says what is wrong, why, and the way out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

from sidecar.assembly.store import account_service
from sidecar.cli.opening import open_database
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.events import Bus
from sidecar.services.health.problems import Problems
from sidecar.services.operations.doctor import (
    CheckResult,
    checks_of_devices,
    checks_of_machine,
    checks_of_server,
    database_way_out,
    run_checks,
)
from sidecar.services.operations.syncthing_checks import checks_of_syncthing, find_old_files
from sidecar.store.devices.devices import Device
from sidecar.store.stores import Stores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Check settings, data folder, Jellyfin, accounts and devices, and say the way out of "
        "whatever is wrong. The page Admin, Check the set-up, does the same."
    )
    parser.set_defaults(command=doctor)


def doctor(settings: Settings, _asked: argparse.Namespace) -> int:
    """Print every result; return 1 if something is wrong."""
    is_well = True
    for result in _examine(settings):
        print(_lines(result), flush=True)
        is_well = is_well and result.is_well
    return 0 if is_well else 1


def describe_results(settings: Settings) -> str:
    """Return every result, with its way out."""
    return "\n".join(map(_lines, _examine(settings)))


def _lines(result: CheckResult) -> str:
    if result.way_out is None:
        return f"ok   {result.subject}: {result.text}"
    return f"BAD  {result.subject}: {result.text}\n     What to do: {result.way_out.text}"


def _examine(settings: Settings) -> Iterator[CheckResult]:
    clock, known = SystemClock(), list[Device]()
    yield from run_checks(checks_of_machine(settings, clock))
    if settings.jellyfin.url is None:
        yield CheckResult("Jellyfin", "none is configured: run starts the demo")
    else:
        bus = Bus()
        try:
            with open_database(settings, clock) as db:
                store = Stores(db, bus, clock)
                known = store.devices.all()
                service = account_service(settings, store, Problems(bus), bus, clock)
                yield from run_checks(checks_of_server(service, clock))
                files = partial(find_old_files, store, clock=clock)
                yield from run_checks(checks_of_syncthing(settings, files))
        except SidecarError as error:
            yield CheckResult("Database", str(error), database_way_out(settings))
    yield from run_checks(checks_of_devices(settings, known))
