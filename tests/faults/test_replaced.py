"""A file that is overwritten on the server while it is being sent."""

from __future__ import annotations

import pytest

from sidecar.clock import Clock
from sidecar.domain.transfers.failures import Failure, FailureClass
from tests.fakes.clock import HastyClock
from tests.fakes.servers.fault_server import LATER
from tests.faults.behaviours import replaced_on_the_way
from tests.faults.conftest import OFFSETS, Walk
from tests.transfer.conftest import OTHER


@pytest.fixture
def clock() -> Clock:
    """A tenth of a second is long."""
    return HastyClock(20)


@pytest.mark.parametrize("offset", OFFSETS.values(), ids=OFFSETS)
def test_s03_what_was_sent_of_two_files_is_thrown_away_and_begun_again(
    walk: Walk, offset: int
) -> None:
    walk.come_to(offset)
    walk.server.script.append(replaced_on_the_way(OTHER, LATER))

    ended = walk.step()

    assert isinstance(ended, Failure)
    assert ended.kind is FailureClass.CHANGED
    assert walk.to_the_end().size == len(OTHER)
