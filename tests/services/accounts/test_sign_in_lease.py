from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from sidecar.clock import Clock, SystemClock, Waitable
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.errors import SignedOut, SignInRefused
from sidecar.events import Bus
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.sign_in_lease import LASTS
from sidecar.services.health.problems import Problems
from tests.fakes.libraries.tiny import tiny_library
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S
from tests.services.conftest import World

PASSWORD = SecretStr("admin")


class NotedClock(SystemClock):
    """The machine's clock, which also tells that somebody waits."""

    def __init__(self) -> None:
        self.is_waited = Event()

    def wait(self, stop: Waitable, seconds: float) -> bool:
        self.is_waited.set()
        return super().wait(stop, seconds)


class Doing:
    """Does one thing in a thread and keeps what came of it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.result: object = None
        self._work = work
        self._thread = Thread(target=self._run)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def end(self) -> object:
        self._thread.join(PATIENCE_S)
        assert self.is_over
        return self.result

    def _run(self) -> None:
        try:
            self.result = self._work()
        except SignInRefused as refused:
            self.result = refused


@pytest.fixture
def jellyfin(tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path / "library"), speaks=Version.V12_0) as server:
        yield server


@pytest.fixture
def line(jellyfin: DemoServer) -> Iterator[SlowLine]:
    with SlowLine(urlsplit(jellyfin.url).port or 0) as line:
        yield line


@dataclass(frozen=True)
class Processes:
    """Two that share a database: one signs in over a line that can be held, the other works."""

    web: AccountService
    work: AccountService
    clock: NotedClock


@pytest.fixture
def processes(world: World, jellyfin: DemoServer, line: SlowLine, tmp_path: Path) -> Processes:
    clock = NotedClock()
    web = service(world, f"http://127.0.0.1:{line.port}", tmp_path / "key", SystemClock())
    work = service(world, jellyfin.url, tmp_path / "key", clock)
    work.with_password("admin", PASSWORD)
    clock.is_waited.clear()
    return Processes(web, work, clock)


def service(world: World, url: str, key: Path, clock: Clock) -> AccountService:
    """Return the accounts of a process of their own."""
    bus = Bus()
    return AccountService(
        url,
        ca_file=None,
        stores=world.stores,
        box=TokenBox(key),
        problems=Problems(bus),
        bus=bus,
        clock=clock,
    )


def begin_sign_in(web: AccountService, line: SlowLine, password: SecretStr = PASSWORD) -> Doing:
    """Sign in, but hold Jellyfin's answer to the password."""
    before = line.passed
    web.anonymous().public_info()
    # A sign-in asks the same first.
    line.hold_after(line.passed - before)
    doing = Doing(lambda: web.with_password("admin", password))
    wait_until(lambda: line.is_held, what="the answer to the password")
    return doing


def is_refused(client: Jellyfin) -> bool:
    try:
        client.me()
    except SignedOut:
        return True
    return False


def test_the_refusal_of_a_token_that_a_sign_in_is_replacing_signs_nobody_out(
    world: World, processes: Processes, line: SlowLine
) -> None:
    work = processes.work
    (admin,) = work.signed_in()
    secret = world.stores.sessions.begin(admin.user_id, address_prefix="127", user_agent="here")
    old = work.client(admin.user_id)
    signing_in = begin_sign_in(processes.web, line)
    assert is_refused(old), "Jellyfin has replaced the token, and we do not know the new one yet"

    judging = Doing(lambda: work.signed_out(old))
    wait_until(lambda: processes.clock.is_waited.is_set() or judging.is_over)
    line.go_on()
    signing_in.end()

    assert judging.end() is False
    assert world.stores.sessions.find(secret) is not None
    assert work.client(admin.user_id).me().name == "admin"


def test_a_refusal_counts_once_a_sign_in_has_failed(processes: Processes, line: SlowLine) -> None:
    work = processes.work
    (admin,) = work.signed_in()
    client = work.client(admin.user_id)
    signing_in = begin_sign_in(processes.web, line, SecretStr("wrong"))

    judging = Doing(lambda: work.signed_out(client))
    wait_until(lambda: processes.clock.is_waited.is_set() or judging.is_over)
    assert not judging.is_over
    line.go_on()

    assert isinstance(signing_in.end(), SignInRefused)
    assert judging.end() is True
    assert work.signed_in() == []


def test_of_two_sign_ins_at_once_the_token_of_the_later_is_stored(
    world: World, jellyfin: DemoServer, processes: Processes, line: SlowLine, tmp_path: Path
) -> None:
    first = begin_sign_in(processes.web, line)

    second = Doing(lambda: processes.work.with_password("admin", PASSWORD))
    wait_until(lambda: processes.clock.is_waited.is_set() or second.is_over)
    line.go_on()
    first.end()
    second.end()

    # It knows only what is stored.
    later = service(world, jellyfin.url, tmp_path / "key", SystemClock())
    (admin,) = later.signed_in()
    assert later.client(admin.user_id).me().name == "admin"


def test_a_sign_in_whose_process_was_killed_is_not_waited_for_for_ever(
    world: World, jellyfin: DemoServer, tmp_path: Path
) -> None:
    accounts = service(world, jellyfin.url, tmp_path / "key", world.clock)
    account = accounts.with_password("admin", PASSWORD)
    until = (world.clock.now() + LASTS).isoformat()
    world.meta.set(f"signing-in/{account.jellyfin_device_id}", f"{until} killed")
    began = world.clock.now()

    accounts.with_password("admin", PASSWORD)

    assert world.clock.now() - began < LASTS * 1.1
    assert world.meta.list_all("signing-in/") == {}
    # One that stays, as by a clock that went back.
    world.meta.set(f"signing-in/{account.jellyfin_device_id}", "9999-12-31T00:00:00+00:00 killed")
    assert accounts.signed_out(accounts.client(account.user_id))
