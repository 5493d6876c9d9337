"""An application that is made with the first request for it, for what a start does not need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING

from flask import Flask

from sidecar.process import heap

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class LateApp:
    """Makes a Flask application once, when it is first asked for. Thread-safe."""

    def __init__(self, make: Callable[[], Flask]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: Flask | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        return self.flask(environ, start_response)

    @property
    def flask(self) -> Flask:
        """The application."""
        with self._lock:
            if self._made is None:
                with heap.without_search():
                    self._made = self._make()
            return self._made
