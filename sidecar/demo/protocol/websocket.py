"""Serves one WebSocket from one thread: reads frames, and sends queued messages.

    the request's thread ── run ──▶ select ──▶ frames in ──▶ heard
    any thread ──────────── say ──▶ outbox ──▶ frames out

`say` never blocks. What a message means is not known here.

Not simple-websocket: it needs two more threads for a socket, agrees to compression, which the
real server does not, and may wake who waits for a message before the end can be seen, after
which a stop would wait for ever.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from select import select

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

_BLOCK = 64 * 1024
_READ_WITHIN_S = 5.0


class SocketConnection:
    """A WebSocket connection whose handshake was accepted."""

    def __init__(self, connection: socket.socket, request: bytes) -> None:
        self._socket = connection
        self._socket.settimeout(_READ_WITHIN_S)
        self._protocol = ServerProtocol()
        self._protocol.receive_data(request)
        self._outbox: deque[str | None] = deque()
        self._wake_writer, self._wake_reader = socket.socketpair()

    def accept(self) -> bool:
        """Answer the handshake; return whether it was a valid one."""
        asked = self._protocol.events_received()
        if not asked or not isinstance(asked[0], Request):
            return False
        with suppress(InvalidHandshake):
            self._protocol.send_response(self._protocol.accept(asked[0]))
        self._flush()
        return self._protocol.state is State.OPEN

    def send(self, text: str) -> None:
        """Queue a message to be sent."""
        self._outbox.append(text)
        self._wake()

    def close(self) -> None:
        """Close after the queued messages are sent."""
        self._outbox.append(None)
        self._wake()

    def run(self, heard: Callable[[str], None]) -> None:
        """Serve the connection until either side closes it."""
        try:
            while self._protocol.state is not State.CLOSED and self._step(heard):
                pass
        except OSError:
            # The other side went without a word.
            return
        finally:
            self.release()

    def release(self) -> None:
        """Free its resources; also if it was never served."""
        self._wake_writer.close()
        self._wake_reader.close()

    def _step(self, heard: Callable[[str], None]) -> bool:
        readable, _, _ = select([self._socket, self._wake_reader], [], [])
        if self._wake_reader in readable:
            self._wake_reader.recv(_BLOCK)
        if self._socket in readable:
            received = self._socket.recv(_BLOCK)
            if not received:
                return False
            self._protocol.receive_data(received)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                heard(bytes(event.data).decode("utf-8", "replace"))
        return self._empty_outbox()

    def _empty_outbox(self) -> bool:
        while self._outbox and self._protocol.state is State.OPEN:
            text = self._outbox.popleft()
            if text is None:
                self._protocol.send_close(1000)
                self._flush()
                return False
            self._protocol.send_text(text.encode())
        self._flush()
        return self._protocol.state is not State.CLOSING

    def _flush(self) -> None:
        for piece in self._protocol.data_to_send():
            if piece:
                self._socket.sendall(piece)

    def _wake(self) -> None:
        # A closed bell is a line that is over.
        with suppress(OSError):
            self._wake_writer.send(b"!")
