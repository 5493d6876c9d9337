"""A line between two programs, as slow as told, that counts what passes and notes tokens."""

from __future__ import annotations

import math
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Self

from tests.patience import PATIENCE_S

BLOCK = 64 * 1024
SELDOM_S = 0.2
TOKEN = re.compile(rb'Token="([^"]+)"')


class SlowLine:
    """Forwards TCP to one server.

    Unlike a real slow network it has no latency and loses nothing; it only limits each
    connection's bytes from the server.
    """

    def __init__(self, port: int, *, bytes_a_second: float | None = None) -> None:
        self.bytes_a_second = bytes_a_second
        self.passed = 0
        self.is_held = False
        self.tokens: set[str] = set()
        self._port = port
        self._most: float = math.inf
        self._goes_on = Event()
        self._over = Event()
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._sockets: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.go_on()
        self._close(self._listening)
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def lead_to(self, port: int) -> None:
        """Lead new connections to another server."""
        self._port = port

    def hold_after(self, octets: int) -> None:
        """Let so much more pass from the server, to a block, and nothing until `go_on`."""
        self._goes_on.clear()
        self._most = self.passed + octets

    def go_on(self) -> None:
        """Let everything pass again."""
        self._most = math.inf
        self._goes_on.set()

    def cut(self) -> None:
        """Break every connection."""
        with self._lock:
            broken, self._sockets = self._sockets, []
        for one in broken:
            self._close(one)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._listening.accept()
            except OSError:
                continue
            # Under the lock: `cut` misses no connection that is just being made.
            with self._lock:
                try:
                    far = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    self._close(near)
                    continue
                self._sockets += [near, far]
            self._start(self._forward, near, far, False)
            self._start(self._forward, far, near, True)

    def _forward(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while block := source.recv(BLOCK):
                if not counted:
                    self.tokens |= {one.decode() for one in TOKEN.findall(block)}
                else:
                    with self._lock:
                        self.passed += len(block)
                    if self.bytes_a_second is not None and len(block) > 1024:
                        self._over.wait(len(block) / self.bytes_a_second)
                    if self.passed > self._most:
                        self.is_held = True
                        self._goes_on.wait()
                        self.is_held = False
                target.sendall(block)
        except OSError:
            return
        finally:
            self._close(source)
            self._close(target)

    def _start(self, body: Callable[..., None], *arguments: object) -> None:
        thread = Thread(target=body, args=arguments)
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _close(one: socket.socket) -> None:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


def wait_until(
    holds: Callable[[], bool],
    *,
    within_s: float = PATIENCE_S,
    every_s: float = 0.02,
    what: str = "it",
) -> None:
    """Look every `every_s` until `holds()` is true; fail after `within_s`.

    What takes long is looked at less often, up to `SELDOM_S`: each look takes time from it.
    """
    began = time.monotonic()
    pause = Event()
    while not holds():
        waited = time.monotonic() - began
        assert waited < within_s, f"{what} did not happen within {within_s} s"
        pause.wait(max(every_s, min(waited / 10, SELDOM_S)))
