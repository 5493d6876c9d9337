from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from threading import Event, Lock

import pytest

from sidecar.jellyfin.live.tls_socket import TlsSocket
from tests.fakes.servers.certificates import own_certificate
from tests.patience import PATIENCE_S


class WatchedSocket(ssl.SSLSocket):
    """Notices two threads inside at once; a read stays inside until `may_leave` is set."""

    inside: Lock
    is_reading: Event
    may_leave: Event
    met = False

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        with self._watched():
            self.is_reading.set()
            assert self.may_leave.wait(PATIENCE_S)
            return super().recv(buflen, flags)

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]
        with self._watched():
            return super().send(data, flags)

    def _watched(self) -> Lock:
        if self.inside.locked():
            type(self).met = True
            self.may_leave.set()
        return self.inside


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Both ends of a TLS connection: the client's, watched, and the server's."""
    ca_file, serving = own_certificate(tmp_path)
    asking = ssl.create_default_context(cafile=ca_file)
    own = {"inside": Lock(), "is_reading": Event(), "may_leave": Event()}
    asking.sslsocket_class = type("Watched", (WatchedSocket,), own)
    near, far = socket.socketpair()
    with ThreadPoolExecutor(1) as server:
        accepted = server.submit(serving.wrap_socket, far, server_side=True)
        client = asking.wrap_socket(near, server_hostname="127.0.0.1")
        with client, closing(accepted.result(PATIENCE_S)) as other:
            yield client, other


def test_a_write_waits_until_a_read_is_over_and_not_until_something_was_read(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket],
) -> None:
    client, server = ends
    line = TlsSocket(client)
    watched = type(client)
    assert issubclass(watched, WatchedSocket)
    with ThreadPoolExecutor(2) as threads, closing(server):
        # The session tickets have come: there is something to read, and nothing for the reader.
        reading = threads.submit(line.recv, 100)
        assert watched.is_reading.wait(PATIENCE_S)
        writing = threads.submit(line.sendall, b"a frame")
        with pytest.raises(TimeoutError):
            writing.result(0.1)
        watched.may_leave.set()

        writing.result(PATIENCE_S)
        assert server.recv(100) == b"a frame"
        assert not reading.done()
        server.sendall(b"another")
        assert reading.result(PATIENCE_S) == b"another"
    assert not watched.met


def test_more_than_the_other_side_takes_is_sent_in_full(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket],
) -> None:
    client, server = ends
    line = TlsSocket(client)
    content = bytes(range(256)) * 8192
    with ThreadPoolExecutor(1) as threads, closing(server):
        writing = threads.submit(line.sendall, content)
        received = bytearray()
        while len(received) < len(content):
            received += server.recv(65536)
        writing.result(PATIENCE_S)

    assert received == content


def test_a_write_ends_when_the_other_side_takes_nothing_for_its_time(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket],
) -> None:
    line = TlsSocket(ends[0])
    line.settimeout(0.05)

    with pytest.raises(TimeoutError):
        line.sendall(bytes(8 * 1024 * 1024))


def test_who_waits_for_a_frame_waits_no_more_when_it_is_closed(
    ends: tuple[ssl.SSLSocket, ssl.SSLSocket],
) -> None:
    client, server = ends
    line = TlsSocket(client)
    watched = type(client)
    assert issubclass(watched, WatchedSocket)
    watched.may_leave.set()
    with ThreadPoolExecutor(1) as threads, closing(server):
        reading = threads.submit(line.recv, 100)
        with pytest.raises(TimeoutError):
            reading.result(0.1)
        line.close()

        wait([reading], PATIENCE_S)
        assert reading.done()
