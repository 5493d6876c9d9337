"""`run`: runs the sidecar until a signal stops it; with the demo if no server is configured."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Collection
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from threading import Event

from sidecar.assembly.set_up import keep_set_up
from sidecar.assembly.store import DATABASE, database_place, settings_with_page
from sidecar.cli.demo_place import demo_place
from sidecar.cli.stopping import StoppedEarly, stop_signals, wait_for
from sidecar.clock import SystemClock
from sidecar.config import Settings, load
from sidecar.domain.processes.roles import ALONE, Roles, Task, read_roles
from sidecar.errors import AlreadyRunning, ConfigError
from sidecar.runtime import Runtime
from sidecar.services.configuration.setup.service import SetUpService
from sidecar.store.page_settings import read_page_settings

log = logging.getLogger(__name__)

# How soon a sidecar that stands by sees that the other one has ended.
TAKE_OVER_EVERY_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = "Start the sidecar; without a Jellyfin address, on a small demo server."
    parser.add_argument(
        "--no-robot",
        action="store_true",
        help="on the demo server: nobody listens by themselves",
    )
    parser.add_argument(
        "--standby",
        action="store_true",
        help="while another sidecar runs on the same database: wait, and take its place when it "
        "has ended or died",
    )
    parser.add_argument(
        "--role",
        type=_roles,
        default=ALONE,
        metavar="ROLES",
        help="do only a part, where several share a PostgreSQL database: web, watch and work, or "
        "some of them with commas (docs/scale.md); without it this one does all, alone",
    )
    parser.set_defaults(command=run)


def _roles(text: str) -> Roles:
    try:
        return read_roles(text)
    except ValueError:
        names = ", ".join(Task)
        raise argparse.ArgumentTypeError(f"{text!r} is not among {names}") from None


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Run until SIGTERM, SIGINT or SIGHUP, then stop within 10 s; start again where that is asked.

    With `--standby` it waits before as long as another sidecar runs on the same database.

    A setting of the page with which the sidecar does not start is left out: whoever has set it
    must be able to set it right.
    """
    ignored: frozenset[str] = frozenset()
    port = 0
    is_waiting = False
    with stop_signals() as stop:
        while not stop.is_set():
            try:
                port = _run_once(_at_port(settings, port), asked, stop, ignored)
            except ConfigError as error:
                if error.key in ignored or not _is_set_on_page(settings, error.key):
                    raise
                log.error("the page's setting %s is left out: %s", error.key, error)  # noqa: TRY400
                ignored |= {error.key}
                continue
            except AlreadyRunning as error:
                if not asked.standby:
                    raise
                if not is_waiting:
                    log.info("standing by: %s", error)
                is_waiting = True
                wait_for(stop, at_most_s=TAKE_OVER_EVERY_S)
                continue
            is_waiting = False
            if not stop.is_set():
                settings, ignored = _load_again(settings, asked), frozenset()
    return 0


def _run_once(
    settings: Settings, asked: argparse.Namespace, stop: Event, ignored: Collection[str]
) -> int:
    """Run until a signal comes, or the page asks for another start; return the port."""
    with ExitStack() as stack:
        prepare, set_up = None, None
        if settings_with_page(settings).jellyfin.url is None:
            # The demo is half as large as the sidecar: who has a server does not load it.
            on_demo = import_module("sidecar.cli.on_demo")
            clock = SystemClock()
            set_up = SetUpService(
                partial(keep_set_up, settings, clock), clock, ca_file=settings.jellyfin.ca_file
            )
            settings, prepare = on_demo.prepare(
                settings,
                robot=not asked.no_robot,
                stop=stop,
                stack=stack,
                set_up=set_up,
            )
        runtime = Runtime(
            settings, prepare=prepare, ignored=ignored, set_up=set_up, roles=asked.role
        )
        stack.callback(runtime.raise_end)
        try:
            stack.enter_context(runtime)
        except StoppedEarly:
            return runtime.port
        print(f"Jellyfin Sidecar: {runtime.url}")
        for device in runtime.settings.devices if asked.role.works else ():
            print(f"Device:           {device.name} at {device.path}")
        sys.stdout.flush()
        wait_for(stop, runtime.restart_wanted, runtime.is_over, *([set_up.done] if set_up else []))
        log.info("stopping" if stop.is_set() else "starting again")
        return runtime.port


def _at_port(settings: Settings, port: int) -> Settings:
    """Return the settings with the port of the last start, if they leave it to the system."""
    if settings.server.port or not port:
        return settings
    server = settings.server.model_copy(update={"port": port})
    return settings.model_copy(update={"server": server})


def _is_set_on_page(settings: Settings, key: str) -> bool:
    demo = demo_place(settings) / "sidecar" / DATABASE
    return any(
        key in found
        for found in (database_place(settings).read_page_settings(), read_page_settings(demo))
    )


def _load_again(settings: Settings, asked: argparse.Namespace) -> Settings:
    """Read the settings file again; keep the settings if it is wrong now."""
    try:
        return load(os.environ, file=asked.config)
    except ConfigError as error:
        log.error("the settings file is not read again: %s", error)  # noqa: TRY400
        return settings
