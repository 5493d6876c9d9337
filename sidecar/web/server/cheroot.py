"""The production web server: cheroot, with WebSockets, time limits and an end within seconds.

It serves HTTP only; TLS is for a proxy before it.
"""

from __future__ import annotations

import errno
import logging
import socket
import time
from contextlib import suppress
from http import HTTPStatus
from threading import Lock, Thread
from threading import enumerate as all_threads
from typing import TYPE_CHECKING

from cheroot.errors import MaxSizeExceeded
from cheroot.makefile import StreamReader
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from cheroot.wsgi import Gateway_10
from cheroot.wsgi import Server as CherootServer

from sidecar.errors import ConfigError
from sidecar.threads import log_stuck_threads
from sidecar.web.request.refusals import SERVER_NAME, Refusal, response_of
from sidecar.web.server import request_head
from sidecar.web.server.chunks import Chunks
from sidecar.web.server.request_head import Refused
from sidecar.web.server.streaming import OpenResponses, StreamingBody, log_cut_off
from sidecar.web.server.websockets import WebSockets

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

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
TELL_WITHIN_S = 0.5
HEAR_OUT_S = 1.0
BLOCK_BYTES = 64 * 1024
BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
TLS_HANDSHAKE = b"\x16"
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
            raise self._explain(self._server.refusal or error) from None

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
        Whoever still waits for Jellyfin, or a disk, is left behind after `STOP_WITHIN_S`, and who
        asked for it is told so.
        """
        self._server.is_stopping = True
        deadline = time.monotonic() + STOP_WITHIN_S
        conversations = self._websockets.close()
        self._server.long_answers.hang_up()
        # In a thread: cheroot waits for each worker, however long it takes.
        ending = Thread(target=self._server.stop, name="http-end", daemon=True)
        ending.start()
        for thread in (*conversations, ending):
            thread.join(max(0.0, deadline - time.monotonic()))
        # In a thread: to tell must not take longer than to be told.
        telling = Thread(target=self._server.give_up, name="http-give-up", daemon=True)
        telling.start()
        telling.join(TELL_WITHIN_S)
        log_stuck_threads([*conversations, *self._server.workers()])

    def _explain(self, error: OSError) -> ConfigError:
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
            server_name=SERVER_NAME,
            request_queue_size=MOST_WAITING,
            timeout=IDLE_S,
            shutdown_timeout=HANG_UP_AFTER_S,
        )
        self.requests = _Workers(self, min=THREADS, max=THREADS)
        self.websockets = websockets
        self.long_answers = OpenResponses()
        self.refusal: OSError | None = None
        self.software = SERVER_NAME
        self.is_stopping = False
        self.answering: set[_Request] = set()
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

    def give_up(self) -> None:
        """Tell whoever still waits for an answer that there will be none."""
        for request in tuple(self.answering):
            request.refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE))
            request.conn.hang_up()

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
        self.RequestHandlerClass = _Request
        self.deadline = _Deadline(sock)
        self.rfile = StreamReader(self.deadline, "rb", self.rbufsize)
        self.has_unread = False

    def communicate(self) -> bool:
        """Read a request and answer it; return whether the connection stays open."""
        self.deadline.allow(WHOLE_REQUEST_S)
        stays_open = bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stub
        if not stays_open and self.has_unread:
            self._hear_out()
        return stays_open

    def hang_up(self) -> None:
        """Say nothing more; what was said arrives."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _hear_out(self) -> None:
        """Take what the other side still sends, for a moment.

        Closing a connection with something unread resets it, and the answer could be lost.
        """
        self.hang_up()
        self.deadline.allow(HEAR_OUT_S)
        with suppress(OSError):
            while self.deadline.recv_into(memoryview(bytearray(BLOCK_BYTES))):
                pass


class _Again:
    """A line that was read already, to be read once more by cheroot."""

    def __init__(self, line: bytes) -> None:
        self._line = line

    def readline(self) -> bytes:
        """Return the line."""
        return self._line


class _Request(HTTPRequest):
    """A request that is read strictly, and refused in our form.

    Cheroot refuses by `simple_response` alone, and it reads by the two methods `read_*`.
    """

    conn: _Connection
    server: _Server

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # cheroot's stub
        self.header_reader = lambda *_: None  # they are read by then
        self.is_refused = False
        self._line = b""
        self._lock = Lock()

    def read_request_line(self) -> bool:
        """Read the first line, and whether it is taken."""
        lines = self.rfile
        try:
            self._read_line()
            if not self._line:
                return False
            request_head.check_line(self._line)
            self.rfile = _Again(self._line)
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]  # see above
        except Refused as refused:
            self.refuse(Refusal(refused.status, reason=str(refused)))
            return False
        finally:
            self.rfile = lines

    def read_request_headers(self) -> bool:
        """Read the headers, and whether they are taken."""
        try:
            request_head.read_headers(self.rfile, self.inheaders)
            request_head.check_version(self.inheaders, self.request_protocol)
        except MaxSizeExceeded:
            self.refuse(Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
            return False
        except Refused as refused:
            self.refuse(Refusal(refused.status, reason=str(refused)))
            return False
        return bool(super().read_request_headers())  # type: ignore[no-untyped-call]  # see above

    def respond(self) -> None:
        """Have it answered; a failure is told, or it ends the connection."""
        self.server.answering.add(self)
        try:
            super().respond()
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            self.close_connection = True
            if not self.refuse(error):
                log.exception("an answer to %r broke off", self._line)
        finally:
            self.server.answering.discard(self)

    def simple_response(self, status: str, msg: str = "") -> None:
        """Refuse it: what cheroot calls instead of the application."""
        self.refuse(Refusal(HTTPStatus(int(status[:3])), reason=msg))

    def refuse(self, refused: Refusal | Exception) -> bool:
        """Answer in place of the application, from any thread; return whether it was in time.

        The connection ends with it.
        """
        if not self._is_first():
            return False
        self.is_refused = self.close_connection = self.conn.has_unread = True
        method, path = request_head.beginning(self._line)
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
        for name in (b"Accept-Language", b"Cookie"):
            if name in self.inheaders:
                key = f"HTTP_{name.decode().upper().replace('-', '_')}"
                environ[key] = self.inheaders[name].decode("latin-1")
        octets = response_of(self.server.wsgi_app, environ, refused)
        with suppress(OSError):
            self.conn.wfile.write(octets)
        return True

    def ensure_headers_sent(self) -> None:
        """Send the headers, once."""
        if self._is_first():
            self.send_headers()

    def write(self, chunk: bytes) -> None:
        """Send a part of the body, unless the request was refused meanwhile."""
        if not self.is_refused:
            super().write(chunk)

    def _is_first(self) -> bool:
        """Whether nothing was answered so far; now something is."""
        with self._lock:
            is_first, self.sent_headers = not self.sent_headers, True
        return is_first

    def _read_line(self) -> None:
        """Read the first line as far as it comes, after at most one empty one."""
        may_be_empty = True
        while not self._line.endswith(b"\n"):
            come = self.conn.rfile.peek(1)
            if not come:
                return
            if not self._line and come.startswith(TLS_HANDSHAKE):
                raise Refused("This port speaks HTTP: TLS is for a proxy before it.")
            # No more than is there, so that what came before a break is known.
            self._line += self.rfile.readline(len(come))
            if self._line == b"\r\n" and may_be_empty:
                self._line, may_be_empty = b"", False


class _Gateway(Gateway_10):
    """From cheroot's request to the application."""

    req: _Request
    env: WSGIEnvironment
    _written = 0

    def respond(self) -> None:
        """Answer here, or hand a WebSocket over together with its connection."""
        if self.req.server.is_stopping:
            self.req.refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE))
            return
        if self.req.chunked_read:
            # What is left unread must not become a request.
            self.req.close_connection = self.req.conn.has_unread = True
            self.env["wsgi.input"] = Chunks(self.req.conn.rfile)
        else:
            # Werkzeug takes its mere presence for a yes, and a body cut off for a whole one.
            del self.env["wsgi.input_terminated"]
        if not self._is_upgrade():
            self.env.pop("HTTP_UPGRADE", None)
            self._answer()
            return
        # Cheroot shall neither write a response nor close the connection.
        self.req.ready = False
        self.req.close_connection = True
        self.req.conn.linger = True
        self.req.server.websockets.take_over(self.env, self.req.conn.socket)

    def _is_upgrade(self) -> bool:
        """Whether this asks for a WebSocket."""
        connection = self.env.get("HTTP_CONNECTION", "").lower().replace(",", " ").split()
        to = self.env.get("HTTP_UPGRADE", "").lower()
        is_get = self.env["REQUEST_METHOD"] == "GET"
        return to == "websocket" and "upgrade" in connection and is_get

    def write(self, chunk: bytes) -> None:
        """Send a part of the body."""
        declared = self.remaining_bytes_out
        if declared is not None and len(chunk) > declared and not self.req.sent_headers:
            raise ValueError("the body is longer than its Content-Length")
        self._written += len(chunk)
        super().write(chunk)

    def _is_short(self) -> bool:
        """Whether the other side would wait for the rest of a body in vain."""
        declared, has_body = self.remaining_bytes_out, int(self.req.status[:3]) not in BODILESS
        is_head = self.env["REQUEST_METHOD"] == "HEAD"
        return declared is not None and has_body and not is_head and self._written < declared

    def _answer(self) -> None:
        """As the original, but files leave in their own way, and a failure is told as one."""
        body = self.req.server.wsgi_app(self.env, self.start_response)
        try:
            self._read_rest()
            if isinstance(body, StreamingBody):
                self.req.ensure_headers_sent()
                self.req.server.long_answers.send(body, self.req.conn.socket, self.write)
            else:
                for block in filter(None, body):
                    self.write(block)
            self.req.ensure_headers_sent()
            if not isinstance(body, StreamingBody) and self._is_short():
                raise log_cut_off("the body is shorter than its Content-Length")
        finally:
            if hasattr(body, "close"):
                body.close()

    def _read_rest(self) -> None:
        """Read what the application left of the body; what does not come ends the connection."""
        rest = getattr(self.req.rfile, "remaining", 0)
        if not rest:
            return
        self.req.conn.deadline.allow(HEAR_OUT_S)
        with suppress(OSError):
            self.req.rfile.read(rest)
        if self.req.rfile.remaining:
            self.req.close_connection = self.req.conn.has_unread = True


def serve_in_thread(server: WebServer) -> Thread:
    """Return a started thread that serves; for tests and scripts without a thread group."""
    thread = Thread(target=server.serve, name="http")
    thread.start()
    return thread
