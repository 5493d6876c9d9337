"""A small Jellyfin server of our own: real HTTP and a real WebSocket on one port.

    DemoServer ── accepts ── Connection (a thread each) ── Answering ── Core
               └─ scheduler (one thread): what is due later

It speaks as one of two versions, down to their faults. It transcodes nothing, knows no wizard,
no plugins and no API keys, and its accounts have the passwords that `ACCOUNTS` lists.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from threading import Condition, Thread
from typing import Self

from sidecar.demo.protocol.messages import Reply, Request, empty_reply
from sidecar.demo.protocol.version import Version
from sidecar.demo.protocol.websocket import SocketConnection
from sidecar.demo.server.connection import ConnectionServer
from sidecar.demo.server.dispatch import Dispatcher
from sidecar.demo.state import playback_reports
from sidecar.demo.state.core import ServerState, StartupPhase
from sidecar.demo.state.subscriptions import SocketClient
from sidecar.demo.state.timing import Timing

_GLANCE_S = 0.05
_FAREWELL_S = 1.0


class DemoServer:
    """A Jellyfin server for a folder of media with its `library.json`.

    Use it as a context manager, or call `start` and `stop`. It runs once: to restart, build
    another with the same `state_dir`, which keeps accounts, tokens, hearts and playlists.
    """

    def __init__(
        self,
        library: Path,
        *,
        speaks: Version,
        host: str = "127.0.0.1",
        port: int = 0,
        base_url: str = "",
        state_dir: Path | None = None,
        timing: Timing | None = None,
        server_id: str | None = None,
    ) -> None:
        """Scan the library; nothing listens yet.

        Args:
            library: The folder with `library.json`.
            speaks: The version to pass for.
            host: The address to listen on.
            port: 0 for one that is free.
            base_url: A path under which everything lives, like `/jellyfin`.
            state_dir: Where to keep what outlives a restart; None for nowhere.
            timing: How long slow things take.
            server_id: Another identity than the one that is kept, or than a fresh one.

        Raises:
            OSError: The library cannot be read.
            ValueError: Its listing is not JSON.
            LookupError: Its listing lacks something.
        """
        self.speaks = speaks
        self._address = (host, port)
        self._timing = timing or Timing()
        self.core = ServerState(
            library,
            speaks=speaks,
            timing=self._timing,
            state_dir=state_dir,
            server_id=server_id,
        )
        self._answering = Dispatcher(self.core, base_url.rstrip("/"))
        self._lines = Condition(self.core.lock)
        self._server: ConnectionServer | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self._server = ConnectionServer(self._address, self)
        self._thread = Thread(
            target=self._server.serve_forever, args=(_GLANCE_S,), name="demo-server"
        )
        self._thread.start()
        self.core.start()
        tick, idle = self._timing.progress_tick_s, self._timing.idle_s
        self.core.scheduler.every(
            tick, "time", lambda: playback_reports.advance_playback(self.core)
        )
        self.core.scheduler.every(
            idle, "ghosts", lambda: playback_reports.stop_abandoned(self.core)
        )

    def stop(self) -> None:
        """Close all sockets and connections, and wait for every thread."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self.core.stop()
        with self._lines:
            # What was said last is to arrive; who does not take it is cut off.
            self._lines.wait_for(lambda: not self.core.sockets.clients, _FAREWELL_S)
        self._thread.join()
        self._server.close_all()
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address that clients are given, base URL included."""
        if self._server is None:
            raise RuntimeError("the demo server is not running")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}{self._answering.base_url}"

    def enter_phase(self, phase: StartupPhase) -> None:
        """Enter a phase of starting; the port stays open."""
        with self.core.lock:
            self.core.phase = phase

    def answer(self, request: Request) -> Reply:
        """Return the answer to a request."""
        return self._answering.answer(request)

    def upgrade(self, request: Request) -> Reply | None:
        """Return the refusal of a WebSocket: it needs a token, and a path below the base URL."""
        with self.core.lock:
            if self.core.phase in {StartupPhase.STARTING, StartupPhase.ALMOST}:
                return empty_reply(HTTPStatus.SERVICE_UNAVAILABLE)
            if self._answering.strip_base_url(request.path) is None:
                return empty_reply(HTTPStatus.FOUND, Location=f"{self._answering.base_url}/web/")
            if self._answering.authenticate(request).user is None:
                return empty_reply(HTTPStatus.FORBIDDEN)
            is_loading = self.core.phase is StartupPhase.LOADING
            return empty_reply(HTTPStatus.SERVICE_UNAVAILABLE) if is_loading else None

    def serve_socket(self, request: Request, line: SocketConnection) -> None:
        """Serve a WebSocket until it closes; its session goes with the last one."""
        with self.core.lock:
            ask = self._answering.authenticate(request)
            if ask.device is None or ask.user is None:
                return
            session = ask.session()
            listener = SocketClient(line, session, ask.user.id, ask.device.token)
            self.core.sockets.join(listener)
        try:
            line.run(lambda text: self._receive(listener, text))
        finally:
            with self.core.lock:
                self.core.sockets.leave(listener)
                self._lines.notify_all()
                if not session.sockets:
                    self.core.end(session)

    def _receive(self, listener: SocketClient, text: str) -> None:
        with self.core.lock:
            self.core.sockets.receive(listener, text)
