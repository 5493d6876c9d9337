"""One attempt after another at a file, as a worker makes them, from three starting points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.clock import Clock, SystemClock
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.transfer.aria2.daemon import OwnDaemon
from sidecar.transfer.aria2.engine import Aria2Engine
from sidecar.transfer.aria2.supervisor import Aria2Supervisor
from sidecar.transfer.engine import Engine, Receipt
from sidecar.transfer.http.engine import HttpEngine
from tests.fakes.servers.fault_server import FaultServer, after
from tests.transfer.conftest import (
    BODY,
    TIMEOUTS,
    MakeEngine,
    PlainPart,
    Try,
    linked,
)

OFFSETS = {"fresh": 0, "at-40-percent": len(BODY) * 2 // 5, "at-the-last-byte": len(BODY) - 1}
RESUMED = {name: at for name, at in OFFSETS.items() if at}


class Walk(Try):
    """Goes on after a failure as the product does: a changed file is begun again."""

    def come_to(self, offset: int) -> None:
        """Have so many bytes, from an honest server whose line broke."""
        if offset:
            self.server.script.append(after(offset))
            assert self.fails().kind is FailureClass.TRANSIENT
            assert self.memory.held == offset

    def step(self) -> Receipt | Failure:
        """Make one attempt; whatever it ends with, no wrong byte may count."""
        ended = self.step_among(BODY, self.server.body)
        assert isinstance(ended, Failure) or self.content() == self.server.body
        return ended

    def step_among(self, *sent: bytes) -> Receipt | Failure:
        """Make one attempt; what counts then is the beginning of one of these, or all of it."""
        try:
            receipt = self()
        except TransferFailed as failed:
            counted = self.content()[: self.memory.held]
            assert any(body.startswith(counted) for body in sent)
            if failed.failure.kind is FailureClass.CHANGED:
                self.begin_again()
            return failed.failure
        assert self.content() in sent
        return receipt

    def begin_again(self) -> None:
        """Forget what is there."""
        self.memory.validator, self.memory.held = None, 0

    def to_the_end(self, *, most: int = 4) -> Receipt:
        """Step until the file is whole."""
        for _ in range(most):
            ended = self.step()
            if isinstance(ended, Receipt):
                return ended
        raise AssertionError(f"not whole after {most} more attempts: {ended}")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(BODY) as running:
        yield running


@pytest.fixture(scope="session")
def aria2() -> Iterator[Aria2Supervisor]:
    """An aria2 of our own, at hand for all tests of one run."""
    with linked(OwnDaemon("aria2c")) as link:
        yield link


@pytest.fixture
def clock() -> Clock:
    return SystemClock()


@pytest.fixture(params=["threads", "aria2"])
def make_engine(request: pytest.FixtureRequest) -> MakeEngine:
    if request.param == "threads":
        return lambda clock, timeouts: HttpEngine(clock, timeouts=timeouts)
    link: Aria2Supervisor = request.getfixturevalue("aria2")
    return lambda clock, timeouts: Aria2Engine(link, clock, timeouts=timeouts)


@pytest.fixture
def engine(make_engine: MakeEngine, clock: Clock) -> Engine:
    return make_engine(clock, TIMEOUTS)


@pytest.fixture
def walk(server: FaultServer, engine: Engine, tmp_path: Path) -> Walk:
    return Walk(server, PlainPart(tmp_path / "1.part"), engine, known_size=len(BODY))
