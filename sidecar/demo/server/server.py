"""A small Jellyfin server of our own: real HTTP and a real WebSocket on one port.

    DemoServer ── accepts ── Connection (a thread each) ── Answering ── Core
               └─ timetable (one thread): what is due later

It speaks as one of two versions, down to their faults. It transcodes nothing, knows no wizard,
no plugins and no API keys, and its accounts have the passwords that `ACCOUNTS` lists.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import Self

from sidecar.demo.protocol.messages import Reply, Request, blank
from sidecar.demo.protocol.version import Version
from sidecar.demo.protocol.websocket import Line
from sidecar.demo.server.connection import Server
from sidecar.demo.server.dispatch import Answering
from sidecar.demo.state import playback_reports
from sidecar.demo.state.core import Core, Phase
from sidecar.demo.state.subscriptions import Listener
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
        self.core = Core(
            library,
            speaks=speaks,
            timing=self._timing,
            state_dir=state_dir,
            server_id=server_id,
        )
        self._answering = Answering(self.core, base_url.rstrip("/"))
        self._lines = Condition(self.core.lock)
        self._server: Server | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self._server = Server(self._address, self)
        self._thread = Thread(
            target=self._server.serve_forever, args=(_GLANCE_S,), name="demo-server"
        )
        self._thread.start()
        self.core.start()
        tick, idle = self._timing.progress_tick_s, self._timing.idle_s
        self.core.timetable.every(tick, "time", lambda: playback_reports.time_goes_by(self.core))
        self.core.timetable.every(idle, "ghosts", lambda: playback_reports.ghosts_stop(self.core))

    def stop(self) -> None:
        """Say good-bye on the sockets, cut everything else, and wait for every thread."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self.core.stop()
        with self._lines:
            # What was said last is to arrive; who does not take it is cut off.
            self._lines.wait_for(lambda: not self.core.hub.listeners, _FAREWELL_S)
        self._thread.join()
        self._server.close_all()
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address that clients are given, base URL included."""
        if self._server is None:
            raise RuntimeError("the demo server is not running")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}{self._answering.base_url}"

    def enter(self, phase: Phase) -> None:
        """Be as far with starting as `phase` says; the port stays open all the while."""
        with self.core.lock:
            self.core.phase = phase

    def answer(self, request: Request) -> Reply:
        """Return the answer to a request."""
        return self._answering.answer(request)

    def upgrade(self, request: Request) -> Reply | None:
        """Return what refuses a WebSocket: any path under the base URL is good, a token must be."""
        with self.core.lock:
            if self.core.phase in {Phase.STARTING, Phase.ALMOST}:
                return blank(HTTPStatus.SERVICE_UNAVAILABLE)
            if self._answering.inside(request.path) is None:
                return blank(HTTPStatus.FOUND, Location=f"{self._answering.base_url}/web/")
            if self._answering.who(request).user is None:
                return blank(HTTPStatus.FORBIDDEN)
            is_loading = self.core.phase is Phase.LOADING
            return blank(HTTPStatus.SERVICE_UNAVAILABLE) if is_loading else None

    def converse(self, request: Request, line: Line) -> None:
        """Serve a WebSocket until it closes; its session goes with the last one."""
        with self.core.lock:
            ask = self._answering.who(request)
            if ask.device is None or ask.user is None:
                return
            session = ask.session()
            listener = Listener(line, session, ask.user.id, ask.device.token)
            self.core.hub.join(listener)
            self.core.news.sessions_changed()
        try:
            line.run(lambda text: self._hear(listener, text))
        finally:
            with self.core.lock:
                self.core.hub.leave(listener)
                self._lines.notify_all()
                if not session.sockets:
                    self.core.end(session)

    def _hear(self, listener: Listener, text: str) -> None:
        with self.core.lock:
            self.core.hub.hear(listener, text)
