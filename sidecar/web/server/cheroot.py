"""The web server: cheroot, with WebSockets, timeouts, fair queueing and a fast shutdown.

It serves HTTP only; TLS is the task of a reverse proxy.
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

from sidecar import SERVER_NAME
from sidecar.config.local_url import make_local_url
from sidecar.errors import ConfigError
from sidecar.process import limits
from sidecar.process.threads import log_stuck_threads
from sidecar.web.request.refusals import Refusal, response_of
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
# How much is kept of a request line that is too long, to know its method and path.
BEGINNING_BYTES = 2048

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
        """Create the server; `is_proxy` says which addresses stand for many clients."""
        self._host, self._port = host, port
        self._websockets = WebSockets(app)
        self._server = _Server(app, host, port, self._websockets, is_proxy)

    @property
    def url(self) -> str:
        """The URL from this machine; known after `bind`."""
        host, port = self._server.bind_addr[:2]
        return make_local_url(str(host), port)

    def bind(self) -> None:
        """Bind the port; connections are accepted from now on and answered once `serve` runs.

        Raises:
            errors.ConfigError: The address cannot be used.
        """
        try:
            self._server.prepare()
        except OSError as error:
            raise self._explain(self._server.refusal or error) from None

    def answer_with(self, app: WSGIApplication) -> None:
        """Replace the application for all further requests."""
        self._websockets.app = app
        self._server.wsgi_app = app

    def serve(self) -> None:
        """Answer requests until `stop` is called."""
        self._server.serve()

    def stop(self) -> None:
        """Close the port and all WebSockets, and end the server's threads.

        Call `NewsPublisher.stop` before: a polling page occupies a worker until it gets a message.
        Workers that still wait for Jellyfin or a disk after `STOP_WITHIN_S` are abandoned, and
        their requests are answered with 503.
        """
        self._server.is_stopping = True
        deadline = time.monotonic() + STOP_WITHIN_S
        conversations = self._websockets.close()
        self._server.long_answers.hang_up()
        # In a thread, as cheroot waits for each worker without a timeout.
        ending = Thread(target=self._server.stop, name="http-end", daemon=True)
        ending.start()
        for thread in (*conversations, ending):
            thread.join(max(0.0, deadline - time.monotonic()))
        # In a thread, as sending the refusals may block.
        telling = Thread(target=self._server.give_up, name="http-give-up", daemon=True)
        telling.start()
        telling.join(TELL_WITHIN_S)
        log_stuck_threads([*conversations, *self._server.workers()])

    def _explain(self, error: OSError) -> ConfigError:
        key, reason = TROUBLES.get(error.errno or 0, ("server.host", f"cannot be used ({error})"))
        value: object = self._port if key == "server.port" else self._host
        return ConfigError("settings", key, value, reason)


class _Server(CherootServer):
    """Cheroot's server with our connections, queue and limits."""

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
        """Bind, start the workers, and replace cheroot's connection manager by ours."""
        most = raise_descriptors()
        super().prepare()
        self._connections.close()  # type: ignore[has-type]  # cheroot's own
        self._connections = Connections(
            self, most, connection=_Connection, has_limits=self._has_limits
        )

    def workers(self) -> list[Thread]:
        """Return the worker threads, including those still busy after the shutdown."""
        return [
            one for one in all_threads() if isinstance(one, WorkerThread) and one.server is self
        ]

    def give_up(self) -> None:
        """Answer all unfinished requests with 503, also those for which no worker was free."""
        for request in tuple(self.answering):
            request.refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE))
            request.conn.hang_up()
        for conn in self.waiting.take_all():
            if isinstance(conn, _Connection):
                waiting = _Request(self, conn)
                waiting.parse_request()
                waiting.refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE))
                conn.close()

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:  # noqa: A002 - cheroot's own name
        """Bind, and keep the error: cheroot reports it as text only."""
        try:
            bound: socket.socket = super().bind(family, type, proto)
        except OSError as error:
            self.refusal = error
            raise
        return bound

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 - cheroot's own signature
        """Write to our log; what is no error is about clients that disconnected, and is DEBUG."""
        serious = traceback and level >= logging.ERROR
        log.log(level if serious else logging.DEBUG, "%s", msg, exc_info=traceback)


class _Workers(ThreadPool):
    """Cheroot's thread pool with daemon threads and our queue."""

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
    """A connection that uses our request class."""

    server: _Server

    def communicate(self) -> bool:
        """Read and answer one request; return whether the connection stays open."""
        self.RequestHandlerClass = _Request
        try:
            if self.is_broken():
                return False
            return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stub
        finally:
            self.server.waiting.done()


class _Request(HTTPRequest):
    """A request that is parsed strictly and refused with our problem answers.

    Cheroot calls the two `read_*` methods to parse, and `simple_response` for every refusal.
    """

    conn: _Connection
    server: _Server

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # cheroot's stub
        self.header_reader = lambda *_: None  # `read_request_headers` has read them already
        self.is_refused = False
        self._line = b""
        self._lock = Lock()

    def read_request_line(self) -> bool:
        """Read the request line; return whether it is accepted."""
        try:
            self._check_line()
        except Refused as refused:
            self.refuse(Refusal(refused.status, reason=str(refused)))
            return False
        return bool(super().read_request_line())  # type: ignore[no-untyped-call]  # see above

    def read_request_headers(self) -> bool:
        """Read the headers; return whether they are accepted."""
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
        """Answer the request; on an error, send a problem answer or close the connection."""
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
        """Refuse the request; called by cheroot."""
        self.refuse(Refusal(HTTPStatus(int(status[:3])), reason=msg))

    def refuse(self, refused: Refusal | Exception) -> bool:
        """Answer in place of the application and close the connection; for any thread.

        Returns False, and does nothing, if a response has been started already.
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
        """Send the headers if nothing was sent yet."""
        if self._is_first():
            self.send_headers()

    def write(self, chunk: bytes) -> None:
        """Send a part of the body, unless the request was refused in the meantime."""
        if not self.is_refused:
            super().write(chunk)

    def _is_first(self) -> bool:
        """Mark the response as started; return whether it was not before."""
        with self._lock:
            is_first, self.sent_headers = not self.sent_headers, True
        return is_first

    def _check_line(self) -> None:
        """Check the request line, which may follow an empty line, before cheroot reads it."""
        come = self.conn.rfile.getvalue()[self.conn.rfile.tell() :].removeprefix(b"\r\n")
        line, end, _ = come.partition(b"\n")
        self._line = line + end
        if come[:1] == bytes([TLS_HANDSHAKE]):
            raise Refused("This port speaks HTTP: TLS is for a proxy before it.")
        if self.conn.is_late:
            raise Refused("", HTTPStatus.REQUEST_TIMEOUT)
        if len(self._line) > limits.HEAD_BYTES:
            self._line = self._line[:BEGINNING_BYTES]
            # Cheroot itself refuses such a line.
            return
        request_head.check_line(self._line)


class _Gateway(Gateway_10):
    """Cheroot's WSGI gateway, with chunked bodies, WebSockets and streamed files."""

    req: _Request
    env: WSGIEnvironment
    _written = 0

    def respond(self) -> None:
        """Call the application and send its response, or hand the connection to a WebSocket."""
        if self.req.server.is_stopping:
            self.req.refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE))
            return
        if self.req.chunked_read:
            # Close afterwards: an unread rest of the body must not be parsed as a request.
            self.req.close_connection = self.req.conn.has_unread = True
            self.env["wsgi.input"] = Chunks(self.req.conn.rfile)
        else:
            # Its mere presence makes Werkzeug accept a truncated body as complete.
            del self.env["wsgi.input_terminated"]
        if self._is_upgrade():
            self._offer_upgrade()
        else:
            self.env.pop("HTTP_UPGRADE", None)
        self._answer()

    def _offer_upgrade(self) -> None:
        """Put a function into `environ` by which the application can upgrade to a WebSocket."""
        untouched = dict(self.env)

        def upgrade(ended: Callable[[], object]) -> bool:
            conn = self.req.conn
            is_taken = self.req.server.websockets.take_over(untouched, conn.socket, ended)
            if is_taken:
                # Cheroot must neither write a response nor close the connection.
                conn.is_handed_over = True
                self.req.ready = False
            return is_taken

        self.env[UPGRADE_KEY] = upgrade
        # Without an upgrade, the connection is closed after the response.
        self.req.close_connection = True

    def _is_upgrade(self) -> bool:
        """Whether the request asks for a WebSocket."""
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
        """Whether fewer bytes were written than declared, so that the client would wait in vain."""
        declared, has_body = self.remaining_bytes_out, int(self.req.status[:3]) not in BODILESS
        is_head = self.env["REQUEST_METHOD"] == "HEAD"
        return declared is not None and has_body and not is_head and self._written < declared

    def _answer(self) -> None:
        """Send the response, streaming files, and cut it off if the body is too short."""
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
        """Send a streaming body in this worker, blocking while the client reads slowly."""
        conn = self.req.conn
        try:
            with resting():
                conn.wfile.wait()
                self.req.server.long_answers.send(body, conn.socket, self.write)
        finally:
            conn.wfile.wait_no_more()


def serve_in_thread(server: WebServer) -> Thread:
    """Start a thread that serves, and return it; for tests and scripts."""
    thread = Thread(target=server.serve, name="http")
    thread.start()
    return thread
