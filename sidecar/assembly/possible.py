"""Checks that settings of the page are possible on this machine, before they are stored.

A sidecar that does not start any more cannot be set right on its page.
"""

from __future__ import annotations

import socket
from contextlib import closing

from sidecar.config import EngineName, Settings
from sidecar.errors import ConfigError
from sidecar.messages import msg
from sidecar.transfer.engines import find_aria2_program


def check_engine(_before: Settings, after: Settings) -> None:
    """Raise `ConfigError` if the engine is aria2, which is not installed."""
    if after.transfer.engine is EngineName.ARIA2:
        find_aria2_program(after)


def check_listening(before: Settings, after: Settings) -> None:
    """Raise `ConfigError` if the page cannot be reached at the new address and port."""
    old, new = before.server, after.server
    if (old.host, old.port) == (new.host, new.port):
        return
    family = socket.AF_INET6 if ":" in new.host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            # The port that we have ourselves cannot be tried, but any other of the same address.
            tried.bind((new.host, 0 if new.port == old.port else new.port))
        except OSError as error:
            key = "server.host" if old.host != new.host else "server.port"
            text = msg("It is not possible to listen there: {reason}", reason=error.strerror or "")
            raise ConfigError("page", key, None, text) from None
