from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from sidecar.errors import ServerAway, UnexpectedAnswer
from sidecar.jellyfin.address import Address
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.http.connection import JellyfinConnection
from sidecar.jellyfin.live.websocket import open_connection
from tests.fakes.servers.certificates import own_certificate
from tests.fakes.servers.live import LiveServer, live_server
from tests.jellyfin.recorded import reply
from tests.patience import PATIENCE_S

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nHealthy"


@contextmanager
def impatient(drops: int) -> Iterator[tuple[str, list[bytes]]]:
    """A server that keeps a connection open and drops it when the next request has come.

    The first request of all is answered; of those after it, `drops` meet a dropped connection.
    """
    requests: list[bytes] = []
    peers: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        dropped = -1
        while True:
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            with peer:
                peers.append(peer)
                while received := _request(peer):
                    requests.append(received)
                    if 0 <= dropped < drops:
                        dropped += 1
                        break
                    dropped = max(dropped, 0)
                    peer.sendall(ANSWER)

    thread = Thread(target=serve, name="impatient")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        for one in (listener, *peers):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE_S)


def _request(peer: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        try:
            part = peer.recv(65536)
        except OSError:
            return b""
        if not part:
            return b""
        received += part
    return received


def connection(url: str, ca_file: Path | None = None) -> JellyfinConnection:
    identity = DeviceIdentity(device_id="sc-1", version="1")
    return JellyfinConnection(Address.of(url), identity=identity, ca_file=ca_file)


def test_a_get_that_met_a_connection_just_closed_is_asked_once_more() -> None:
    with impatient(drops=1) as (url, requests):
        asking = connection(url)
        assert asking.get("health").body == b"Healthy"

        assert asking.get("health").body == b"Healthy"
        asking.close()

    assert len(requests) == 3


def test_it_is_not_asked_for_ever() -> None:
    with impatient(drops=2) as (url, requests):
        asking = connection(url)
        asking.get("health")

        with pytest.raises(ServerAway):
            asking.get("health")
        asking.close()

    assert len(requests) == 3


def test_what_could_act_twice_is_never_sent_twice() -> None:
    with impatient(drops=1) as (url, requests):
        asking = connection(url)
        asking.get("health")

        with pytest.raises(ServerAway):
            asking.send("POST", "Users", "AuthenticateByName", body={"Username": "ann", "Pw": "x"})
        asking.close()

    assert [one.partition(b" ")[0] for one in requests] == [b"GET", b"POST"]


@contextmanager
def plain_text_at_https() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            for _ in range(2):
                with listener.accept()[0] as peer:
                    peer.recv(1024)
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = Thread(target=serve, name="plain")
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(PATIENCE_S)


def test_a_secure_address_that_speaks_plainly_is_told_as_such() -> None:
    with plain_text_at_https() as url:
        asking = connection(url)

        with pytest.raises(UnexpectedAnswer, match="speaks http, not https"):
            asking.get("health")
        with pytest.raises(UnexpectedAnswer, match="speaks http, not https"):
            open_connection(asking)


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_certificates_that_cannot_be_used_are_told_by_both_ways(
    tmp_path: Path, content: str | None
) -> None:
    ca_file = tmp_path / "own.pem"
    if content is not None:
        ca_file.write_text(content)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        asking = connection(f"https://127.0.0.1:{listener.getsockname()[1]}", ca_file)

        with pytest.raises(UnexpectedAnswer, match="ca_file"):
            asking.get("health")
        with pytest.raises(UnexpectedAnswer, match="ca_file"):
            open_connection(asking)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[LiveServer, Path]]:
    ca_file, context = own_certificate(tmp_path)
    with live_server(tls=context) as server:
        server.answers["/Users/Me"] = reply("12.0", "me")
        yield server, ca_file


def client_of(server: LiveServer, ca_file: Path | None) -> Jellyfin:
    identity = DeviceIdentity(device_id="sc-1", version="1")
    return Jellyfin(server.url, identity=identity, token=SecretStr("t"), ca_file=ca_file)


def test_a_named_authority_is_trusted_by_both_ways(secure: tuple[LiveServer, Path]) -> None:
    server, ca_file = secure
    client = client_of(server, ca_file)

    assert client.me().name == "ann"
    line = open_connection(client.connection)
    assert line.receive(PATIENCE_S) is not None
    line.close()


def test_an_unknown_authority_is_refused_before_the_token_is_sent(
    secure: tuple[LiveServer, Path],
) -> None:
    server, _ = secure
    client = client_of(server, None)

    with pytest.raises(UnexpectedAnswer, match="no trusted secure connection"):
        client.me()
    with pytest.raises(UnexpectedAnswer, match="no trusted secure connection"):
        open_connection(client.connection)

    assert server.openings == []
