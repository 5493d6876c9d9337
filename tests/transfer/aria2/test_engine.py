"""What only the aria2 engine can meet; the rest is in `test_http`, which runs over both engines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

import pytest
import requests
import xxhash

from sidecar.clock import SystemClock
from sidecar.domain.transfers.failures import FailureClass
from sidecar.domain.transfers.response import OVERLAP
from sidecar.errors import Stopped
from sidecar.transfer.aria2.codes import judge
from sidecar.transfer.aria2.daemon import ForeignDaemon, OwnDaemon
from sidecar.transfer.aria2.engine import Aria2Engine
from sidecar.transfer.aria2.rpc import Rpc
from sidecar.transfer.aria2.sink import ThroughAria2
from sidecar.transfer.aria2.supervisor import Aria2Supervisor
from sidecar.transfer.http.engine import HttpEngine
from tests.fakes.servers.fault_server import FaultServer, after, says, silent_after
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S
from tests.transfer.conftest import BODY, TIMEOUTS, PlainPart, Try, linked

LONG = BODY * 60


def by_aria2(link: Aria2Supervisor) -> Aria2Engine:
    return Aria2Engine(link, SystemClock(), timeouts=TIMEOUTS)


@pytest.fixture
def rpc(aria2: Aria2Supervisor) -> Rpc:
    return aria2.await_ready(Event(), within_s=PATIENCE_S)


@pytest.fixture
def attempt(server: FaultServer, aria2: Aria2Supervisor, tmp_path: Path) -> Try:
    return Try(server, PlainPart(tmp_path / "1.part"), by_aria2(aria2))


@dataclass
class Once:
    """Does something at the first move and nothing at later ones."""

    work: object
    is_done: bool = False

    def __call__(self, _held: int) -> None:
        if not self.is_done:
            self.is_done = True
            assert callable(self.work)
            self.work()


def test_the_part_is_all_that_aria2_leaves(attempt: Try, aria2: Aria2Supervisor, rpc: Rpc) -> None:
    attempt()

    assert [one.name for one in attempt.part.path.parent.iterdir()] == ["1.part"]
    assert rpc.call("tellStopped", 0, 100) == []
    assert aria2.book.gids() == []


def test_a_control_file_that_lies_is_not_believed(attempt: Try) -> None:
    attempt.part.path.with_name("1.part.aria2").write_bytes(b"\x00\x01" + bytes(100))

    attempt()

    assert attempt.content() == BODY
    assert not attempt.part.path.with_name("1.part.aria2").exists()


@pytest.mark.parametrize("count", [1, 16 * 1024 - 1, 16 * 1024, 123_456, len(BODY) - 1])
def test_each_engine_goes_on_where_the_other_stopped(
    attempt: Try, aria2: Aria2Supervisor, count: int
) -> None:
    built_in = HttpEngine(SystemClock(), timeouts=TIMEOUTS)
    for first, second in ((built_in, by_aria2(aria2)), (by_aria2(aria2), built_in)):
        attempt.memory.held, attempt.memory.validator = 0, None
        attempt.server.script.append(after(count))
        attempt.engine = first
        assert attempt.fails().code in {"short-body", "reset"}
        assert attempt.memory.held == count
        attempt.engine = second

        receipt = attempt()

        assert receipt.fetched == len(BODY) - count + min(count, OVERLAP)
        assert attempt.content() == BODY
        assert receipt.content_hash == xxhash.xxh3_128_hexdigest(BODY)


def test_a_killed_aria2_loses_nothing(server: FaultServer, tmp_path: Path) -> None:
    server.body = LONG
    daemon = OwnDaemon("aria2c")
    with linked(daemon) as link:
        link.await_ready(Event(), within_s=PATIENCE_S)
        attempt = Try(server, PlainPart(tmp_path / "1.part"), by_aria2(link))
        killed = daemon.process_id
        assert killed is not None
        attempt.memory.on_move = Once(lambda: os.kill(killed, signal.SIGKILL))

        failure = attempt.fails()

        assert (failure.kind, failure.code) == (FailureClass.TRANSIENT, "aria2-gone")
        assert attempt.content()[: attempt.memory.held] == LONG[: attempt.memory.held]
        attempt()
        assert attempt.content() == LONG
        assert daemon.process_id != killed


@pytest.mark.parametrize(
    ("methods", "code"),
    [
        (["forceRemove"], "aria2-removed"),
        (["forceRemove", "purgeDownloadResult"], "aria2-removed"),
        (["forcePause"], "aria2-paused"),
    ],
)
def test_what_somebody_takes_out_of_aria2_can_be_retried(
    attempt: Try, aria2: Aria2Supervisor, rpc: Rpc, methods: list[str], code: str
) -> None:
    attempt.server.body = LONG

    def interfere() -> None:
        (gid,) = aria2.book.gids()
        for method in methods:
            rpc.call(method, *([] if method.startswith("purge") else [gid]))

    attempt.memory.on_move = Once(interfere)

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.TRANSIENT, code)
    assert attempt.memory.held < len(LONG)
    attempt()
    assert attempt.content() == LONG
    assert rpc.call("tellWaiting", 0, 100) == []


def test_aria2_never_has_the_token(attempt: Try, aria2: Aria2Supervisor, rpc: Rpc) -> None:
    attempt.server.body = LONG
    told: list[str] = []

    def look() -> None:
        (gid,) = aria2.book.gids()
        told.extend(json.dumps(rpc.call(ask, gid)) for ask in ("getOption", "tellStatus"))
        told.append(json.dumps(rpc.call("getGlobalOption")))

    attempt.memory.on_move = Once(look)

    attempt()

    assert len(told) == 3
    assert not any('secret"' in one or "MediaBrowser" in one for one in told)
    assert attempt.server.url not in "".join(told)


def test_the_token_never_leaves_for_another_host(attempt: Try) -> None:
    with FaultServer(BODY) as elsewhere:
        away = says(302, Location=elsewhere.url)
        attempt.server.script += [away, after(1000), away]

        for expected in (FailureClass.BLOCKED, FailureClass.TRANSIENT, FailureClass.BLOCKED):
            assert attempt.fails().kind is expected

        assert elsewhere.requests == []
    assert len(attempt.server.requests) == 3


def test_a_stop_is_obeyed_soon(attempt: Try) -> None:
    attempt.server.body = LONG
    attempt.server.script.append(silent_after(len(LONG) // 2))
    attempt.memory.on_move = Once(attempt.stop.set)

    # Before it is taken for too slow.
    with pytest.raises(Stopped):
        attempt()

    assert attempt.content() == LONG[: attempt.memory.held]


def test_a_stop_is_obeyed_while_aria2_stands_still(server: FaultServer, tmp_path: Path) -> None:
    server.body = LONG
    daemon = OwnDaemon("aria2c")
    with linked(daemon) as link:
        link.await_ready(Event(), within_s=PATIENCE_S)
        attempt = Try(server, PlainPart(tmp_path / "1.part"), by_aria2(link))
        pid = daemon.process_id
        assert pid is not None

        def freeze() -> None:
            os.kill(pid, signal.SIGSTOP)
            attempt.stop.set()

        attempt.memory.on_move = Once(freeze)
        try:
            # While it stands still: nobody waits for an answer that cannot come.
            with pytest.raises(Stopped):
                attempt()
        finally:
            os.kill(pid, signal.SIGCONT)

        assert attempt.content()[: attempt.memory.held] == LONG[: attempt.memory.held]
        attempt.stop.clear()
        attempt()
        assert attempt.content() == LONG


def test_another_aria2_is_used_by_its_address_and_never_ended(
    attempt: Try, aria2: Aria2Supervisor, rpc: Rpc
) -> None:
    with linked(ForeignDaemon(rpc), prefix="00000001") as link:
        attempt.engine = by_aria2(link)
        attempt()

    assert attempt.content() == BODY
    assert rpc.call("getVersion")


def test_the_wrong_secret_of_another_aria2_says_which_setting_is_wrong(
    attempt: Try, rpc: Rpc
) -> None:
    with linked(ForeignDaemon(Rpc(rpc.url, "guessed")), prefix="00000002") as link:
        attempt.engine = by_aria2(link)
        failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.BLOCKED, "aria2-secret")
    assert "transfer.aria2.secret" in failure.message


def test_what_an_earlier_run_left_is_taken_out_and_nothing_of_others(
    attempt: Try, rpc: Rpc, tmp_path: Path
) -> None:
    options = {"dir": str(tmp_path), "pause": "true"}
    for gid in ("00000003aaaaaaaa", "00000003bbbbbbbb", "0000000400000000"):
        rpc.call("addUri", ["http://127.0.0.1:1/x"], {**options, "gid": gid})

    with linked(ForeignDaemon(rpc), prefix="00000003") as link:
        link.await_ready(Event(), within_s=PATIENCE_S)
        left = rpc.call("tellWaiting", 0, 100, ["gid"])

    assert left == [{"gid": "0000000400000000"}]
    rpc.call("forceRemove", "0000000400000000")


@dataclass
class Between:
    """A proxy before aria2 that passes calls on, but no WebSocket, and may change the words."""

    rpc: Rpc
    words: tuple[str, str] = ("unchanged", "unchanged")


@pytest.fixture
def between(rpc: Rpc) -> Iterator[Between]:
    class Passing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = requests.post(rpc.url, data=body.replace(*proxy.words), timeout=PATIENCE_S)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Passing) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/jsonrpc"
        proxy = Between(Rpc(url, rpc.secret))
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield proxy
        server.shutdown()
        thread.join(PATIENCE_S)


def test_without_a_websocket_it_asks_in_place_of_hearing(attempt: Try, between: Between) -> None:
    with linked(ForeignDaemon(between.rpc), prefix="00000005") as link:
        attempt.engine = by_aria2(link)
        attempt.server.script.append(after(1000))
        assert attempt.fails().code in {"short-body", "reset"}
        attempt()

    assert attempt.content() == BODY


def test_an_aria2_that_cannot_write_where_we_can_is_told_in_its_own_words(
    attempt: Try, between: Between
) -> None:
    between.words = (str(attempt.part.path.parent), "/proc/nowhere")
    with linked(ForeignDaemon(between.rpc), prefix="00000006") as link:
        attempt.engine = by_aria2(link)
        failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.TRANSIENT, "aria2-18")
    assert "Download aborted" in failure.message


def test_an_aria2_that_writes_elsewhere_is_found_out(
    attempt: Try, between: Between, tmp_path: Path
) -> None:
    between.words = (str(tmp_path), str(tmp_path / "as aria2 sees it"))
    with linked(ForeignDaemon(between.rpc), prefix="00000007") as link:
        attempt.engine = by_aria2(link)
        failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.BLOCKED, "aria2-elsewhere")


@dataclass
class Unplugged:
    """A part on a device that is pulled out as soon as the part is open."""

    real: PlainPart

    @property
    def path(self) -> Path:
        return self.real.path

    def open(self) -> BinaryIO:
        file = self.real.open()
        self.path.parent.rename(self.path.parent.with_name("device"))
        return file


def test_aria2_writes_nothing_where_a_device_was(attempt: Try, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    attempt.part = Unplugged(PlainPart(folder / "1.part"))  # type: ignore[assignment]

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.DEVICE, "missing")
    assert not folder.exists()


@pytest.fixture
def with_a_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rpc]:
    """An aria2 as people run it: with a cache of 16 MiB and control files."""
    folder = tmp_path_factory.mktemp("aria2")
    port = free_port()
    options = ["--no-conf", "--quiet", "--enable-rpc", f"--rpc-listen-port={port}", f"-d{folder}"]
    process = subprocess.Popen(["aria2c", *options])
    yield Rpc(f"http://127.0.0.1:{port}/jsonrpc", "")
    process.kill()
    process.wait(PATIENCE_S)


def test_an_aria2_with_a_cache_leaves_nothing_in_it(attempt: Try, with_a_cache: Rpc) -> None:
    attempt.server.body = LONG
    doubt: list[int] = []
    attempt.memory.on_move = lambda held: doubt.append(held - attempt.memory.held)
    count = len(LONG) // 2 + 1
    attempt.server.script.append(after(count))
    with linked(ForeignDaemon(with_a_cache), prefix="00000008") as link:
        attempt.engine = by_aria2(link)
        assert attempt.fails().code in {"short-body", "reset"}
        assert attempt.memory.held == count
        assert attempt.content() == LONG[:count]
        attempt()

    assert attempt.content() == LONG
    assert max(doubt) <= 8 * 1024 * 1024
    assert [one.name for one in attempt.part.path.parent.iterdir()] == ["1.part"]


def test_a_part_that_somebody_else_writes_to_is_not_believed(attempt: Try) -> None:
    attempt.server.body = LONG

    def meddle() -> None:
        with attempt.part.path.open("r+b") as file:
            file.seek(max(0, len(LONG) // 40))
            file.write(b"meddled")

    attempt.memory.on_move = lambda held: meddle() if held == len(LONG) else None

    failure = attempt.fails()

    assert (failure.kind, failure.code) == (FailureClass.CHANGED, "aria2-mixed-up")


def test_many_at_once_keep_apart(
    server: FaultServer, aria2: Aria2Supervisor, tmp_path: Path
) -> None:
    server.body = LONG
    attempts = [
        Try(server, PlainPart(tmp_path / f"{number}.part"), by_aria2(aria2)) for number in range(6)
    ]
    threads = [Thread(target=attempt) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert all(attempt.content() == LONG for attempt in attempts)
    assert aria2.book.gids() == []


def test_a_deleted_part_is_the_cause_whoever_finds_out_first(
    aria2: Aria2Supervisor, tmp_path: Path
) -> None:
    path = tmp_path / "2.part"
    with path.open("w+b") as file:
        sink = ThroughAria2(
            file, path, link=aria2, synced=lambda _held: None, stop=Event(), clock=SystemClock()
        )
        by_aria2_first = judge(15, "No such file or directory")
        assert sink._find_cause(by_aria2_first).code == "aria2-15"

        path.unlink()

        assert sink._find_cause(by_aria2_first).code == "part-vanished"
