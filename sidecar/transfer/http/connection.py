"""Requests files over connections that are kept: each thread has one, and a buffer.

request ─▶ `Line` connects and sends ─▶ `Answer` reads the head and the body
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from threading import Event, Lock, local

import requests.utils
import urllib3.exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from sidecar.clock import Clock
from sidecar.transfer.http.answer import BUFFER, Answer
from sidecar.transfer.http.heads import LONGEST, write_request
from sidecar.transfer.http.line import Line, as_of_library
from sidecar.transfer.timeouts import Timeouts


class KeptConnections:
    """The connections of one engine; each thread has its own, and its own buffer. Thread-safe."""

    def __init__(self, clock: Clock, timeouts: Timeouts, ca_file: Path | None) -> None:
        self._clock = clock
        self._timeouts = timeouts
        self._ca_file = ca_file
        self._mine = _Mine()
        self._decrypting = Lock()
        self._loading = Lock()
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, headers: Mapping[str, str], stop: Event) -> Answer:
        """Request an address; return the answer, to be closed by the caller.

        Redirects are not followed, and nothing comes from the environment or is decoded. There is
        one answer at a time in each thread.

        Args:
            url: The address.
            headers: As for `write_request`.
            stop: Ends the reading of the body.

        Raises:
            urllib3.exceptions.HTTPError: No head of an answer came.
            ValueError: The address or a header cannot be sent.
        """
        line = self._mine.line
        if line is None or not url.startswith(line.origin):
            if line is not None:
                line.close()
            line = self._mine.line = self._make_line(url)
        head = write_request(url, line.host, headers)
        try:
            line.send(head)
            return Answer(line, self._mine.buffer, self._clock, self._timeouts.read, stop)
        except (OSError, HTTPException) as error:
            line.close()
            raise as_of_library(error) from error

    def _make_line(self, url: str) -> Line:
        parts = parse_url(url)
        if parts.host is None:
            raise urllib3.exceptions.LocationValueError("the address names no host")
        within_s = self._timeouts.connect
        connection = (
            HTTPSConnection(parts.host, parts.port, timeout=within_s, ssl_context=self._trust())
            if parts.scheme == "https"
            else HTTPConnection(parts.host, parts.port, timeout=within_s)
        )
        origin = "/".join([*url.split("/", 3)[:3], ""])
        return Line(origin, connection, self._timeouts.read, self._decrypting)

    def _trust(self) -> ssl.SSLContext:
        """Return the one context of all threads: to read the certificates takes a while."""
        with self._loading:
            if self._context is None:
                try:
                    context = create_urllib3_context()
                    context.load_verify_locations(
                        self._ca_file or requests.utils.DEFAULT_CA_BUNDLE_PATH
                    )
                except OSError as error:
                    raise urllib3.exceptions.SSLError(error) from error
                self._context = context
            return self._context


class _Mine(local):
    """What one thread has: the line of its last request, and room for a head and a full block."""

    def __init__(self) -> None:
        self.line: Line | None = None
        self.buffer = memoryview(bytearray(LONGEST + BUFFER))
