from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from sidecar.transfer.aria2.relay import ARIA2_BLOCK, Relay
from tests.patience import PATIENCE_S

BODY = os.urandom(3 * ARIA2_BLOCK)


@pytest.fixture
def part(tmp_path: Path) -> Iterator[int]:
    file = tmp_path / "1.part"
    file.write_bytes(BODY[: ARIA2_BLOCK + 100])
    descriptor = os.open(file, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def ask(relay: Relay, path: str | None = None, *more: str) -> socket.socket:
    where = urlsplit(relay.url)
    line = socket.create_connection((where.hostname, where.port or 0), timeout=PATIENCE_S)
    head = [f"GET {path or where.path} HTTP/1.1", "Host: x", *more, "", ""]
    line.sendall("\r\n".join(head).encode())
    return line


def rest_of(line: socket.socket) -> tuple[str, bytes]:
    with line:
        told = b""
        with suppress(ConnectionResetError):
            while block := line.recv(65536):
                told += block
    head, _, body = told.partition(b"\r\n\r\n")
    return head.decode(), body


def never() -> None:
    """Nothing ends the wait."""


def at_once() -> None:
    raise InterruptedError


def test_what_is_held_is_not_sent_but_for_the_rest_of_a_block(part: int) -> None:
    held = ARIA2_BLOCK + 100
    relay = Relay(part, held=held, total=len(BODY))
    whole = ask(relay)
    rest = ask(relay, None, f"Range: bytes={ARIA2_BLOCK}-")

    relay.await_aria2(never)
    relay.send(BODY[held:], never)
    relay.close()

    head, body = rest_of(rest)
    assert f"Content-Range: bytes {ARIA2_BLOCK}-{len(BODY) - 1}/{len(BODY)}" in head
    assert body == BODY[ARIA2_BLOCK:]
    head, body = rest_of(whole)
    assert f"Content-Length: {len(BODY)}" in head
    assert body == b""


def test_who_guesses_the_address_gets_nothing(part: int) -> None:
    relay = Relay(part, held=0, total=len(BODY))
    stranger = ask(relay, "/guessed")
    hearing = Thread(target=lambda: told.append(rest_of(stranger)))
    told: list[tuple[str, bytes]] = []
    hearing.start()
    calls: list[int] = []

    def a_while() -> None:
        calls.append(1)
        if len(calls) > 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        relay.await_aria2(a_while)
    hearing.join(PATIENCE_S)

    assert told == [("", b"")]
    relay.close()


def test_it_listens_on_loopback_under_256_random_bits(part: int) -> None:
    first, second = (Relay(part, held=0, total=1) for _ in range(2))

    for relay in (first, second):
        assert urlsplit(relay.url).hostname == "127.0.0.1"
        assert len(urlsplit(relay.url).path) > 256 / 6
        relay.close()
    assert urlsplit(first.url).path != urlsplit(second.url).path


def test_a_reader_that_reads_nothing_does_not_hold_up_a_stop(part: int) -> None:
    relay = Relay(part, held=0, total=None)
    with ask(relay):
        relay.await_aria2(never)
        with pytest.raises(InterruptedError):
            relay.send(bytes(64 * 1024 * 1024), at_once)
    relay.close()


def test_a_reader_that_wants_more_than_there_is_is_told_no(part: int) -> None:
    relay = Relay(part, held=100, total=len(BODY))
    with ask(relay, None, "Range: bytes=101-"), pytest.raises(BrokenPipeError):
        relay.await_aria2(never)
    relay.close()
