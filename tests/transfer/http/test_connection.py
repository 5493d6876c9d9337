"""Bodies that are read from the socket: over connections that stay open, plain and with TLS."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import xxhash

from sidecar.clock import SystemClock
from sidecar.domain.transfers.failures import FailureClass
from sidecar.errors import Stopped
from sidecar.transfer.bandwidth import Bandwidth
from sidecar.transfer.http.answer import BUFFER
from sidecar.transfer.http.engine import HttpEngine
from sidecar.transfer.timeouts import Timeouts
from tests.fakes.servers.certificates import own_certificate
from tests.fakes.servers.fault_server import FaultServer, after, silent_after
from tests.faults.behaviours import chunked, instead, raw
from tests.transfer.conftest import IMPATIENT, Memory, PlainPart, Try

LARGE = random.Random(3).randbytes(5 * BUFFER // 2)
HALF = len(LARGE) // 2
LONG_TIMEOUTS = Timeouts(connect=5, read=30)


@pytest.fixture(params=["plain", "TLS"])
def attempt(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Try]:
    trusted, context = own_certificate(tmp_path)
    tls = context if request.param == "TLS" else None
    with FaultServer(LARGE, stays_open=True, tls=tls) as server:
        engine = HttpEngine(SystemClock(), timeouts=LONG_TIMEOUTS, ca_file=trusted)
        yield Try(server, PlainPart(tmp_path / "1.part"), engine, known_size=len(LARGE))


def test_files_come_whole_one_after_another_over_one_connection(attempt: Try) -> None:
    for number in range(3):
        attempt.part, attempt.memory = PlainPart(attempt.part.path.with_name(f"{number}")), Memory()

        receipt = attempt()

        assert attempt.content() == LARGE
        assert receipt.content_hash == xxhash.xxh3_128_hexdigest(LARGE)
    assert attempt.server.connections == 1


def test_large_buffers_are_counted_once(attempt: Try) -> None:
    attempt()

    # Records of 16 KiB would be counted 160 times; how many come at once is the machine's affair.
    assert len(attempt.memory.moves) < 80
    assert attempt.memory.moves[-1] == len(LARGE)


def test_what_came_before_a_break_is_kept_and_gone_on_with(attempt: Try) -> None:
    attempt.server.script.append(after(HALF))

    assert attempt.fails().kind is FailureClass.TRANSIENT
    assert attempt.memory.held == HALF

    attempt()
    assert attempt.content() == LARGE


def test_what_came_before_a_silence_moves_on_and_a_stop_does_not_wait_for_more(
    attempt: Try,
) -> None:
    def stop(held: int) -> None:
        if held == HALF:
            attempt.stop.set()

    attempt.server.script.append(silent_after(HALF))
    attempt.memory.on_move = stop

    with pytest.raises(Stopped):
        attempt()

    assert attempt.memory.held == HALF


def test_a_silent_server_is_noticed(attempt: Try) -> None:
    ca_file = attempt.part.path.with_name("own.pem")
    attempt.engine = HttpEngine(SystemClock(), timeouts=IMPATIENT, ca_file=ca_file)
    attempt.server.script.append(silent_after(HALF))

    assert attempt.fails().code == "silent"
    assert attempt.memory.held == HALF


def test_with_a_limit_only_small_blocks_are_read(attempt: Try) -> None:
    limit = 20_000_000.0
    bandwidth = Bandwidth(SystemClock(), lambda _device: (limit, None))
    ca_file = attempt.part.path.with_name("own.pem")
    attempt.engine = HttpEngine(SystemClock(), ca_file=ca_file, bandwidth=bandwidth)

    attempt()

    assert attempt.content() == LARGE
    moves = [0, *attempt.memory.moves]
    # What may be read in 50 ms.
    assert max(b - a for a, b in pairwise(moves)) <= limit * 0.05


def test_a_body_that_ends_before_an_absurd_length_is_not_whole(attempt: Try) -> None:
    attempt.server.script.append(instead(Content_Length=2**63))

    assert attempt.fails().code == "short-body"


def test_a_request_that_nobody_answers_is_not_sent_again(attempt: Try) -> None:
    attempt()
    attempt.server.script.append(lambda _server, _asked, _connection: None)
    attempt.memory = Memory()

    assert attempt.fails().code == "reset"
    assert len(attempt.server.requests) == 2


def test_a_head_without_an_end_is_given_up(attempt: Try) -> None:
    field = b"X: " + b"y" * 60_000 + b"\r\n"
    lines = b"HTTP/1.1 200 OK\r\n" + field * 2 * (BUFFER // len(field))
    attempt.server.script.append(raw(lines))

    assert attempt.fails().code == "odd-answer"


def test_lines_to_two_servers_are_kept_apart(attempt: Try) -> None:
    with FaultServer(LARGE[:100], stays_open=True) as other:
        first, attempt.known_size = attempt.server, None
        for server in (first, other, first):
            attempt.server, attempt.memory = server, Memory()
            attempt()
            assert attempt.content() == server.body

        assert first.connections == 2


def test_a_body_of_chunks_that_is_larger_than_the_buffer_comes_whole(attempt: Try) -> None:
    attempt.server.script.append(chunked(last=b"0\r\n\r\n", count=len(LARGE)))

    assert attempt().content_hash == xxhash.xxh3_128_hexdigest(LARGE)
