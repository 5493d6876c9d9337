"""A small HTTP server that passes one file to aria2, on loopback with an unguessable path.

    aria2: GET …             ──▶ 200, the whole body      (nothing is held)
    aria2: GET …             ──▶ 200, head only; aria2 closes and asks again …
    aria2: GET … Range: a-   ──▶ 206, [a, held) from the part file, then the new bytes

aria2 continues at the start of a block of 16 KiB, so the bytes after that are sent once more from
the part file. The relay serves one body and gets none of the job's headers.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress

ARIA2_BLOCK = 16 * 1024
MOST_AGAIN = 1024 * 1024  # at most so much is sent again, for an aria2 with larger blocks
LOOPBACK = "127.0.0.1"
BUFFER = 512 * 1024
STEP_S = 0.05
HEAD_TIMEOUT_S = 2.0
LONGEST_HEAD = 16 * 1024
_RANGE = re.compile(r"^range:\s*bytes=(\d{1,19})-", re.IGNORECASE | re.MULTILINE)

Check = Callable[[], None]


class Relay:
    """Passes one body on to aria2. Used by one thread; must be closed."""

    def __init__(self, part: int, *, held: int, total: int | None) -> None:
        """Start to listen.

        Args:
            part: Descriptor of the part file.
            held: Bytes that it has already; the body continues there.
            total: Size of the whole file in bytes; None if unknown.
        """
        self._part = part
        self._held = held
        self._total = total
        self._path = f"/{secrets.token_urlsafe(32)}"
        self._listening = socket.create_server((LOOPBACK, 0))
        self._listening.settimeout(STEP_S)
        self._given_up: list[socket.socket] = []
        self._line: socket.socket | None = None
        self.url = f"http://{LOOPBACK}:{self._listening.getsockname()[1]}{self._path}"

    def await_aria2(self, check: Check) -> None:
        """Wait until aria2 requests the body; `check` is called often and may raise to end it.

        Raises:
            OSError: The connection broke, or aria2 asks for a range that cannot be served.
        """
        while self._line is None:
            check()
            with suppress(TimeoutError):
                line, _ = self._listening.accept()
                self._handle_connection(line)

    def send(self, block: bytes | memoryview, check: Check) -> None:
        """Send bytes to aria2; `check` is called while aria2 takes none.

        Raises:
            OSError: The connection broke.
        """
        if self._line is None:
            raise BrokenPipeError("nobody takes the body")
        rest = memoryview(block)
        while rest:
            try:
                rest = rest[self._line.send(rest) :]
            except TimeoutError:
                check()

    def finish(self) -> None:
        """End the body, so that aria2 writes what it has and closes the file."""
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close all connections and stop listening."""
        for one in (self._listening, *self._given_up, self._line):
            if one is not None:
                one.close()
        self._given_up.clear()
        self._line = None

    def _handle_connection(self, line: socket.socket) -> None:
        try:
            head = _read_head(line)
            if head.split(" ")[:2] != ["GET", self._path]:
                line.close()
                return
            asked = _RANGE.search(head)
            self._answer(line, None if asked is None else int(asked[1]))
        except OSError:
            line.close()
            raise

    def _answer(self, line: socket.socket, first: int | None) -> None:
        if first is None and self._held >= ARIA2_BLOCK:
            # aria2 only wants the length here and then closes: a byte sent now would be lost.
            line.sendall(_reply("200 OK", self._total, "Accept-Ranges: bytes"))
            self._given_up.append(line)
            return
        start = first or 0
        if not 0 <= self._held - start <= MOST_AGAIN:
            raise BrokenPipeError("aria2 asks for what lies far from the end of the part file")
        again = os.pread(self._part, self._held - start, start)
        if len(again) != self._held - start:
            raise BrokenPipeError("the part file was cut")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        line.sendall(self._build_head(start, is_part=first is not None))
        line.sendall(again)
        line.settimeout(STEP_S)
        self._line = line

    def _build_head(self, start: int, *, is_part: bool) -> bytes:
        if not is_part or self._total is None:
            return _reply("200 OK", self._total, "Accept-Ranges: bytes")
        there = f"Content-Range: bytes {start}-{self._total - 1}/{self._total}"
        return _reply("206 Partial Content", self._total - start, there)


def _read_head(line: socket.socket) -> str:
    """Read a request's head; empty if it does not come in time."""
    until = time.monotonic() + HEAD_TIMEOUT_S
    head = b""
    while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
        line.settimeout(max(0.01, until - time.monotonic()))
        try:
            block = line.recv(4096)
        except TimeoutError:
            return ""
        if not block:
            return ""
        head += block
    line.settimeout(HEAD_TIMEOUT_S)
    return head.decode("latin-1")


def _reply(status: str, length: int | None, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/octet-stream", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("ascii")
