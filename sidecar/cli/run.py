"""`run`: the sidecar, until it is asked to stop; on the demo server if none is configured."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import ExitStack

from sidecar.cli.demo import DEMO_PORT, DemoAt, demo_at, print_accounts
from sidecar.cli.parsing import Commands
from sidecar.cli.stopping import stop_signals, wait_for
from sidecar.config import DeviceSettings, Settings
from sidecar.runtime import Runtime

log = logging.getLogger(__name__)


def add_to(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        parents=[common],
        help="start the sidecar",
        description="Start the sidecar; without a Jellyfin address, on a small demo server.",
    )
    parser.add_argument(
        "--no-robot",
        action="store_true",
        help="on the demo server: nobody listens by themselves",
    )
    parser.set_defaults(command=run)


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Run until SIGTERM, SIGINT or SIGHUP; everything is let go of in less than 10 s."""
    with ExitStack() as stack:
        stop = stack.enter_context(stop_signals())
        if settings.jellyfin.url is None:
            demo = DemoAt(
                library=settings.server.data_dir / "demo" / "library",
                state=settings.server.data_dir / "demo" / "jellyfin",
                port=DEMO_PORT,
                robot=not asked.no_robot,
                may_move=True,
            )
            server = stack.enter_context(demo_at(demo, stop))
            if server is None:
                return 0
            settings = _on_the_demo(settings, server.url)
            print("No Jellyfin server is configured: this is the demo.")
            print(f"Demo Jellyfin:    {server.url}")
            print_accounts(sys.stdout)
        runtime = stack.enter_context(Runtime(settings))
        print(f"Jellyfin Sidecar: {runtime.url}")
        for device in settings.devices:
            print(f"Device:           {device.name} at {device.path}")
        sys.stdout.flush()
        wait_for(stop)
        log.info("stopping")
    return 0


def _on_the_demo(settings: Settings, url: str) -> Settings:
    """Point the settings at the demo; what it fetches has data and a stick of its own."""
    place = settings.server.data_dir / "demo"
    server = settings.server.model_copy(update={"data_dir": place / "sidecar"})
    jellyfin = settings.jellyfin.model_copy(update={"url": url})
    devices = settings.devices
    if not devices:
        stick = place / "stick"
        stick.mkdir(parents=True, exist_ok=True)
        devices = (DeviceSettings(name="Demo stick", path=stick),)
    return settings.model_copy(update={"server": server, "jellyfin": jellyfin, "devices": devices})
