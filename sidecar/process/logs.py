"""Sets up logging: a line or a JSON object for each record, credentials masked, repeats limited.

Everything that looks like a credential is masked and control characters are escaped, so that a
title from a tag cannot forge a line. Warnings that web clients cause are written a few times a
minute and then only counted.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Lock
from types import MappingProxyType
from typing import TextIO

log = logging.getLogger(__name__)

MASK = "********"
# Loggers whose records clients can cause: these must not fill the disk.
LIMITED = "sidecar.web"
MOST_A_MINUTE = 5
A_MINUTE_S = 60.0
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


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time (UTC), level, thread, logger, message, traceback.

    The values are masked. Everything but ASCII is escaped.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "thread": record.threadName,
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        if record.exc_info:
            said["traceback"] = mask(self.formatException(record.exc_info))
        return json.dumps(said)


FORMATS: Mapping[str, type[logging.Formatter]] = MappingProxyType(
    {"text": LineFormatter, "json": JsonFormatter}
)


class LogOutput(logging.StreamHandler[TextIO]):
    """Writes the log, limited, in the form that the settings say."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(LineFormatter())
        self.addFilter(RepeatFilter())


def set_form(level: str, form: str) -> None:
    """Set how much of our own records the log has, and whether they are "text" or "json"."""
    logging.getLogger("sidecar").setLevel(level)
    for output in logging.getLogger().handlers:
        if isinstance(output, LogOutput):
            output.setFormatter(FORMATS[form]())


def start_logging(level: str, form: str = "text", stream: TextIO = sys.stderr) -> None:
    """Write the log to the stream; records of libraries only from WARNING on."""
    root = logging.getLogger()
    root.handlers[:] = [LogOutput(stream)]
    root.setLevel(logging.WARNING)
    set_form(level, form)
    logging.captureWarnings(capture=True)
