"""An open page, as the live connection sees it: Socket.IO over one real WebSocket."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, suppress
from select import select
from socket import socket, socketpair
from ssl import SSLContext, SSLWantReadError
from threading import Thread
from typing import Self, cast
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.patience import PATIENCE_S

Message = dict[str, object]


def unwrap(line: socket, tls: SSLContext, url: str) -> socket:
    """Return a socket without TLS for a connection with it, which one thread reads and writes.

    The client writes beside a thread of its own that reads. OpenSSL allows no two threads at one
    connection, and Python does not keep them apart before 3.13: what was written may be lost.
    """
    secured = tls.wrap_socket(line, server_hostname=urlsplit(url).hostname)
    near, far = socketpair()

    def carry() -> None:
        with secured, far, suppress(OSError):
            while True:
                select([secured, far], [], [])
                secured.setblocking(False)
                try:
                    while octets := secured.recv(65536):
                        far.sendall(octets)
                except SSLWantReadError:
                    pass
                else:
                    return
                if select([far], [], [], 0)[0]:
                    octets = far.recv(65536)
                    if not octets:
                        return
                    secured.settimeout(PATIENCE_S)
                    secured.sendall(octets)

    Thread(target=carry, name="unwrap", daemon=True).start()
    return near


class OpenPage:
    """Joins and listens.

    Unlike a browser it never comes back after a break, sends no Origin unless told to, and speaks
    only the WebSocket transport.
    """

    def __init__(
        self,
        url: str,
        *,
        cookie: str | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        sock: socket | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        """Open it, over a connection of one's own if that is given."""
        if tls is not None and sock is not None:
            sock, tls, url = unwrap(sock, tls, url), None, url.replace("https", "http", 1)
        told = dict(headers or {})
        if cookie:
            told["Cookie"] = f"sidecar_session={cookie}"
        if key:
            told["Authorization"] = f"Bearer {key}"
        address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._held = ExitStack()
        self._line: ClientConnection = self._held.enter_context(
            # A machine with much to do is no failure, and a page that nobody reads stays open.
            connect(
                address,
                sock=sock,
                ssl=tls,
                additional_headers=told,
                compression=None,
                open_timeout=PATIENCE_S,
                ping_interval=None,
            )
        )
        self._waiting: list[tuple[str, Message]] = []
        try:
            self._receive_until("0")
            self.send("40")
            self._receive_until("40")
        except BaseException:
            self.leave()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Close the page."""
        self._held.close()

    def send(self, packet: str) -> None:
        """Send one raw packet."""
        self._line.send(packet)

    def next(self, *names: str, within_s: float = PATIENCE_S) -> tuple[str, Message]:
        """Return the next message; with names, the next one of these, the others are dropped."""
        deadline = time.monotonic() + within_s
        while True:
            name, message = self._next(deadline)
            if not names or name in names:
                return name, message

    def closed(self, within_s: float = PATIENCE_S) -> bool:
        """Whether the server ends the connection within the time."""
        deadline = time.monotonic() + within_s
        try:
            while True:
                self._line.recv(timeout=max(0.001, deadline - time.monotonic()))
        except ConnectionClosed:
            return True
        except TimeoutError:
            return False

    def nothing(self, within_s: float) -> bool:
        """Whether no message comes within the time."""
        try:
            self.next(within_s=within_s)
        except TimeoutError:
            return True
        return False

    def _next(self, deadline: float) -> tuple[str, Message]:
        if self._waiting:
            return self._waiting.pop(0)
        while True:
            packet = str(self._line.recv(timeout=max(0.001, deadline - time.monotonic())))
            if packet == "2":
                self.send("3")
            elif packet.startswith("42"):
                return _message(packet)

    def _receive_until(self, start: str) -> None:
        while True:
            packet = str(self._line.recv(timeout=PATIENCE_S))
            if packet.startswith("42"):
                self._waiting.append(_message(packet))
            elif packet.startswith("44"):
                raise ConnectionRefusedError(packet)
            elif packet.startswith(start):
                return


def _message(packet: str) -> tuple[str, Message]:
    name, payload = json.loads(packet[2:])
    return str(name), cast(Message, payload)
