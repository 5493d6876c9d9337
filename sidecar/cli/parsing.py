"""The arguments that every command takes."""

from __future__ import annotations

import argparse
from pathlib import Path


def common_arguments() -> argparse.ArgumentParser:
    """Return a parser to be a parent of each command's."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="read this file in place of config.toml (see config.example.toml)",
    )
    return common
