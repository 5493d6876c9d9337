"""The log: one event, one line, and no secret in it.

Masks everything that looks like a credential and the secrets the running program knows, and
escapes control characters, so that a title from a tag can neither leak nor forge a line.
"""

from __future__ import annotations

import logging
import re
import sys
import warnings
from typing import TextIO

MASK = "********"
WATCHED_TWICE = "Callback with id .* already exists"
_CREDENTIALS = re.compile(
    r"""(?ix)
    ( \b token \s* = \s* "? | \b api_?key \s* = \s* "? | x-emby-token ["']? \s* [:=] \s* ["']?
    | \b (?:set-)?cookie ["']? \s* : \s* ["']?
    | \b authorization ["']? \s* : \s* ["']? (?: bearer \s+ )?
    | \b pw ["']? \s* [:=] \s* ["']? | \b password ["']? \s* [:=] \s* ["']? )
    [^\s"'&,;)}\]]+
    """
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def mask(text: str) -> str:
    """Return the text without credentials."""
    return _CREDENTIALS.sub(lambda match: match[1] + MASK, text)


class LineFormatter(logging.Formatter):
    """Writes one line for the message; a traceback follows indented, masked like the rest."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s")
        self.default_msec_format = "%s.%03d"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Escape what could break the line."""
        line = super().formatMessage(record)
        return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", line.replace("\n", "\\n"))

    def format(self, record: logging.LogRecord) -> str:
        """Mask the message and its traceback."""
        first, *rest = mask(super().format(record)).split("\n")
        return "\n".join([first, *(f"    {line}" for line in rest)])


def start_logging(level: str, stream: TextIO = sys.stderr) -> None:
    """Send the log to the stream; what libraries say below WARNING stays out."""
    output = logging.StreamHandler(stream)
    output.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.WARNING)
    logging.getLogger("sidecar").setLevel(level)
    logging.captureWarnings(capture=True)
    # Two nested folders that appear at once are watched twice: watchdog keeps one and says so.
    warnings.filterwarnings("ignore", WATCHED_TWICE, RuntimeWarning, "watchdog")
