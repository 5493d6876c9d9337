"""`python -m sidecar` and the command `jellyfin-sidecar`."""

from __future__ import annotations

import sys
from importlib import import_module

from sidecar.process import heap


def main() -> int:
    """Load the command line and run it; return the exit code."""
    with heap.loading():
        command_line = import_module("sidecar.cli")
    return int(command_line.main())


if __name__ == "__main__":
    sys.exit(main())
