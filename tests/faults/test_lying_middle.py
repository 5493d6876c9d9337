"""A middle that lies as it likes: what is called complete is one version of the server's file.

Each answer is drawn: its status, which version its bytes are of, from where, how long it says the
body and the file are, when it says that was changed, and where the line breaks. Attempts follow one
another as a worker makes them, under whatever the last scan said; what is of another length than
scanned counts only if a look into it shows a version's end.

Left out is what nothing here can notice (`domain.transfers.response` says so): a middle that
invents bytes, or that cuts a file to exactly the length of the last scan.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from sidecar.clock import SystemClock
from sidecar.domain.transfers.failures import FailureClass, TransferFailed
from sidecar.domain.transfers.response import OVERLAP, is_believed
from sidecar.domain.transfers.wholeness import Verdict
from sidecar.transfer.http.engine import HttpEngine
from tests.fakes.servers.fault_server import LATER, MODIFIED, Asked, Behaviour, FaultServer
from tests.transfer.conftest import TIMEOUTS, PlainPart, Try

# Their lengths are no round numbers, so that no two of them differ by one that is drawn.
OLD = random.Random(11).randbytes(2 * OVERLAP + 4_211)
SAME_LENGTH = random.Random(12).randbytes(len(OLD))
LONGER = random.Random(13).randbytes(3 * OVERLAP + 977)
SHORTER = random.Random(14).randbytes(OVERLAP + 1_733)
VERSIONS = (OLD, SAME_LENGTH, LONGER, SHORTER)
ATTEMPTS = 6
UNTOLD = -1


@dataclass(frozen=True)
class Lie:
    """One answer.

    Attributes:
        version: Whose bytes it sends.
        status: 206 is sent as 200 where no part was asked for, except if `unasked`.
        shift: From which byte: added to what was asked for; None is the beginning.
        told: Added to the first byte that the `Content-Range` tells.
        total: The file's length that it tells; None is the version's.
        length: The body's length that it tells; None is the true one, `UNTOLD` is none.
        breaks_after: Bytes of the body after which the line breaks.
    """

    version: bytes
    status: int
    shift: int | None
    told: int
    total: int | None
    length: int | None
    modified: str | None
    breaks_after: int | None

    def behave(self, server: FaultServer, asked: Asked, connection: socket.socket) -> None:
        start = asked.start or 0
        status = self.status if asked.start is not None or self.status != 206 else 200
        first = 0 if self.shift is None or status == 200 else max(0, start + self.shift)
        body = self.version[first:]
        if asked.headers.get("range", "").endswith("-0") and status == 206:
            body = body[:1]
        total = len(self.version) if self.total is None else self.total
        length = len(body) if self.length is None else self.length
        told_length = None if self.length == UNTOLD and status == 200 else abs(length)
        headers = {**server.file_headers(told_length), "Last-Modified": self.modified}
        if status == 206:
            told = start + self.told
            size = abs(length) if asked.headers["range"].endswith("-0") else total - told
            headers["Content-Range"] = f"bytes {told}-{max(told, told + size - 1)}/{total}"
            headers["Content-Length"] = max(1, size)
        elif status == 416:
            headers |= {"Content-Range": f"bytes */{total}", "Content-Length": 0}
            body = b""
        elif status != 200:
            headers["Content-Length"], body = 0, b""
        connection.sendall(server.head(status, headers) + body[: self.breaks_after])


# None is the length of a version, or what a scan may say.
ODD = st.sampled_from((0, 1, 777, OVERLAP, OVERLAP + 4_099))
LIES = st.builds(
    Lie,
    version=st.sampled_from(VERSIONS),
    status=st.sampled_from((200, 200, 206, 206, 206, 206, 404, 412, 416)),
    shift=st.sampled_from((0, 0, 0, 1, -1, None)),
    told=st.sampled_from((0, 0, 0, 1)),
    total=st.none() | st.none() | st.sampled_from([len(one) for one in VERSIONS]) | ODD,
    length=st.none() | st.none() | ODD | st.just(UNTOLD),
    modified=st.sampled_from((MODIFIED, MODIFIED, MODIFIED, LATER, None)),
    breaks_after=st.none() | st.integers(0, len(LONGER)),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    scanned=st.sampled_from([*(len(one) for one in VERSIONS), 12_345, None]),
    lies=st.lists(LIES, min_size=1, max_size=2 * ATTEMPTS),
)
@example(scanned=len(OLD), lies=[Lie(OLD, 200, 0, 0, None, 0, MODIFIED, None)])
@example(scanned=len(OLD), lies=[Lie(OLD, 200, 0, 0, 777, 777, MODIFIED, None)] * 2)
@example(
    scanned=len(OLD),
    lies=[
        Lie(OLD, 200, 0, 0, None, 777, MODIFIED, None),
        Lie(OLD, 206, 0, 0, 777, None, MODIFIED, None),
    ],
)
@example(
    scanned=len(OLD),
    lies=[
        Lie(OLD, 200, 0, 0, None, OVERLAP + 4_099, MODIFIED, None),
        Lie(OLD, 200, 0, 0, None, OVERLAP + 4_099, MODIFIED, None),
    ],
)
@example(
    scanned=len(OLD),
    lies=[
        Lie(OLD, 200, 0, 0, None, None, MODIFIED, OVERLAP + 5_000),
        Lie(OLD, 206, None, 0, len(OLD), None, MODIFIED, None),
    ],
)
@example(
    scanned=len(OLD),
    lies=[
        Lie(OLD, 200, 0, 0, None, None, MODIFIED, OVERLAP + 5_000),
        Lie(SAME_LENGTH, 206, 0, 0, None, None, MODIFIED, None),
    ],
)
def test_what_is_called_complete_is_one_version(scanned: int | None, lies: list[Lie]) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(FaultServer(OLD))
        folder = stack.enter_context(TemporaryDirectory())
        server.script += [_behaviour(one) for one in lies]
        engine = HttpEngine(SystemClock(), timeouts=TIMEOUTS)
        attempt = Try(server, PlainPart(Path(folder) / "1.part"), engine, known_size=scanned)

        ended = _worked(attempt)

    event("complete" if ended is not None else "not complete")
    assert ended is None or ended in VERSIONS


def _behaviour(lie: Lie) -> Behaviour:
    behave: Callable[[FaultServer, Asked, socket.socket], None] = lie.behave
    return behave


def _worked(attempt: Try) -> bytes | None:
    """Make attempts as a worker does; return what is called complete, if anything is."""
    for _ in range(ATTEMPTS):
        try:
            receipt = attempt()
        except TransferFailed as failed:
            if failed.failure.kind is FailureClass.CHANGED:
                attempt.memory.validator, attempt.memory.held = None, 0
            continue
        content = attempt.content()
        if not receipt.is_unlike_scan:
            return content
        verdict = Verdict.WHOLE if content in VERSIONS else Verdict.CUT
        if is_believed(verdict, receipt.size, attempt.known_size):
            return content
    return None
