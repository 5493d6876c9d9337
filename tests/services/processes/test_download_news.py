"""What another process did to files is told here once, also if the database fails meanwhile."""

from __future__ import annotations

import peewee
import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.events import Bus, DownloadChanged, Event
from sidecar.services.processes.download_news import DownloadNews
from sidecar.store.downloads.activity import ActivityLog
from sidecar.store.downloads.queue import Downloads
from tests.services.conftest import STICK, World
from tests.statements import broken
from tests.store.examples import wanted

REFUSED = Failure(FailureClass.REFUSED, "refused", "It is refused")


@pytest.fixture
def told(world: World) -> list[Event]:
    told: list[Event] = []
    world.bus.subscribe(told.append)
    return told


def fail_elsewhere(world: World, *numbers: int) -> None:
    """Have another process add downloads and give them up."""
    other = Downloads(world.db, Bus(), world.clock)
    added = other.queue.add_all([wanted(one, device=STICK) for one in numbers])
    for one in added:
        assert other.transitions.give_up(one, until=None, failure=REFUSED, retry_count=0)


def test_what_another_process_did_is_told_once_also_after_the_database_has_failed(
    world: World, told: list[Event]
) -> None:
    news = DownloadNews(ActivityLog(world.db, world.clock), world.downloads.queries, world.bus)
    news.step()
    fail_elsewhere(world, 1, 2)
    with broken(world.db), pytest.raises(peewee.OperationalError):
        news.step()
    assert told == []

    news.step()
    news.step()

    assert [
        (one.download.item_id, one.now) for one in told if isinstance(one, DownloadChanged)
    ] == [(wanted(one).item.id, Status.FAILED) for one in (1, 2)]
