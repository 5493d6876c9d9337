"""Manages the connections that no worker has: one thread accepts, reads, writes and closes them.

    accept ──▶ reading ──whole request──▶ worker ──▶ writing ──▶ reading, or draining and closed

A connection occupies no worker until its request has arrived completely, head and body, nor while
the client reads the response slowly; only files are sent by workers. Each state has a timeout. If
there are too many connections, the longest idle ones are closed: see `limits`.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

from cheroot.server import HTTPConnection

from sidecar.process import limits
from sidecar.web.server.incoming import Incoming
from sidecar.web.server.outgoing import Outgoing

if TYPE_CHECKING:
    from cheroot.server import HTTPServer

log = logging.getLogger(__name__)

BLOCK_BYTES = 64 * 1024
ACCEPTED_AT_ONCE = 128
SAY_EVERY_S = 60.0
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class State(Enum):
    """The state of a connection; in `HEARING_OUT`, unread data is drained before it is closed."""

    READING = auto()
    WORKING = auto()
    WRITING = auto()
    HEARING_OUT = auto()
    OVER = auto()


class Connection(HTTPConnection):
    """A connection, owned either by the thread of `Connections` or by a worker.

    Attributes:
        counted: Its buffered bytes as last counted by `Connections`.
        is_late: The request has not arrived completely in time.
        has_unread: The client may still send data that is not read.
        is_handed_over: The socket belongs to a WebSocket now.
    """

    def __init__(self, server: HTTPServer, sock: socket.socket, address: str, port: int) -> None:
        super().__init__(server, sock, _nothing)
        sock.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        self.remote_addr = address
        self.remote_port = port
        self.ssl_env: dict[str, str] = {}
        self.rfile = io.BytesIO()
        self.wfile = Outgoing(sock)
        self.incoming = Incoming()
        self.state = State.READING
        self.ends_at = time.monotonic() + limits.SILENT_S
        self.stays_open = False
        self.is_late = self.has_unread = self.is_handed_over = self.was_told_to_go_on = False
        self.counted = 0

    @property
    def buffered(self) -> int:
        """The number of buffered bytes, received and to be sent."""
        return len(self.incoming.octets) + int(self.wfile.unsent)

    def give_to_worker(self) -> None:
        """Make the received bytes readable for a worker."""
        self.state = State.WORKING
        self.rfile = io.BytesIO(self.incoming.octets)
        self.incoming = Incoming()

    def take_back(self) -> None:
        """Take over from a worker; what it left unread is the beginning of the next request."""
        self.incoming = Incoming(self.rfile.read())
        self.rfile = io.BytesIO()
        self.was_told_to_go_on = False

    def is_broken(self) -> bool:
        """Whether the client has reset the connection."""
        error: int = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return error != 0

    def hang_up(self) -> None:
        """Send no more; what was sent still arrives."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give it back to `Connections`, to be closed once everything is sent."""
        self.server._connections.finish(self)  # noqa: SLF001 - it is ours


class Connections:
    """Replaces cheroot's connection manager. Only `put`, `finish` and `stop` are thread-safe."""

    def __init__(
        self,
        server: HTTPServer,
        most: int,
        *,
        connection: type[Connection],
        has_limits: Callable[[str], bool],
    ) -> None:
        """Prepare for `most` connections; addresses without limits are trusted proxies."""
        self._server = server
        self._connection = connection
        self._most = most
        self._has_limits = has_limits
        self._selector = selectors.DefaultSelector()
        server.socket.setblocking(False)  # noqa: FBT003 - see above
        self._selector.register(server.socket, selectors.EVENT_READ, self._accept)
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)  # noqa: FBT003 - see above
        self._wake_writer.setblocking(False)  # noqa: FBT003 - see above
        self._selector.register(self._wake_reader, selectors.EVENT_READ, self._listen)
        self._returned: deque[Connection] = deque()
        # All connections by address, the longest idle first; and those that no worker has.
        self._all: dict[str, dict[Connection, None]] = {}
        self._ours: dict[Connection, None] = {}
        self._count = self._buffered = 0
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)
        self._dropped: Counter[str] = Counter()
        self._says_at = self._looks_at = 0.0
        self._is_serving = self._is_over = self._is_closed = False

    @property
    def can_add_keepalive_connection(self) -> bool:
        """Whether connections are kept open after a response."""
        return self._count < self._most * 3 // 4

    def put(self, conn: Connection) -> None:
        """Take a connection back from a worker to read its next request; for any thread."""
        conn.stays_open = True
        self._give_back(conn)

    def finish(self, conn: Connection) -> None:
        """Take a connection back from a worker to close it; for any thread."""
        conn.stays_open = False
        self._give_back(conn)

    def run(self, every_s: float) -> None:
        """Serve until `stop` is called; check timeouts every so many seconds, if there are any."""
        self._is_serving = True
        try:
            while not self._is_over:
                for key, _ in self._selector.select(every_s if self._ours else None):
                    if isinstance(key.data, Connection):
                        self._go_on(key.data)
                    else:
                        key.data()
                self._take_back()
                now = time.monotonic()
                if now >= self._looks_at:
                    self._looks_at = now + every_s
                    self._end_late(now)
                    self._say(now)
        finally:
            self._is_serving = False

    def stop(self) -> None:
        """End `run` and wait for it."""
        self._is_over = True
        self._wake()
        while self._is_serving:
            time.sleep(0.01)

    def close(self) -> None:
        """Close all connections that no worker has."""
        self._take_back()
        for conn in tuple(self._ours):
            self._drop(conn)
        self._is_closed = True
        self._close_returned()
        self._selector.close()
        self._wake_reader.close()
        self._wake_writer.close()
        self._let_spare_go()

    # -- accepting

    def _accept(self) -> None:
        listening = self._server.socket
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                sock, address = listening.accept()
            except (BlockingIOError, TimeoutError, ConnectionError, InterruptedError):
                return
            except OSError as error:
                if error.errno in FULL:
                    self._refuse_one(listening)
                return
            self._begin(self._connection(self._server, sock, address[0], address[1]))

    def _refuse_one(self, listening: socket.socket) -> None:
        """Close one waiting connection for lack of descriptors: else it stays ready for ever.

        Linux reports the lack even if no connection waits; then no room is made.
        """
        self._let_spare_go()
        with suppress(OSError):
            listening.accept()[0].close()
            self._dropped["a lack of file numbers"] += 1
            self._make_room(None)
        with suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)

    def _let_spare_go(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def _begin(self, conn: Connection) -> None:
        address = conn.remote_addr
        same = len(self._all.get(address, ()))
        is_full = self._count >= self._most
        if self._has_limits(address) and same >= limits.CONNECTIONS_AN_ADDRESS:
            has_room = self._make_room(address)
        else:
            has_room = not is_full or self._make_room(None)
        if not has_room:
            self._dropped[address] += 1
            conn.socket.close()
            return
        self._all.setdefault(address, {})[conn] = None
        self._count += 1
        self._watch(conn, State.READING, limits.SILENT_S, selectors.EVENT_READ)

    def _make_room(self, address: str | None) -> bool:
        """Close the longest idle connection of an address, or of the address with the most."""
        if not self._ours:
            return False
        addresses = [address] if address else [max(self._all, key=self._number), *self._all]
        for one in addresses:
            for conn in self._all.get(one, ()):
                if conn in self._ours:
                    self._dropped[one] += 1
                    self._drop(conn)
                    return True
        return False

    def _number(self, address: str) -> int:
        return len(self._all[address])

    # -- reading and writing

    def _go_on(self, conn: Connection) -> None:
        if conn not in self._ours:
            # It was closed a moment ago to make room for another one.
            return
        try:
            match conn.state:
                case State.READING:
                    self._read(conn)
                case State.WRITING:
                    if conn.wfile.go_on():
                        self._after_writing(conn)
                case _:
                    if not conn.socket.recv(BLOCK_BYTES):
                        self._drop(conn)
        except BlockingIOError:
            return
        except OSError:
            self._drop(conn)
        self._count_bytes(conn)

    def _read(self, conn: Connection) -> None:
        octets = conn.socket.recv(BLOCK_BYTES)
        if not octets:
            if conn.incoming.octets:
                # The client closed it within a request: a worker refuses that.
                self._hand_over(conn)
            else:
                self._drop(conn)
            return
        if not conn.incoming.octets:
            conn.ends_at = time.monotonic() + limits.HEAD_S
        conn.incoming.octets += octets
        self._look(conn)

    def _look(self, conn: Connection) -> None:
        """Hand the connection to a worker if its request is complete, else extend its timeout."""
        had_head = conn.incoming.has_head
        if conn.incoming.is_whole():
            self._hand_over(conn)
            return
        if conn.incoming.has_head and not had_head:
            conn.ends_at += limits.WHOLE_REQUEST_S - limits.HEAD_S
            if conn.incoming.expects_more and not conn.was_told_to_go_on:
                conn.was_told_to_go_on = True
                conn.socket.send(CONTINUE)

    def _hand_over(self, conn: Connection) -> None:
        self._leave(conn)
        conn.give_to_worker()
        self._server.process_conn(conn)

    def _after_writing(self, conn: Connection) -> None:
        if conn.stays_open:
            conn.take_back()
            self._all[conn.remote_addr][conn] = self._all[conn.remote_addr].pop(conn)
            self._watch(conn, State.READING, limits.SILENT_S, selectors.EVENT_READ)
            if conn.incoming.octets:
                conn.ends_at = time.monotonic() + limits.HEAD_S
                self._look(conn)
        elif conn.has_unread:
            conn.hang_up()
            self._watch(conn, State.HEARING_OUT, limits.HEAR_OUT_S, selectors.EVENT_READ)
        else:
            self._drop(conn)

    # -- from and to workers

    def _give_back(self, conn: Connection) -> None:
        self._returned.append(conn)
        self._wake()
        if self._is_closed:
            self._close_returned()

    def _wake(self) -> None:
        # If the buffer is full, the thread will wake anyway.
        with suppress(OSError):
            self._wake_writer.send(b"\0")

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            self._wake_reader.recv(BLOCK_BYTES)

    def _close_returned(self) -> None:
        """Close connections that workers give back after the shutdown."""
        with suppress(IndexError):
            while conn := self._returned.popleft():
                if not conn.is_handed_over:
                    conn.socket.close()

    def _take_back(self) -> None:
        while self._returned:
            conn = self._returned.popleft()
            if conn.is_handed_over:
                self._forget(conn)
                continue
            try:
                is_sent = conn.wfile.go_on()
            except OSError:
                self._drop(conn)
                continue
            if is_sent:
                self._after_writing(conn)
            else:
                self._watch(conn, State.WRITING, limits.WHOLE_ANSWER_S, selectors.EVENT_WRITE)
                self._count_bytes(conn)

    # -- bookkeeping

    def _watch(self, conn: Connection, state: State, within_s: float, events: int) -> None:
        conn.state, conn.ends_at = state, time.monotonic() + within_s
        if conn in self._ours:
            self._selector.modify(conn.socket, events, conn)
        else:
            self._ours[conn] = None
            self._selector.register(conn.socket, events, conn)

    def _count_bytes(self, conn: Connection) -> None:
        if conn in self._ours:
            self._buffered += conn.buffered - conn.counted
            conn.counted = conn.buffered
        while self._buffered > limits.BUFFERED_BYTES and self._make_room(None):
            pass

    def _leave(self, conn: Connection) -> None:
        if conn in self._ours:
            del self._ours[conn]
            self._selector.unregister(conn.socket)
            self._buffered -= conn.counted
            conn.counted = 0

    def _drop(self, conn: Connection) -> None:
        self._leave(conn)
        self._forget(conn)
        conn.socket.close()

    def _forget(self, conn: Connection) -> None:
        conn.state = State.OVER
        same = self._all.get(conn.remote_addr, {})
        if conn in same:
            self._count -= 1
            del same[conn]
        if not same:
            self._all.pop(conn.remote_addr, None)

    def _end_late(self, now: float) -> None:
        for conn in [one for one in self._ours if one.ends_at < now]:
            if conn.state is State.READING and conn.incoming.octets:
                conn.is_late = True
                self._hand_over(conn)
            else:
                self._drop(conn)

    def _say(self, now: float) -> None:
        """Log from time to time how many connections were closed to make room."""
        if self._dropped and now >= self._says_at:
            self._says_at = now + SAY_EVERY_S
            most, _ = self._dropped.most_common(1)[0]
            log.warning(
                "%d connections were closed to make room for others, most for %s",
                self._dropped.total(),
                most,
            )
            self._dropped.clear()


def _nothing(*_: object) -> None:
    """Replace cheroot's `makefile`: a connection has its own buffers."""
