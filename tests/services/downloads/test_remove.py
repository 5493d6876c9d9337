"""A download that is cancelled or paused while a worker has it, with the real queue and folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Status
from sidecar.services.rules.wishes import WishService
from sidecar.transfer.engine import Job
from tests.fakes.servers.answering import answering, json_reply
from tests.services.conftest import ANN, STICK, World, track
from tests.services.transfers.test_worker import ME, PUBLIC, Works, build


@pytest.fixture
def works(world: World, tmp_path: Path) -> Iterator[Works]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    with answering(
        {"GET /Users/Me": json_reply(ME), "GET /System/Info/Public": json_reply(PUBLIC)}
    ) as server:
        built = build(world, server, stick, tmp_path)
        built.look()
        forget = world.bus.subscribe(built.claims.hear)
        yield built
        forget()
        built.registry.close()


def with_some_bytes(act: Callable[[], object]) -> Callable[[Job], object]:
    """Return what happens while the part file has some bytes already."""

    def meanwhile(job: Job) -> None:
        with job.part.open() as file:
            file.write(b"so")
        act()

    return meanwhile


def parts(works: Works) -> list[Path]:
    return list((works.stick / ".sidecar" / "parts").iterdir())


def test_what_nobody_wants_any_more_stops_at_once_and_leaves_nothing(works: Works) -> None:
    works.wish()
    world = works.world
    planning = WishService(world.db, world.holds, world.downloads, world.clock)

    def skip() -> None:
        planning.release(ANN, "favourites", track(1).id, grace=timedelta(0))
        planning.release_expired()

    works.engine.meanwhile = with_some_bytes(skip)

    assert works.worker.step()

    assert world.downloads.queries.by_item(STICK, track(1).id) is None
    assert parts(works) == []
    assert not works.worker.step()


def test_what_is_paused_stops_at_once_and_keeps_what_it_has(works: Works) -> None:
    works.wish()
    works.engine.meanwhile = with_some_bytes(
        lambda: works.world.downloads.transitions.pause(works.now())
    )

    works.worker.step()

    assert works.now().status is Status.PAUSED
    assert [one.stat().st_size for one in parts(works)] == [2]


def test_what_arrives_is_not_disturbed_by_its_own_news(works: Works) -> None:
    works.wish()
    works.wish(2)

    assert works.worker.step()
    assert works.worker.step()

    assert works.now().status is works.now(2).status is Status.COMPLETED
