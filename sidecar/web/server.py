"""The production web server: cheroot, with WebSockets, time limits and an end within seconds.

It serves HTTP only; TLS is for a proxy before it.
"""

from __future__ import annotations

import errno
import logging
import socket
import time
from threading import Thread
from threading import enumerate as all_threads
from typing import TYPE_CHECKING

from cheroot.makefile import StreamReader
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from cheroot.wsgi import Gateway_10
from cheroot.wsgi import Server as CherootServer

from sidecar.errors import ConfigError
from sidecar.services.crew import tell_late
from sidecar.web.long_bodies import LongAnswers, LongBody
from sidecar.web.websockets import WebSockets

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

THREADS = 24
IDLE_S = 10
WHOLE_REQUEST_S = 30.0
LARGEST_HEADERS = 32 * 1024
LARGEST_BODY = 64 * 1024
MOST_WAITING = 64
MOST_KEPT_ALIVE = 200
LOOK_EVERY_S = 0.25
STOP_WITHIN_S = 2.0
HANG_UP_AFTER_S = 1
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to

TROUBLES = {
    errno.EADDRINUSE: ("server.port", "another program listens there already: choose another port"),
    errno.EACCES: ("server.port", "this user may not listen there: choose a port above 1023"),
    errno.EADDRNOTAVAIL: ("server.host", "this machine does not have this address"),
}


class WebServer:
    """Serves one WSGI application. `bind`, then `serve` in a thread, then `stop`; once."""

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._websockets = WebSockets(app)
        self._server = _Server(app, host, port, self._websockets)

    @property
    def url(self) -> str:
        """Where it is reached from this machine; known after `bind`."""
        host, port = self._server.bind_addr[:2]
        name = EVERYWHERE.get(str(host), str(host))
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    @property
    def open_websockets(self) -> int:
        """How many WebSockets are open."""
        return len(self._websockets)

    def bind(self) -> None:
        """Take the port; connections made from now on are answered once `serve` runs.

        Raises:
            errors.ConfigError: The address cannot be used.
        """
        try:
            self._server.prepare()
        except OSError as error:
            raise self._explained(self._server.refusal or error) from None

    def answer_with(self, app: WSGIApplication) -> None:
        """Let another application answer every request that comes from now on."""
        self._websockets.app = app
        self._server.wsgi_app = app

    def serve(self) -> None:
        """Answer requests until `stop`."""
        self._server.serve()

    def stop(self) -> None:
        """Close the port, hang up on every WebSocket and end all threads of the server.

        `Live.stop` goes first: a page that polls holds a thread until it is told something.
        Whoever still waits for Jellyfin, or a disk, is left behind after `STOP_WITHIN_S`.
        """
        deadline = time.monotonic() + STOP_WITHIN_S
        conversations = self._websockets.close()
        self._server.long_answers.hang_up()
        # In a thread: cheroot waits for each worker, however long it takes.
        ending = Thread(target=self._server.stop, name="http-end", daemon=True)
        ending.start()
        for thread in (*conversations, ending):
            thread.join(max(0.0, deadline - time.monotonic()))
        tell_late([*conversations, *self._server.workers()])

    def _explained(self, error: OSError) -> ConfigError:
        key, reason = TROUBLES.get(error.errno or 0, ("server.host", f"cannot be used ({error})"))
        value: object = self._port if key == "server.port" else self._host
        return ConfigError("settings", key, value, reason)


class _Server(CherootServer):
    """Cheroot with our limits."""

    def __init__(self, app: WSGIApplication, host: str, port: int, websockets: WebSockets) -> None:
        super().__init__(
            (host, port),
            app,
            numthreads=THREADS,
            max=THREADS,
            server_name="sidecar",
            request_queue_size=MOST_WAITING,
            timeout=IDLE_S,
            shutdown_timeout=HANG_UP_AFTER_S,
        )
        self.requests = _Workers(self, min=THREADS, max=THREADS)
        self.websockets = websockets
        self.long_answers = LongAnswers()
        self.refusal: OSError | None = None
        self.software = "sidecar"
        self.gateway = _Gateway
        self.ConnectionClass = _Connection
        self.max_request_header_size = LARGEST_HEADERS
        self.max_request_body_size = LARGEST_BODY
        self.keep_alive_conn_limit = MOST_KEPT_ALIVE
        self.expiration_interval = LOOK_EVERY_S

    def workers(self) -> list[Thread]:
        """Return the threads that answer requests, or still answer one after the end."""
        return [
            one for one in all_threads() if isinstance(one, WorkerThread) and one.server is self
        ]

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:  # noqa: A002 - cheroot's own name
        """Bind, and remember why it was refused: cheroot tells it only as text."""
        try:
            bound: socket.socket = super().bind(family, type, proto)
        except OSError as error:
            self.refusal = error
            raise
        return bound

    def process_conn(self, conn: HTTPConnection) -> None:
        """Give a connection to a worker once something came: silent ones cost no thread."""
        if conn.last_used is None:
            self.put_conn(conn)
        else:
            super().process_conn(conn)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 - cheroot's own signature
        """Write to our log. Below an error, cheroot tells of clients that went away."""
        serious = traceback and level >= logging.ERROR
        log.log(level if serious else logging.DEBUG, "%s", msg, exc_info=traceback)


class _Workers(ThreadPool):
    """Cheroot's, of threads that cannot keep the process from ending."""

    def _spawn_worker(self) -> WorkerThread:
        worker = WorkerThread(self.server)  # type: ignore[no-untyped-call]  # in its stub
        worker.daemon = True
        worker.start()
        return worker


class _Deadline:
    """A socket to read from, until a request has taken too long altogether."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ends_at = float("inf")

    def allow(self, seconds: float) -> None:
        """Let everything that is read from now on take so long together."""
        self._ends_at = time.monotonic() + seconds

    def recv_into(self, buffer: memoryview) -> int:
        """Read once, as `socket.recv_into`."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(min(left, IDLE_S))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(IDLE_S)

    def fileno(self) -> int:
        """Return the socket's number."""
        return self._connection.fileno()

    def _decref_socketios(self) -> None:
        """Nothing: the connection closes its socket itself."""


class _Connection(HTTPConnection):
    """A connection on which a whole request must come within a time."""

    def __init__(self, server: CherootServer, sock: socket.socket, *_makefile: object) -> None:
        super().__init__(server, sock)
        self._deadline = _Deadline(sock)
        self.rfile = StreamReader(self._deadline, "rb", self.rbufsize)

    def communicate(self) -> bool:
        """Read a request and answer it; return whether the connection stays open."""
        self._deadline.allow(WHOLE_REQUEST_S)
        return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stub


class _Gateway(Gateway_10):
    """From cheroot's request to the application."""

    req: HTTPRequest

    def respond(self) -> None:
        """Answer here, or hand a WebSocket over together with its connection."""
        if self.req.chunked_read:
            # Flask counts it and answers 413; what is left unread must not become a request.
            self.req.rfile.maxlen = None
            self.req.close_connection = True
        if self.env.get("HTTP_UPGRADE", "").lower() != "websocket":
            self._answer()
            return
        # Cheroot shall neither write a response nor close the connection.
        self.req.ready = False
        self.req.close_connection = True
        self.req.conn.linger = True
        self.req.server.websockets.take_over(self.env, self.req.conn.socket)

    def _answer(self) -> None:
        """As the original, but files leave in their own way."""
        body = self.req.server.wsgi_app(self.env, self.start_response)
        try:
            if isinstance(body, LongBody):
                self.req.ensure_headers_sent()
                self.req.server.long_answers.send(body, self.req.conn.socket, self.write)
            else:
                for block in filter(None, body):
                    self.write(block)
        finally:
            self.req.ensure_headers_sent()
            if hasattr(body, "close"):
                body.close()


def serving(server: WebServer) -> Thread:
    """Return a started thread that serves; for tests and scripts without a crew."""
    thread = Thread(target=server.serve, name="http")
    thread.start()
    return thread
