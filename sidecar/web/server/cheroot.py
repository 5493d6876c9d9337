"""The production web server: cheroot, with WebSockets, time limits and an end within seconds.

It serves HTTP only; TLS is for a proxy before it.
"""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from threading import Lock, Thread
from threading import enumerate as all_threads
from typing import TYPE_CHECKING

from cheroot.errors import MaxSizeExceeded
from cheroot.server import HTTPRequest
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from cheroot.wsgi import Gateway_10
from cheroot.wsgi import Server as CherootServer

from sidecar import limits
from sidecar.errors import ConfigError
from sidecar.threads import log_stuck_threads
from sidecar.web.request.refusals import SERVER_NAME, Refusal, response_of
from sidecar.web.server import request_head
from sidecar.web.server.chunks import Chunks
from sidecar.web.server.connections import Connection, Connections
from sidecar.web.server.descriptors import raise_descriptors
from sidecar.web.server.fair_queue import FairQueue, resting
from sidecar.web.server.incoming import TLS_HANDSHAKE
from sidecar.web.server.request_head import Refused
from sidecar.web.server.streaming import OpenResponses, StreamingBody, log_cut_off
from sidecar.web.server.websockets import UPGRADE_KEY, WebSockets

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
STOP_WITHIN_S = 2.0
HANG_UP_AFTER_S = 1
TELL_WITHIN_S = 0.5
BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
# As much of a request line that is too long as says what was asked for.
BEGINNING_BYTES = 2048
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to

TROUBLES = {
    errno.EADDRINUSE: ("server.port", "another program listens there already: choose another port"),
    errno.EACCES: ("server.port", "this user may not listen there: choose a port above 1023"),
    errno.EADDRNOTAVAIL: ("server.host", "this machine does not have this address"),
}


class WebServer:
    """Serves one WSGI application. `bind`, then `serve` in a thread, then `stop`; once."""

    def __init__(
        self,
        app: WSGIApplication,
        host: str,
        port: int,
        *,
        is_proxy: Callable[[str], bool] = lambda _address: False,
    ) -> None:
        """Prepare; `is_proxy` tells which addresses stand for many people."""
        self._host, self._port = host, port
        self._websockets = WebSockets(app)
        self._server = _Server(app, host, port, self._websockets, is_proxy)

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
    """Cheroot with our connections and limits."""

    def __init__(
        self,
        app: WSGIApplication,
        host: str,
        port: int,
        websockets: WebSockets,
        is_proxy: Callable[[str], bool],
    ) -> None:
        super().__init__(
            (host, port),
            app,
            numthreads=limits.WORKERS,
            max=limits.WORKERS,
            server_name=SERVER_NAME,
            request_queue_size=limits.BACKLOG,
            timeout=int(limits.SILENT_S),
            shutdown_timeout=HANG_UP_AFTER_S,
        )
        self._has_limits = lambda address: not is_proxy(address)
        self.waiting = FairQueue(has_limits=self._has_limits)
        self.requests = _Workers(self, self.waiting)
        self.websockets = websockets
        self.long_answers = OpenResponses()
        self.refusal: OSError | None = None
        self.software = SERVER_NAME
        self.is_stopping = False
        self.answering: set[_Request] = set()
        self.gateway = _Gateway
        self.max_request_header_size = limits.HEAD_BYTES
        self.max_request_body_size = limits.BODY_BYTES
        self.expiration_interval = LOOK_EVERY_S

    def prepare(self) -> None:
        """Bind, start the workers, and have our own connections."""
        most = raise_descriptors()
        super().prepare()
        self._connections.close()  # type: ignore[has-type]  # cheroot's own
        self._connections = Connections(
            self, most, connection=_Connection, has_limits=self._has_limits
        )

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

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 - cheroot's own signature
        """Write to our log. Below an error, cheroot tells of clients that went away."""
        serious = traceback and level >= logging.ERROR
        log.log(level if serious else logging.DEBUG, "%s", msg, exc_info=traceback)


class _Workers(ThreadPool):
    """Cheroot's, of threads that cannot keep the process from ending, and a queue of ours."""

    def __init__(self, server: _Server, waiting: FairQueue) -> None:
        super().__init__(server, min=limits.WORKERS, max=limits.WORKERS)
        self._queue = waiting
        self.get = waiting.get

    def _spawn_worker(self) -> WorkerThread:
        worker = WorkerThread(self.server)  # type: ignore[no-untyped-call]  # in its stub
        worker.daemon = True
        worker.start()
        return worker


class _Connection(Connection):
    """A connection whose requests are ours."""

    server: _Server

    def communicate(self) -> bool:
        """Read a request that has come, and answer it; return whether the connection stays open."""
        self.RequestHandlerClass = _Request
        try:
            if self.is_broken():
                return False
            return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stub
        finally:
            self.server.waiting.done()


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
        try:
            self._check_line()
        except Refused as refused:
            self.refuse(Refusal(refused.status, reason=str(refused)))
            return False
        return bool(super().read_request_line())  # type: ignore[no-untyped-call]  # see above

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

    def _check_line(self) -> None:
        """Look at the first line, which may come after an empty one, before cheroot reads it."""
        come = self.conn.rfile.getvalue()[self.conn.rfile.tell() :].removeprefix(b"\r\n")
        line, end, _ = come.partition(b"\n")
        self._line = line + end
        if come[:1] == bytes([TLS_HANDSHAKE]):
            raise Refused("This port speaks HTTP: TLS is for a proxy before it.")
        if self.conn.is_late:
            raise Refused("", HTTPStatus.REQUEST_TIMEOUT)
        if len(self._line) > limits.HEAD_BYTES:
            self._line = self._line[:BEGINNING_BYTES]
            # Cheroot refuses it.
            return
        request_head.check_line(self._line)


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
        if self._is_upgrade():
            self._offer_upgrade()
        else:
            self.env.pop("HTTP_UPGRADE", None)
        self._answer()

    def _offer_upgrade(self) -> None:
        """Let the application have this request answered as a WebSocket, if it is to be one."""
        untouched = dict(self.env)

        def upgrade(ended: Callable[[], object]) -> bool:
            conn = self.req.conn
            is_taken = self.req.server.websockets.take_over(untouched, conn.socket, ended)
            if is_taken:
                # Cheroot shall neither write a response nor close the connection.
                conn.is_handed_over = True
                self.req.ready = False
            return is_taken

        self.env[UPGRADE_KEY] = upgrade
        # Who does not get a WebSocket has nothing more to say on this connection.
        self.req.close_connection = True

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
            if self.req.conn.is_handed_over:
                return
            if isinstance(body, StreamingBody):
                self.req.ensure_headers_sent()
                self._send_long(body)
            else:
                for block in filter(None, body):
                    self.write(block)
            self.req.ensure_headers_sent()
            if not isinstance(body, StreamingBody) and self._is_short():
                raise log_cut_off("the body is shorter than its Content-Length")
        finally:
            if hasattr(body, "close"):
                body.close()

    def _send_long(self, body: StreamingBody) -> None:
        """Send it from here, waiting for the other side."""
        conn = self.req.conn
        try:
            with resting():
                conn.wfile.wait()
                self.req.server.long_answers.send(body, conn.socket, self.write)
        finally:
            conn.wfile.wait_no_more()


def serve_in_thread(server: WebServer) -> Thread:
    """Return a started thread that serves; for tests and scripts without a thread group."""
    thread = Thread(target=server.serve, name="http")
    thread.start()
    return thread
