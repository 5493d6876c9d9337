"""The type of argparse's collection of commands."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Protocol


class Commands(Protocol):
    """The object that commands add their parser to; argparse's own class is private."""

    def add_parser(
        self, name: str, *, parents: Sequence[ArgumentParser], **texts: str
    ) -> ArgumentParser:
        """Add a command, with its `help` and `description`, and return its parser."""
