"""Starts our own path for the benchmark as the product starts: it is loaded the same way."""

from __future__ import annotations

import sys
from importlib import import_module

from sidecar.process import generated_code, heap


def main() -> int:
    """Load it and run it."""
    with heap.loading():
        ours = import_module("tests.bench.transfers.ours")
    generated_code.forget()
    return int(ours.main())


if __name__ == "__main__":
    sys.exit(main())
