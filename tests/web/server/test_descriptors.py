"""File numbers: taken as many as there are, and none left when somebody connects."""

from __future__ import annotations

import gc
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from sidecar import limits
from sidecar.web.server import WebServer, serve_in_thread
from tests.fakes.slow_line import wait_until

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

RAISE = """
import json, resource
from sidecar.web.server.descriptors import raise_descriptors
told = []
for soft, hard in {cases}:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    told.append([raise_descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)[0]])
print(json.dumps(told))
"""


def hello(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@contextmanager
def no_file_numbers() -> Iterator[None]:
    """Let every file number that this process may have be taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # What other tests have left must not be closed meanwhile.
    gc.collect()
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_takes_what_the_system_allows_and_keeps_some_for_the_rest() -> None:
    # A process of its own: a hard limit that is lowered stays low. Its first limit may be lower.
    cases = [(200, 1000), (200, 620), (610, 610)]

    done = subprocess.run(
        [sys.executable, "-c", RAISE.format(cases=cases)],
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert json.loads(done.stdout) == [
        [1000 - limits.DESCRIPTORS_KEPT, 1000],
        [limits.FEWEST_CONNECTIONS, 620],
        [limits.FEWEST_CONNECTIONS, 610],
    ]


def test_without_a_file_number_the_longest_idle_connection_makes_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = WebServer(hello, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    address = urlsplit(server.url)
    with ExitStack() as held:
        idle, answered, refused, next_one = (held.enter_context(socket.socket()) for _ in range(4))
        for one in (idle, answered, refused, next_one):
            one.settimeout(20)
        try:
            idle.connect((address.hostname, address.port))
            # They are accepted in turn: then the idle one was as well.
            answered.connect((address.hostname, address.port))
            answered.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert hears_end(answered)
            with no_file_numbers():
                refused.connect((address.hostname, address.port))
                assert hears_end(refused)
                assert hears_end(idle)
                next_one.connect((address.hostname, address.port))
                next_one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert next_one.recv(65536).startswith(b"HTTP/1.1 200 ")
            wait_until(lambda: "closed to make room for others" in caplog.text, what="the warning")
        finally:
            server.stop()
            thread.join(10)


def hears_end(line: socket.socket) -> bool:
    """Wait for the end of a connection, past what is still to be read."""
    while line.recv(65536):
        pass
    return True
