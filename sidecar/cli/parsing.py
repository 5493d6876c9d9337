"""The argparse type that a command adds its parser to."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Protocol


class Commands(Protocol):
    """The collection of commands: argparse's own class for it is private."""

    def add_parser(
        self, name: str, *, parents: Sequence[ArgumentParser], **texts: str
    ) -> ArgumentParser:
        """Add a command, with its `help` and `description`, and return its parser."""
