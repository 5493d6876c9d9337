"""Sets up logging: one line for each record, credentials masked, repeated warnings limited.

Everything that looks like a credential is masked and control characters are escaped, so that a
title from a tag cannot forge a line. Warnings that web clients cause are written a few times a
minute and then only counted.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import warnings
from collections.abc import Callable
from threading import Lock
from typing import TextIO

log = logging.getLogger(__name__)

MASK = "********"
# Loggers whose records clients can cause: these must not fill the disk.
LIMITED = "sidecar.web"
MOST_A_MINUTE = 5
A_MINUTE_S = 60.0
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


class RepeatFilter(logging.Filter):
    """Limits each message of the web server to a few a minute: clients must not fill the disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = Lock()
        # By message: since when it is counted, and how often it came since.
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; before the next one, log how many were not."""
        if record.levelno < logging.WARNING or not record.name.startswith(LIMITED):
            return True
        now = self._clock()
        with self._lock:
            since, count = self._said.get(record.msg, (now, 0))
            left_out = max(0, count - MOST_A_MINUTE) if now - since >= A_MINUTE_S else 0
            if now - since >= A_MINUTE_S:
                since, count = now, 0
            self._said[record.msg] = (since, count + 1)
        if left_out:
            log.warning("%d lines like the next one were left out", left_out)
        return count < MOST_A_MINUTE


class LineFormatter(logging.Formatter):
    """Formats a record as one line; a traceback follows indented. Both are masked."""

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
    """Write the log to the stream; records of libraries only from WARNING on."""
    output = logging.StreamHandler(stream)
    output.setFormatter(LineFormatter())
    output.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.WARNING)
    logging.getLogger("sidecar").setLevel(level)
    logging.captureWarnings(capture=True)
    # Nested folders that appear at once are watched twice: watchdog keeps one and warns.
    warnings.filterwarnings("ignore", WATCHED_TWICE, RuntimeWarning, "watchdog")
