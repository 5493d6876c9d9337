"""How long a person's request waits for Jellyfin, and how many wait at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event

import pytest
import requests

from sidecar.bounded_http import at_most, open_session
from sidecar.errors import ServerAway
from sidecar.jellyfin.http import wait_limit
from sidecar.jellyfin.http.wait_limit import BUSY_FOR_S, WaitLimit
from sidecar.process.shares import Shares
from tests.fakes.servers.once import answering_once

WITHIN_S = 0.3
# So long that the bound alone can have ended a request.
READ_TIMEOUT_S = 3600.0


@contextmanager
def bounded(one: WaitLimit) -> Iterator[None]:
    end = wait_limit.begin(one)
    try:
        yield
    finally:
        end()


@pytest.fixture
def dripping() -> Iterator[str]:
    """Return the address of a server whose one answer never ends, and never pauses for long."""

    def drip(line: socket.socket, over: Event) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not over.wait(0.02):
            line.sendall(b" ")

    with answering_once(drip) as url:
        yield url


def test_an_account_and_all_together_have_a_share_that_is_given_back() -> None:
    shares = Shares(2, 1)
    ann, again, ben, eve = (WaitLimit(shares, one, nullcontext) for one in ("a", "a", "b", "e"))

    with ann.waiting():
        with pytest.raises(ServerAway, match="many wait for it") as refused, again.waiting():
            pass
        with ben.waiting(), pytest.raises(ServerAway), eve.waiting():
            pass
        with eve.waiting():
            pass
    with again.waiting():
        pass

    assert refused.value.retry_after_s == BUSY_FOR_S


def test_a_worker_rests_while_it_waits_and_only_then() -> None:
    told = list[str]()

    @contextmanager
    def resting() -> Iterator[None]:
        told.append("rests")
        yield
        told.append("works")

    with bounded(WaitLimit(Shares(1, 1), "ann", resting)):
        told.append("asks")
        with wait_limit.waiting():
            told.append("waits")
    with wait_limit.waiting():
        told.append("background")

    assert told == ["asks", "rests", "waits", "works", "background"]


def test_the_time_is_for_all_that_a_request_asks_together() -> None:
    one = WaitLimit(Shares(9, 9), "ann", nullcontext, within_s=0.0)
    with bounded(one):
        with wait_limit.waiting():
            pass
        with wait_limit.waiting(), pytest.raises(TimeoutError):
            at_most(10.0)

    assert at_most(10.0) == 10.0


def test_an_answer_that_drips_is_cut_off_in_time(dripping: str) -> None:
    began = time.monotonic()
    with open_session() as session:
        one = WaitLimit(Shares(1, 1), "ann", nullcontext, within_s=WITHIN_S)
        with (
            bounded(one),
            wait_limit.waiting(),
            pytest.raises(requests.RequestException, match="timed out"),
        ):
            session.get(dripping, timeout=READ_TIMEOUT_S)

    assert time.monotonic() - began >= WITHIN_S
