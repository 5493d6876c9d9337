"""`run`: runs the sidecar until a signal stops it; with the demo if no server is configured."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import ExitStack
from functools import partial
from threading import Event

from sidecar.cli.demo import DEMO_PORT, DemoOptions, print_accounts, print_progress, run_demo
from sidecar.cli.stopping import stop_signals, wait_for
from sidecar.config import DeviceSettings, Settings
from sidecar.demo.content.ffmpeg import MediaCancelled
from sidecar.runtime import Runtime
from sidecar.web.starting import MAKING_MEDIA, Startup, StartupStep

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = "Start the sidecar; without a Jellyfin address, on a small demo server."
    parser.add_argument(
        "--no-robot",
        action="store_true",
        help="on the demo server: nobody listens by themselves",
    )
    parser.set_defaults(command=run)


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Run until SIGTERM, SIGINT or SIGHUP, then stop within 10 s."""
    with ExitStack() as stack:
        stop = stack.enter_context(stop_signals())
        prepare = None
        if settings.jellyfin.url is None:
            demo = DemoOptions(
                library=settings.server.data_dir / "demo" / "library",
                state=settings.server.data_dir / "demo" / "jellyfin",
                port=DEMO_PORT,
                robot=not asked.no_robot,
                may_move=True,
            )
            settings = _demo_settings(settings)
            prepare = partial(_start_demo, settings=settings, demo=demo, stop=stop, stack=stack)
        try:
            runtime = stack.enter_context(Runtime(settings, prepare=prepare))
        except MediaCancelled:
            return 0
        print(f"Jellyfin Sidecar: {runtime.url}")
        for device in settings.devices:
            print(f"Device:           {device.name} at {device.path}")
        sys.stdout.flush()
        wait_for(stop)
        log.info("stopping")
    return 0


def _start_demo(
    page: str,
    startup: Startup,
    *,
    settings: Settings,
    demo: DemoOptions,
    stop: Event,
    stack: ExitStack,
) -> Settings:
    """Start the demo server, while the starting page shows how its media are made.

    It is stopped when `stack` is closed. Returns the settings with its address.
    """

    def tell(done: int, total: int, path: str) -> None:
        startup.now = StartupStep(MAKING_MEDIA, done, total)
        if done == 0:
            print("The demo makes its own media first, once. How far it is, here and on the page:")
            print(page, flush=True)
        print_progress(done, total, path)

    print("No Jellyfin server is configured: this is the demo.", flush=True)
    server = stack.enter_context(run_demo(demo, stop, tell))
    startup.now = StartupStep()
    print(f"Demo Jellyfin:    {server.url}")
    print_accounts(sys.stdout)
    jellyfin = settings.jellyfin.model_copy(update={"url": server.url})
    return settings.model_copy(update={"jellyfin": jellyfin})


def _demo_settings(settings: Settings) -> Settings:
    """Return settings with a separate data folder, and a demo device if none is configured."""
    place = settings.server.data_dir / "demo"
    server = settings.server.model_copy(update={"data_dir": place / "sidecar"})
    devices = settings.devices
    if not devices:
        stick = place / "stick"
        stick.mkdir(parents=True, exist_ok=True)
        devices = (DeviceSettings(name="Demo stick", path=stick),)
    return settings.model_copy(update={"server": server, "devices": devices})
