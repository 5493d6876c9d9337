"""A part file, a report that remembers, and one attempt at a file."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

import pytest

from sidecar.clock import Clock, SystemClock
from sidecar.domain.downloads.download import Validator
from sidecar.domain.transfers.failures import Failure, TransferFailed
from sidecar.transfer.aria2.daemon import Daemon, OwnDaemon
from sidecar.transfer.aria2.downloads import Aria2Downloads
from sidecar.transfer.aria2.engine import Aria2Engine
from sidecar.transfer.aria2.supervisor import Aria2Supervisor
from sidecar.transfer.engine import Engine, Job, Receipt
from sidecar.transfer.http.engine import HttpEngine
from sidecar.transfer.timeouts import Timeouts
from tests.fakes.servers.fault_server import FaultServer
from tests.patience import PATIENCE_S

BODY = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)
TIMEOUTS = Timeouts(connect=PATIENCE_S, read=PATIENCE_S, slow_for=PATIENCE_S)
# Of a server that goes silent: longer than a machine with much to do needs for what comes before.
IMPATIENT = replace(TIMEOUTS, read=2.0)
# Of a server that drips.
HURRIED = replace(TIMEOUTS, slow_for=0.3)

MakeEngine = Callable[[Clock, Timeouts], Engine]


@dataclass
class PlainPart:
    """A part file in a plain folder. Unlike a device's it guards against nothing."""

    path: Path

    def open(self) -> BinaryIO:
        return open(os.open(self.path, os.O_RDWR | os.O_CREAT), "r+b", buffering=0)  # noqa: PTH123


@dataclass
class Memory:
    """What the database would know after each step."""

    validator: Validator | None = None
    held: int = 0
    opened_at: list[int] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    on_move: Callable[[int], object] = lambda _held: None

    def opened(self, validator: Validator, *, held: int) -> None:
        self.validator, self.held = validator, held
        self.opened_at.append(held)

    def synced(self, held: int) -> None:
        self.held = held

    def moved(self, held: int) -> None:
        self.moves.append(held)
        self.on_move(held)


@dataclass
class Try:
    """Makes attempts as a worker does: each goes on from what the one before has left."""

    server: FaultServer
    part: PlainPart
    engine: Engine
    memory: Memory = field(default_factory=Memory)
    known_size: int | None = len(BODY)
    accepted: Validator | None = None
    stop: Event = field(default_factory=Event)

    def __call__(self) -> Receipt:
        job = Job(
            download_id=1,
            url=self.server.url,
            headers={"Authorization": 'MediaBrowser Token="secret"'},
            part=self.part,
            known_size=self.known_size,
            validator=self.memory.validator,
            held=self.memory.held,
            accepted=self.accepted,
        )
        return self.engine.fetch(job, self.memory, self.stop)

    def fails(self) -> Failure:
        with pytest.raises(TransferFailed) as caught:
            self()
        return caught.value.failure

    def content(self) -> bytes:
        return self.part.path.read_bytes()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(BODY) as running:
        yield running


@pytest.fixture(scope="session")
def aria2() -> Iterator[Aria2Supervisor]:
    """An aria2 of our own, at hand for all tests of one run."""
    with linked(OwnDaemon("aria2c")) as link:
        yield link


@contextmanager
def linked(daemon: Daemon, *, prefix: str = "5edeca12") -> Iterator[Aria2Supervisor]:
    link, stop = Aria2Supervisor(daemon, Aria2Downloads(prefix), SystemClock()), Event()
    thread = Thread(target=link.run, args=(stop,))
    thread.start()
    try:
        yield link
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


@pytest.fixture(params=["threads", "aria2"])
def make_engine(request: pytest.FixtureRequest) -> MakeEngine:
    if request.param == "threads":
        return lambda clock, timeouts: HttpEngine(clock, timeouts=timeouts)
    link: Aria2Supervisor = request.getfixturevalue("aria2")
    return lambda clock, timeouts: Aria2Engine(link, clock, timeouts=timeouts)


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine(SystemClock(), TIMEOUTS)


@pytest.fixture
def impatient(make_engine: MakeEngine) -> Engine:
    """Return an engine of the same kind that soon takes a server for silent."""
    return make_engine(SystemClock(), IMPATIENT)


@pytest.fixture
def attempt(server: FaultServer, engine: Engine, tmp_path: Path) -> Try:
    return Try(server, PlainPart(tmp_path / "1.part"), engine)
