"""The Socket.IO server: authentication, limits, rooms and shutdown of the live connection.

Every request is authenticated before Engine.IO sees it, so that nobody else can even hold a
connection open. A connection id is only accepted from the session or key that opened the
connection, as the ids end up in the logs of proxies. Browsers may send no event: a socket that
sends one is closed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from functools import partial
from http import HTTPStatus
from queue import Queue
from threading import Event as Flag
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from engineio.exceptions import SocketIsClosedError  # type: ignore[import-untyped]  # has none
from engineio.packet import PING, Packet  # type: ignore[import-untyped]  # has none
from flask import Flask, request
from flask_socketio import SocketIO
from werkzeug.http import parse_cookie

from sidecar.process import limits
from sidecar.process.shares import Shares
from sidecar.services.accounts.sign_in import SignInService
from sidecar.web.api.schemas.base import Json
from sidecar.web.live.audiences import Around
from sidecar.web.live.timers import Timers
from sidecar.web.request.refusals import Refusal, Refusals
from sidecar.web.security.auth import COOKIE, SECURE_COOKIE, Identity, is_from_elsewhere, who
from sidecar.web.security.permissions import SOCKET_EVENTS, role_of
from sidecar.web.server import (
    LARGEST_MESSAGE,
    SOCKET_KEY,
    UPGRADE_KEY,
    WebSocketAdapter,
    loading_websockets_later,
    resting,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)
wire_log = logging.getLogger(f"{__name__}.wire")

PATH = "/socket.io"
PING_EVERY_S = 25
PING_WITHIN_S = 20
ASKER = "sidecar.asker"
# Keys in `environ`: the flag that a connection has joined, and the function that frees its place.
JOINED = "sidecar.joined"
LEAVE = "sidecar.leave"


class SocketListener(Protocol):
    """Is told about sockets that connect and disconnect."""

    def came(self, sid: str, asker: Identity) -> None:
        """Handle a socket that has connected."""

    def left(self, sid: str) -> None:
        """Handle a socket that was closed."""


class SocketIOServer:
    """Implements `Wire` over Flask-SocketIO."""

    def __init__(self, sign_in: SignInService) -> None:
        self._sign_in = sign_in
        # Each poll occupies a worker of the web server until there is a message for it.
        self._polls = Shares(limits.POLLS, limits.POLLS_AN_ACCOUNT)
        each = limits.SOCKETS_AN_ACCOUNT, limits.SOCKETS_A_SESSION
        self._websockets = Shares(limits.SOCKETS, *each)
        self._polled = Shares(limits.SOCKETS, *each)
        self._leave: dict[str, Callable[[], object]] = {}
        self._timers = Timers()
        self._ended = Flag()
        self._around: Around = nullcontext
        # Packets say what people listen to and must not be logged.
        wire_log.setLevel(logging.WARNING)
        self._socketio = SocketIO(
            async_mode="threading",
            async_handlers=False,
            cors_allowed_origins=[],
            manage_session=False,
            max_http_buffer_size=LARGEST_MESSAGE,
            ping_interval=PING_EVERY_S,
            ping_timeout=PING_WITHIN_S,
            logger=wire_log,
            engineio_logger=wire_log,
        )

    def around(self, app: Flask, refusals: Refusals, elsewhere: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application with the live connection of `app` below `PATH`."""
        with loading_websockets_later():
            self._socketio.init_app(app)
        engine = self._server.eio
        # There is no public way to replace these: sleeps that end when we stop, a look at all
        # connections that ends then, even one that a late connection begins, WebSockets that
        # limit a message before it is parsed, queues that never block, and pings without threads.
        engine._async = engine._async | {  # noqa: SLF001 - see above
            "sleep": self._ended.wait,
            "event": lambda: self._ended,
            "websocket": WebSocketAdapter,
            "queue": _Unjoined,
            "thread": partial(_task, self._timers, engine._async["thread"]),  # noqa: SLF001 - see above
        }
        self._count_connections(engine)

        def admit(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            refused = self._refused(environ)
            if refused is not None:
                return refusals.refuse(environ, start_response, Refusal(refused))
            return self._answer(app, environ, start_response)

        live = refusals.in_our_form(admit)

        def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("PATH_INFO", "").startswith(PATH):
                return live(environ, start_response)
            # Only the live connection has WebSockets: elsewhere the header is ignored.
            environ.pop("HTTP_UPGRADE", None)
            return elsewhere(environ, start_response)

        return outer

    @property
    def _server(self) -> Any:  # noqa: ANN401 - python-socketio's server has no types
        return self._socketio.server  # type: ignore[attr-defined]  # missing in its stubs

    def listen(self, listener: SocketListener) -> None:
        """Register the listener for sockets that connect and disconnect."""

        def connect() -> bool:
            asker: Identity = request.environ.get(ASKER, Identity())
            if role_of(asker.person) < SOCKET_EVENTS["connect"] or self._ended.is_set():
                return False
            request.environ[JOINED].set()
            listener.came(_sid(), asker)
            return True

        def disconnect(_reason: object = None) -> None:
            listener.left(_sid())

        def anything_else(event: str, *_args: object) -> None:
            log.warning("a page sent %r over the live connection, which takes nothing", event[:40])
            self.close(_sid())

        self._socketio.on("connect")(connect)
        self._socketio.on("disconnect")(disconnect)
        self._socketio.on("*")(anything_else)

    def begin(self, around: Around) -> None:
        """See `Wire`."""
        self._around = around

    def send(self, to: str, event: str, payload: Json) -> None:
        """See `Wire`."""
        self._socketio.emit(event, dict(payload), to=to)

    def join(self, sid: str, room: str) -> None:
        """See `Wire`."""
        with suppress(KeyError, ValueError):  # it is closed already
            self._server.enter_room(sid, room)

    def close(self, sid: str) -> None:
        """See `Wire`."""
        server = self._server
        line = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))
        server.disconnect(sid)
        if line is not None:
            line.close(wait=False)

    def end(self) -> None:
        """See `Wire`."""
        self._ended.set()
        self._timers.end()
        for line in tuple(self._server.eio.sockets.values()):
            line.close(wait=False)
        if self._server.eio.service_task_handle is not None:
            self._server.shutdown()

    def _refused(self, environ: WSGIEnvironment) -> HTTPStatus | None:
        """Return the status to refuse a request with; None if it may reach Engine.IO."""
        if self._ended.is_set():
            return HTTPStatus.SERVICE_UNAVAILABLE
        with self._around():
            asker = who(
                self._sign_in,
                cookie=_cookie(environ),
                authorization=environ.get("HTTP_AUTHORIZATION"),
            )
        if is_from_elsewhere(environ):
            return HTTPStatus.FORBIDDEN
        if role_of(asker.person) < SOCKET_EVENTS["connect"]:
            return HTTPStatus.UNAUTHORIZED
        if not self._is_theirs(environ, asker):
            log.warning("refused a live connection that was opened by another session or key")
            return HTTPStatus.FORBIDDEN
        environ[ASKER] = asker
        return None

    def _is_theirs(self, environ: WSGIEnvironment, asker: Identity) -> bool:
        """Whether the same session or key opened the connection that this request continues."""
        # Check every `sid`: which one Engine.IO uses is up to it.
        named = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).get("sid", [])
        opened = [self._server.environ.get(one) for one in named if one in self._server.eio.sockets]
        return all(one is not None and one[ASKER].credential == asker.credential for one in opened)

    def _answer(
        self, app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let Engine.IO answer, within the limits for connections and polls."""
        environ[JOINED] = Flag()
        if SOCKET_KEY in environ:
            self._timers.after(limits.JOIN_WITHIN_S, partial(self._end_unused, environ))
            return app(environ, start_response)
        if environ["REQUEST_METHOD"] != "GET":
            return app(environ, start_response)
        account, credential = _keys(environ)
        query = parse_qs(environ.get("QUERY_STRING", ""))
        if _asks_for_websocket(environ, query):
            leave = self._websockets.take(account, credential)
            if leave is not None and environ[UPGRADE_KEY](leave):
                return []
            return _too_many(leave, start_response)
        environ.pop("HTTP_UPGRADE", None)
        if "sid" not in query:
            leave = self._polled.take(account, credential)
        else:
            leave = self._polls.take(account)
        if leave is None:
            return _too_many(leave, start_response)
        if "sid" not in query:
            # The place is freed with the connection, if one is opened.
            environ[LEAVE] = leave
        try:
            with resting():
                return app(environ, start_response)
        finally:
            if "sid" in query or environ.pop(LEAVE, None):
                leave()

    def _count_connections(self, engine: Any) -> None:  # noqa: ANN401 - has no types
        """Hook into Engine.IO to free places and to end connections that nobody uses."""
        handlers = engine.handlers
        begun, over = handlers["connect"], handlers["disconnect"]

        def begin(sid: str, environ: WSGIEnvironment) -> object:
            answer: object = begun(sid, environ)
            if answer is None or answer is True:
                self._leave[sid] = environ.pop(LEAVE, _nothing)
                end = partial(self._end_unjoined, sid, environ[JOINED])
                self._timers.after(limits.JOIN_WITHIN_S, end)
            return answer

        def end(sid: str, *reason: object) -> object:
            self._leave.pop(sid, _nothing)()
            return over(sid, *reason)

        handlers |= {"connect": begin, "disconnect": end}

    def _end_unjoined(self, sid: str, joined: Flag) -> None:
        """Close a connection on which no socket has joined in time."""
        line = None if joined.is_set() else self._server.eio.sockets.pop(sid, None)
        if line is not None:
            line.close(wait=False)

    def _end_unused(self, environ: WSGIEnvironment) -> None:
        """Close a WebSocket that neither has joined nor is the upgrade of a polling connection."""
        named = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [""])[0]
        line = self._server.eio.sockets.get(named)
        if not environ[JOINED].is_set() and (line is None or not line.upgraded):
            environ[SOCKET_KEY].hang_up()


class _Unjoined(Queue[object]):
    """A packet queue whose `join` never blocks: Engine.IO calls it when it closes a connection."""

    def join(self) -> None:
        """Return at once: a page that never polls again would block a worker for ever."""


class _Ping:
    """Replaces the thread that Engine.IO would start for each ping."""

    def __init__(self, timers: Timers, line: Any) -> None:  # noqa: ANN401 - has no types
        self._timers = timers
        self._line = line

    def start(self) -> None:
        """Schedule the ping."""
        self._timers.after(PING_EVERY_S, self._send)

    def join(self) -> None:
        """Do nothing: there is no thread."""

    def _send(self) -> None:
        if not self._line.closing and not self._line.closed:
            self._line.last_ping = time.time()
            with suppress(SocketIsClosedError):
                self._line.send(Packet(PING))


def _task(timers: Timers, thread: Any, *, target: Any, **more: object) -> Any:  # noqa: ANN401 - has no types
    """Return the thread for a task of Engine.IO, or a timer if it is a ping."""
    if getattr(target, "__name__", "") == "_send_ping":
        return _Ping(timers, target.__self__)
    return thread(target=target, **more)


def _asks_for_websocket(environ: WSGIEnvironment, query: dict[str, list[str]]) -> bool:
    """Whether this is Engine.IO's request for a WebSocket, and the server can upgrade it."""
    return (
        UPGRADE_KEY in environ
        and environ["PATH_INFO"] == f"{PATH}/"
        and query.get("transport") == ["websocket"]
        and query.get("EIO") == ["4"]
    )


def _keys(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return the account and the credential that a request counts for in the limits."""
    asker: Identity = environ[ASKER]
    return (asker.person.user_id if asker.person else "", asker.credential or "")


def _too_many(leave: Callable[[], object] | None, start_response: StartResponse) -> Iterable[bytes]:
    """Answer 503; free the place if one was taken."""
    if leave is not None:
        leave()
    start_response("503 Service Unavailable", [])
    return []


def _nothing() -> None:
    """Free nothing."""


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO puts it there
    return sid


def _cookie(environ: WSGIEnvironment) -> str | None:
    # As Flask reads them: the standard library takes seconds for some cookies of 30 kB.
    found = parse_cookie(environ)
    return found.get(SECURE_COOKIE if environ["wsgi.url_scheme"] == "https" else COOKIE)
