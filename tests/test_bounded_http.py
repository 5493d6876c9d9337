from __future__ import annotations

import socket
from threading import Event

import pytest
import requests

from sidecar.bounded_http import LARGEST_HEAD_BYTES, open_session
from tests.fakes.servers.once import answering_once
from tests.patience import PATIENCE_S

TIMEOUT_S = 0.3
# More than the timeout allows for a head, each long before the timeout for a read.
DRIPS, PAUSE_S = 100, 0.05


def test_a_head_that_drips_is_waited_for_no_longer_than_one_that_does_not_come() -> None:
    def drip(line: socket.socket, over: Event) -> None:
        line.sendall(b"HTTP/1.1 204 No Content\r\nX-Slow: ")
        for _ in range(DRIPS):
            line.sendall(b".")
            if over.wait(PAUSE_S):
                return
        line.sendall(b"\r\n\r\n")

    with (
        answering_once(drip) as url,
        open_session() as session,
        pytest.raises(requests.Timeout),
    ):
        session.get(url, timeout=TIMEOUT_S)


def test_the_timeout_of_a_body_is_for_each_read_and_not_what_the_head_has_left() -> None:
    def pause(line: socket.socket, over: Event) -> None:
        over.wait(0.8)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        over.wait(0.8)
        line.sendall(b"b")

    with answering_once(pause) as url, open_session() as session:
        assert session.get(url, timeout=1.4).content == b"ab"


def test_a_head_without_an_end_is_not_taken() -> None:
    def flood(line: socket.socket, over: Event) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(90):
            line.sendall(b"X-%d: " % number + b"." * 1024 + b"\r\n")
        line.sendall(b"\r\n")
        over.wait(PATIENCE_S)

    assert LARGEST_HEAD_BYTES < 90 * 1024
    with (
        answering_once(flood) as url,
        open_session() as session,
        pytest.raises(requests.ConnectionError),
    ):
        session.get(url, timeout=PATIENCE_S)
