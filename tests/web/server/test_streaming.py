from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from sidecar.errors import ServerAway
from sidecar.web.server import FileBody, OpenResponses, ProxyBody
from tests.patience import PATIENCE_S

BODY = bytes(range(256)) * 5000


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def body_of(path: Path, start: int, length: int, closed: Event) -> FileBody:
    file = path.open("rb", buffering=0)

    def close() -> None:
        file.close()
        closed.set()

    return FileBody(file, start=start, length=length, close=close)


def all_of(connection: socket.socket) -> bytes:
    found = bytearray()
    while block := connection.recv(65536):
        found += block
    return bytes(found)


@pytest.mark.parametrize(("start", "length"), [(0, len(BODY)), (7, 100_000), (0, 0)])
def test_a_part_of_a_file_leaves_as_it_is(
    tmp_path: Path, line: tuple[socket.socket, socket.socket], start: int, length: int
) -> None:
    (tmp_path / "f").write_bytes(BODY)
    ours, theirs = line
    body = body_of(tmp_path / "f", start, length, Event())

    def send() -> None:
        OpenResponses().send(body, ours, ours.sendall)
        ours.shutdown(socket.SHUT_WR)

    sender = Thread(target=send)
    sender.start()
    found = all_of(theirs)
    sender.join(PATIENCE_S)

    assert found == b"".join(body) == BODY[start : start + length]
    body.close()


def test_a_file_that_became_shorter_is_cut_off(
    tmp_path: Path, line: tuple[socket.socket, socket.socket]
) -> None:
    (tmp_path / "f").write_bytes(BODY[:1000])
    body = body_of(tmp_path / "f", 0, 2000, Event())

    with pytest.raises(ConnectionAbortedError, match="shorter"):
        OpenResponses().send(body, line[0], line[0].sendall)
    with pytest.raises(ConnectionAbortedError, match="shorter"):
        list(body)
    body.close()


def test_what_breaks_off_elsewhere_is_cut_off_here() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"some"
        raise ServerAway("Jellyfin broke off")

    body = ProxyBody(blocks(), abort=lambda: None, close=lambda: None)

    coming = iter(body)
    assert next(coming) == b"some"
    with pytest.raises(ConnectionAbortedError, match="broke off"):
        next(coming)


def test_nobody_is_waited_for_when_the_server_stops(
    tmp_path: Path, line: tuple[socket.socket, socket.socket]
) -> None:
    (tmp_path / "f").write_bytes(BODY * 4)
    closed, told, aborted = Event(), Event(), Event()
    answers = OpenResponses()

    def waits() -> Iterator[bytes]:
        told.set()
        assert aborted.wait(PATIENCE_S)
        yield from ()

    relay = ProxyBody(waits(), abort=aborted.set, close=lambda: None)
    stalled = body_of(tmp_path / "f", 0, 4 * len(BODY), closed)

    def send_file() -> None:
        with pytest.raises(OSError, match=r".*"):
            answers.send(stalled, line[0], line[0].sendall)
        stalled.close()

    other, end = socket.socketpair()
    senders = [
        Thread(target=send_file),
        Thread(target=lambda: answers.send(relay, other, other.sendall)),
    ]
    for one in senders:
        one.start()
    assert told.wait(PATIENCE_S)
    assert line[1].recv(1) == BODY[:1]

    answers.hang_up()

    for one in senders:
        one.join(PATIENCE_S)
        assert not one.is_alive()
    assert closed.is_set()
    with pytest.raises(ConnectionAbortedError, match="stops"):
        answers.send(relay, other, other.sendall)
    other.close()
    end.close()


def test_it_lets_go_once(tmp_path: Path) -> None:
    count: list[int] = []
    relay = ProxyBody(iter(()), abort=lambda: None, close=lambda: count.append(1))

    relay.close()
    relay.close()

    assert count == [1]
