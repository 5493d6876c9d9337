from __future__ import annotations

from dataclasses import replace

from sidecar.domain.downloads.download import Status
from sidecar.events import Bus, DownloadChanged, Event, Progress, TransfersProgressed
from sidecar.services.transfers.fetching.progress import ProgressTracker
from tests.domain.examples import ROW
from tests.fakes.clock import FakeClock


def running() -> tuple[ProgressTracker, FakeClock, list[Event]]:
    bus, clock = Bus(), FakeClock()
    news: list[Event] = []
    bus.subscribe(news.append)
    return ProgressTracker(bus, clock), clock, news


def test_all_transfers_are_told_in_one_message() -> None:
    transfers, clock, news = running()
    transfers.begin(1, held=0, size=1000)
    transfers.begin(2, held=500, size=None)
    clock.advance(1)
    transfers.moved(1, 400)

    transfers.tell()

    (told,) = news
    assert isinstance(told, TransfersProgressed)
    first, second = told.transfers
    assert (first.bytes_held, first.size, first.speed, first.seconds_left) == (400, 1000, 400, 1.5)
    assert (second.bytes_held, second.speed, second.seconds_left) == (500, 0, None)


def test_nothing_changed_is_not_told_again() -> None:
    transfers, _clock, news = running()

    transfers.tell()

    assert news == []


def test_the_end_of_a_transfer_is_told() -> None:
    transfers, clock, news = running()
    transfers.begin(1, held=0, size=10)
    clock.advance(1)
    transfers.tell()
    transfers.end(1)

    transfers.tell()

    assert news[-1] == TransfersProgressed(())
    assert transfers.last() == ()


def test_the_length_that_the_server_tells_replaces_the_expected_one() -> None:
    transfers, _clock, _news = running()
    transfers.begin(1, held=700, size=1000)

    transfers.resize(1, held=0, size=2000)

    (now,) = transfers.now()
    assert (now.bytes_held, now.size) == (0, 2000)


def test_transfers_of_another_process_are_shown_until_they_end_there_or_it_dies() -> None:
    bus = Bus()
    transfers = ProgressTracker(bus, FakeClock())
    seven, eight = Progress(7, 1, 10, 1.0, 9.0), Progress(8, 2, 10, 1.0, 8.0)
    transfers.begin(1, held=0, size=10)
    transfers.tell()
    bus.receive(TransfersProgressed((seven, eight), "other"))
    assert [one.download_id for one in transfers.last()] == [1, 7, 8]
    bus.receive(TransfersProgressed((eight,), "other"))
    assert [one.download_id for one in transfers.last()] == [1, 8]
    # The other one is dead: whoever gives its work back to the queue says so.
    waits = replace(ROW, id=8, status=Status.PENDING)
    bus.receive(DownloadChanged(waits, Status.DOWNLOADING, Status.PENDING))
    assert [one.download_id for one in transfers.last()] == [1]
