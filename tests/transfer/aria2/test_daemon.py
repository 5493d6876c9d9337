from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest

from sidecar.transfer.aria2 import daemon as daemon_module
from sidecar.transfer.aria2.daemon import OwnDaemon
from sidecar.transfer.aria2.rpc import UNAUTHORIZED, Aria2Away, Aria2Refused, Call, Rpc, RpcError
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S
from tests.transfer.conftest import linked


@pytest.fixture
def daemon() -> Iterator[OwnDaemon]:
    daemon = OwnDaemon("aria2c")
    yield daemon
    daemon.end()


def eventually(is_so: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    until, never = time.monotonic() + within_s, Event()
    while not is_so():
        assert time.monotonic() < until, "it did not happen in time"
        never.wait(0.02)


def answers(rpc: Rpc) -> bool:
    try:
        rpc.call("getVersion")
    except Aria2Away:
        return False
    return True


def listens(rpc: Rpc) -> bool:
    where = urlsplit(rpc.url)
    try:
        socket.create_connection((where.hostname, where.port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def begun(daemon: OwnDaemon) -> Rpc:
    rpc = daemon.begin()
    eventually(lambda: answers(rpc))
    return rpc


def test_its_secret_is_not_in_the_process_list_nor_its_environment(daemon: OwnDaemon) -> None:
    rpc = begun(daemon)

    process = Path(f"/proc/{daemon.process_id}")
    assert len(rpc.secret) == 256 // 4
    assert rpc.secret.encode() not in process.joinpath("cmdline").read_bytes()
    assert rpc.secret.encode() not in process.joinpath("environ").read_bytes()
    assert rpc.secret not in repr(rpc)


def test_its_settings_are_for_us_alone_and_gone_once_they_are_read(daemon: OwnDaemon) -> None:
    begun(daemon)
    command = Path(f"/proc/{daemon.process_id}/cmdline").read_bytes().split(b"\0")
    settings = Path(command[1].decode().partition("=")[2])

    assert settings.stat().st_mode & 0o777 == 0o600
    assert settings.parent.stat().st_mode & 0o777 == 0o700

    daemon.note_answer()
    assert not settings.parent.exists()


def test_it_listens_on_loopback_only(daemon: OwnDaemon) -> None:
    rpc = begun(daemon)
    port = urlsplit(rpc.url).port or 0

    listening = [
        line.split()[1]
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_it_ends_when_it_is_asked_to(daemon: OwnDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "END_WITHIN_S", PATIENCE_S)
    rpc = begun(daemon)
    process = daemon._process
    assert process is not None

    daemon.end()

    assert process.returncode != -signal.SIGKILL
    assert not answers(rpc)
    assert not daemon.is_running()


def test_one_that_does_not_listen_to_us_is_made_to_end(daemon: OwnDaemon) -> None:
    begun(daemon)
    assert daemon.process_id is not None
    os.kill(daemon.process_id, signal.SIGSTOP)

    daemon.end()

    assert not daemon.is_running()


def test_it_ends_when_the_sidecar_is_killed() -> None:
    program = (
        "from sidecar.transfer.aria2.daemon import OwnDaemon\n"
        "daemon = OwnDaemon('aria2c')\n"
        "print(daemon.begin().url, flush=True)\n"
        "input()\n"
        "daemon.note_answer()\n"
        "print('at work', flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as sidecar:
        assert sidecar.stdout is not None
        assert sidecar.stdin is not None
        rpc = Rpc(sidecar.stdout.readline().decode().strip(), "unknown")
        eventually(lambda: listens(rpc))
        sidecar.stdin.write(b"\n")
        sidecar.stdin.flush()
        assert sidecar.stdout.readline() == b"at work\n"
        sidecar.kill()

    eventually(lambda: not listens(rpc))


def test_it_is_started_again_when_it_dies() -> None:
    daemon = OwnDaemon("aria2c")
    with linked(daemon) as link:
        first = link.await_ready(Event(), within_s=PATIENCE_S)
        killed = daemon.process_id
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: daemon.process_id not in {None, killed})

        second = link.await_ready(Event(), within_s=PATIENCE_S)

        assert answers(second)
        assert second.secret != first.secret


def test_the_wrong_secret_is_an_answer_not_a_crash(daemon: OwnDaemon) -> None:
    rpc = begun(daemon)

    with pytest.raises(Aria2Refused) as refused:
        Rpc(rpc.url, "guessed").call("getVersion")

    assert refused.value.error == RpcError(1, UNAUTHORIZED)


def test_many_questions_are_one_request_and_each_has_its_own_answer(daemon: OwnDaemon) -> None:
    rpc = begun(daemon)

    version, unknown = rpc.call_many([Call("getVersion"), Call("tellStatus", ("0" * 16,))])

    assert isinstance(version, dict)
    assert version["version"]
    assert isinstance(unknown, RpcError)
    assert "not found" in unknown.message


def test_nobody_at_the_address_is_told_as_such() -> None:
    port = free_port()

    with pytest.raises(Aria2Away, match=f"127.0.0.1:{port}"):
        Rpc(f"http://127.0.0.1:{port}/jsonrpc", "").call("getVersion")
