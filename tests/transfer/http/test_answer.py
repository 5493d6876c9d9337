"""How much of a body comes at a time, and after which answers the connection is used again."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, cast

import pytest
import urllib3.exceptions
from urllib3.connection import HTTPSConnection

from sidecar.clock import Clock, SystemClock
from sidecar.transfer.http.answer import BUFFER, Answer
from sidecar.transfer.http.line import Line
from tests.fakes.servers.certificates import own_certificate
from tests.patience import PATIENCE_S
from tests.transfer.http.given import REQUEST, Given, ask, given_line

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BODY = b"0123456789"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"
PART = b"HTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\n0"


def is_kept(line: Line) -> bool:
    return line._connection.sock is not None


def read(line: Line, theirs: socket.socket, *pieces: bytes) -> bytes:
    with ask(line, theirs, *pieces) as answer:
        body = b""
        while block := answer.fill(100):
            body += block
    return body


class Fast(SystemClock):
    """A clock that goes on by a quarter of the longest silence whenever it is looked at."""

    def __init__(self) -> None:
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.looks * PATIENCE_S / 4


def test_a_head_that_comes_bit_by_bit_is_given_up() -> None:
    bits = [HEAD[number : number + 1] for number in range(len(HEAD))]

    with given_line(socket.SOCK_SEQPACKET) as (line, theirs), pytest.raises(TimeoutError):
        ask(line, theirs, *bits, clock=Fast())

    with given_line(socket.SOCK_SEQPACKET) as (line, theirs), ask(line, theirs, *bits) as answer:
        assert answer.status == 200


def test_a_body_without_a_length_may_take_longer_than_its_head() -> None:
    head = b"HTTP/1.0 200 OK\r\n\r\n"
    bits = [BODY[number : number + 1] for number in range(len(BODY))]

    body = b""
    with (
        given_line(socket.SOCK_SEQPACKET) as (line, theirs),
        ask(line, theirs, head, *bits, is_end=True, clock=Fast()) as answer,
    ):
        while block := bytes(answer.fill(100)):
            body += block

    assert body == BODY


@pytest.mark.parametrize("most", [1, 3, 4, 10, 100])
def test_no_more_than_is_wanted_comes_at_a_time_and_all_of_it(most: int) -> None:
    blocks = []
    with given_line() as (line, theirs), ask(line, theirs, HEAD + BODY[:4]) as answer:
        theirs.sendall(BODY[4:])
        while block := answer.fill(most):
            blocks.append(bytes(block))

    assert b"".join(blocks) == BODY
    assert max(len(block) for block in blocks) == min(most, len(BODY))


def test_of_chunks_no_more_than_is_wanted_comes_at_a_time() -> None:
    with given_line() as (line, theirs), ask(line, theirs, CHUNKED) as answer:
        assert [bytes(answer.fill(6)) for _ in range(3)] == [BODY[:6], BODY[6:], b""]


@pytest.mark.parametrize("told", [HEAD + BODY, CHUNKED, PART])
def test_the_connection_is_used_again_after_an_answer_that_was_read_to_its_end(
    told: bytes,
) -> None:
    with given_line() as (line, theirs):
        first = read(line, theirs, told)
        # There is no second connection that it could make.
        line.send(b"")

        assert first in BODY
        assert is_kept(line)


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_connection_that_was_closed_or_on_which_something_came_is_not_used_again(
    is_closed: bool,
) -> None:
    ours, new = socket.socketpair()
    with ours, new, given_line() as (line, theirs):
        read(line, theirs, HEAD + BODY)
        if is_closed:
            theirs.close()
        else:
            theirs.sendall(b"?")
        cast("Given", line._connection).given.append(ours)

        line.send(REQUEST)

        assert new.recv(100) == REQUEST


def test_what_came_beyond_an_answer_in_one_record_of_tls_is_not_taken_for_the_next(
    tmp_path: Path,
) -> None:
    trusted, context = own_certificate(tmp_path)

    def answer_twice() -> None:
        for _ in range(2):
            with context.wrap_socket(listening.accept()[0], server_side=True) as theirs:
                theirs.recv(10_000)
                theirs.sendall(HEAD)
                theirs.sendall(BODY + HEAD + BODY[::-1])
                theirs.recv(10_000)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Thread(target=answer_twice)
        server.start()
        port = listening.getsockname()[1]
        connection = HTTPSConnection("127.0.0.1", port, ca_certs=str(trusted), timeout=PATIENCE_S)
        line = Line(f"https://127.0.0.1:{port}/", connection, PATIENCE_S, Lock())
        buffer = memoryview(bytearray(BUFFER))
        for _ in range(2):
            line.send(REQUEST)
            with Answer(line, buffer, SystemClock(), PATIENCE_S, Event()) as answer:
                assert bytes(answer.fill(100)) == BODY
        line.close()
        server.join(PATIENCE_S)
        assert not server.is_alive()


def test_it_is_also_used_again_if_all_came_and_nobody_looked_at_it() -> None:
    with given_line() as (line, theirs):
        with ask(line, theirs, PART):
            pass

        assert is_kept(line)


@pytest.mark.parametrize(
    "told",
    [
        HEAD + BODY + b"HTTP/1.1 200 OK\r\n",
        HEAD.replace(b"200", b"103") + BODY,
        HEAD.replace(b"200", b"404") + BODY,
        HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + BODY,
        HEAD.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + BODY,
    ],
    ids=["more", "early", "refused", "old", "last"],
)
def test_after_others_it_is_closed(told: bytes) -> None:
    with given_line() as (line, theirs):
        read(line, theirs, told)

        assert not is_kept(line)


@pytest.mark.parametrize("told", [HEAD + BODY, CHUNKED])
def test_it_is_closed_if_something_is_still_to_come(told: bytes) -> None:
    with given_line() as (line, theirs):
        with ask(line, theirs, told[:-3]) as answer:
            answer.fill(2)

        assert not is_kept(line)


def test_what_came_before_the_server_closed_the_connection_is_read() -> None:
    with given_line() as (line, theirs):
        theirs.sendall(HEAD + BODY)
        theirs.close()

        # The request cannot be sent any more.
        assert read(line, theirs) == BODY


class HalfRecords(socket.socket):
    """What TLS makes of a record that comes byte by byte: nothing, until all of it has come."""

    is_within = False

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        if not self.is_within:
            return super().recv_into(buffer, nbytes, flags)
        super().recv(1)
        raise ssl.SSLWantReadError


@contextmanager
def half_a_record(clock: Clock, stop: Event) -> Iterator[tuple[Answer, HalfRecords]]:
    """Yield an answer of whose body a record comes byte by byte, and the end that sends it."""
    with given_line() as (line, theirs):
        [plain] = cast("Given", line._connection).given
        with HalfRecords(plain.family, plain.type, fileno=plain.detach()) as ours:
            cast("Given", line._connection).given[:] = [ours]
            theirs.sendall(HEAD)
            line.send(REQUEST)
            answer = Answer(line, memoryview(bytearray(BUFFER)), clock, PATIENCE_S, stop)
            ours.is_within = True
            theirs.sendall(bytes(100))
            yield answer, ours


def test_a_stop_does_not_wait_for_a_record_that_comes_byte_by_byte() -> None:
    stop = Event()
    with half_a_record(SystemClock(), stop) as (answer, ours):
        stop.set()

        assert not answer.fill(10)

        ours.is_within = False
        assert len(ours.recv(100)) == 99


def test_a_record_that_comes_byte_by_byte_is_given_up() -> None:
    with half_a_record(Fast(), Event()) as (answer, ours):
        with pytest.raises(urllib3.exceptions.TimeoutError):
            answer.fill(10)

        ours.is_within = False
        assert len(ours.recv(100)) > 50
