"""The web server: connections, WebSockets, streamed bodies.

The libraries that it is built on are only used inside this package: see `WebServer`.
"""

from __future__ import annotations

from sidecar.web.server.cheroot import WebServer, serve_in_thread
from sidecar.web.server.fair_queue import resting
from sidecar.web.server.streaming import FileBody, OpenResponses, ProxyBody, StreamingBody
from sidecar.web.server.websockets import (
    LARGEST_MESSAGE,
    SOCKET_KEY,
    UPGRADE_KEY,
    WebSocketAdapter,
    loading_websockets_later,
)

__all__ = [
    "LARGEST_MESSAGE",
    "SOCKET_KEY",
    "UPGRADE_KEY",
    "FileBody",
    "OpenResponses",
    "ProxyBody",
    "StreamingBody",
    "WebServer",
    "WebSocketAdapter",
    "loading_websockets_later",
    "resting",
    "serve_in_thread",
]
