"""`join-code`: makes a code with which another machine joins this installation."""

from __future__ import annotations

import argparse
import sys

from sidecar.assembly.store import KEY_FILE
from sidecar.cli.opening import open_used_database
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.operations.machine_keys import MachineKeys
from sidecar.services.operations.machines import MachineService
from sidecar.store.meta import Meta


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Make a code for `jellyfin-sidecar agent --join` on another machine. It works once, "
        "within 15 minutes; one that was made before is void."
    )
    parser.set_defaults(command=make)


def make(settings: Settings, _asked: argparse.Namespace) -> int:
    """Make a code and print it; nothing else goes to standard output."""
    clock = SystemClock()
    with open_used_database(settings, clock) as db:
        box = TokenBox(settings.server.data_dir / KEY_FILE)
        keys = MachineKeys(lambda: settings)
        made = MachineService(
            lambda: settings, Meta(db), box, clock, give=keys.make, may_give=keys.may_give
        ).make_code()
    print(made.code)
    print(f"It works once, until {made.ends_at.astimezone():%H:%M}", file=sys.stderr)
    return 0
