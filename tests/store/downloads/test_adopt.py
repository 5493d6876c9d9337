from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.events import DownloadChanged
from sidecar.store.downloads.adopt import AdoptedFile
from sidecar.store.downloads.queue import FilePlace, NewDownload
from tests.fakes.clock import FakeClock
from tests.services.conftest import ANN, STICK, World, opened, track

FILE = AdoptedFile("Old/Tone.flac", 1234, "a" * 32, "audio/flac")
BAD = Failure(FailureClass.REFUSED, "name-taken", "Something has the name")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, FakeClock()) as world:
        yield world


def wanted(number: int = 1, path: str = "New/Tone.flac") -> NewDownload:
    places = [FilePlace(path, make_path_key(path))]
    return NewDownload(item=track(number), device_id=STICK, user_id=ANN, places=places)


def in_state(world: World, status: Status) -> Download:
    """Queue a download and bring it to a state."""
    downloads = world.downloads
    (download,) = downloads.queue.add_all([wanted()])
    if status is Status.PAUSED:
        downloads.transitions.pause(download)
    elif status is Status.FAILED:
        downloads.transitions.give_up(download, until=None, failure=BAD, retry_count=3)
    elif status is not Status.PENDING:
        (running,) = downloads.queue.claim_together(world.clock.now(), at_most=1)
        if status is not Status.DOWNLOADING:
            downloads.transitions.mark_arrived(
                running, size=9, content_hash="b" * 32, mime_type=None
            )
        if status is Status.REMOVED:
            downloads.transitions.evict(_now(world, download))
    assert _now(world, download).status is status
    return download


def _now(world: World, download: Download) -> Download:
    found = world.downloads.queries.get(download.id)
    assert found is not None
    return found


def test_a_new_row_is_complete_from_the_start_and_told(world: World) -> None:
    adopted = world.downloads.adopter.adopt(wanted(), FILE)

    assert adopted is not None
    assert adopted.status is Status.COMPLETED
    assert (adopted.file_path, adopted.file_size, adopted.content_hash) == (
        FILE.path,
        1234,
        "a" * 32,
    )
    assert adopted.completed_at == world.clock.now()
    assert world.news[-1] == DownloadChanged(adopted, None, Status.COMPLETED)
    assert world.downloads.queries.bytes_on_device(STICK) == 1234


@pytest.mark.parametrize(
    "status", [Status.PENDING, Status.PAUSED, Status.FAILED, Status.REMOVED], ids=str
)
def test_what_has_no_file_yet_takes_the_one_that_is_there(world: World, status: Status) -> None:
    download = in_state(world, status)

    adopted = world.downloads.adopter.adopt(wanted(), FILE)

    assert adopted is not None
    assert adopted.id == download.id
    assert (adopted.status, adopted.file_path, adopted.error_code) == (
        Status.COMPLETED,
        FILE.path,
        None,
    )


@pytest.mark.parametrize("status", [Status.DOWNLOADING, Status.COMPLETED], ids=str)
def test_what_has_a_file_or_is_getting_one_stays_as_it_is(world: World, status: Status) -> None:
    before = _now(world, in_state(world, status))

    assert world.downloads.adopter.adopt(wanted(), FILE) is None
    assert _now(world, before) == before
    assert world.downloads.adopter.list_settled(STICK) == [(before.item_id, before.file_path)]


@pytest.mark.parametrize("path", ["OLD/tone.flac", "Old", "Old/Tone.flac/x.flac"])
def test_the_place_of_another_download_is_not_taken(world: World, path: str) -> None:
    world.downloads.queue.add_all([wanted(2, path)])

    assert world.downloads.adopter.adopt(wanted(1), FILE) is None
    assert world.downloads.queries.by_item(STICK, track(1).id) is None


def test_a_file_at_the_place_that_was_planned_is_taken(world: World) -> None:
    (download,) = world.downloads.queue.add_all([wanted(1, FILE.path)])

    adopted = world.downloads.adopter.adopt(wanted(1), FILE)

    assert adopted is not None
    assert adopted.id == download.id
