"""The arguments that every command takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
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


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return the type of an argument that is a number within bounds, which are said otherwise."""

    def read(text: str) -> int:
        digits = text.isdecimal() and len(text) <= len(str(most))
        number = int(text) if digits else least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a number from {least} to {most}")
        return number

    return read
