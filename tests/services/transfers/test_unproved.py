"""What comes in another length than the library says: looked into, waited for, accepted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest

from sidecar.clock import SystemClock
from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Status
from sidecar.domain.transfers.wholeness import Verdict, Wholeness
from sidecar.errors import NotVisible
from sidecar.services.downloads.commands import DownloadCommand, ResultKind
from sidecar.transfer.http.engine import HttpEngine
from tests.fakes.servers.answering import Reply, Request, json_reply
from tests.services.conftest import STICK, World, track
from tests.services.rules.steered import Ann, Ben, House, house
from tests.services.transfers.test_worker import ITEM

ACCEPT = DownloadCommand(action=Action.ACCEPT)
MODIFIED, LATER = "Sat, 31 Oct 2026 10:00:00 GMT", "Sun, 01 Nov 2026 10:00:00 GMT"
# What the library says, and what comes.
SCANNED, BODY = 340_000, b"sound" * 24_000
TRACK = track(1).id


@dataclass
class Middle:
    """A file that is sent with a date, whole or in parts; `ranges` may be ignored on the way.

    After `breaks_after` bytes of a body the connection is closed.
    """

    body: bytes = BODY
    modified: str = MODIFIED
    scanned: int = SCANNED
    ranges: bool = True
    breaks_after: int | None = None
    asked: list[str | None] = field(default_factory=list)
    verdict: Verdict = Verdict.UNKNOWN
    looked_into: list[tuple[bytes, str]] = field(default_factory=list)

    def file(self, request: Request) -> Reply:
        told = {"Content-Type": "audio/flac", "Last-Modified": self.modified}
        asked = request.headers.get("Range")
        self.asked.append(asked)
        if asked is None or not self.ranges:
            told["Content-Length"] = str(len(self.body))
            return Reply(200, self.body[: self.breaks_after], told)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        piece = self.body[int(first) : int(last or len(self.body)) + 1]
        told["Content-Range"] = f"bytes {first}-{int(first) + len(piece) - 1}/{len(self.body)}"
        told["Content-Length"] = str(len(piece))
        return Reply(206, piece[: self.breaks_after], told)

    def item(self, _request: Request) -> Reply:
        return json_reply({**ITEM, "MediaSources": [{"Id": TRACK, "Size": self.scanned}]})

    def look(
        self, file: BinaryIO, container: str, _seconds: float | None, _stop: Event
    ) -> Wholeness:
        self.looked_into.append((file.read(), container))
        return Wholeness(self.verdict, "as the test says", None)


@contextmanager
def fetching(world: World, tmp_path: Path, middle: Middle) -> Iterator[House]:
    engine = HttpEngine(SystemClock())
    with house(world, tmp_path, fetches=engine, check_whole=middle.look) as home:
        home.server.routes[f"GET /Items/{TRACK}/Download"] = middle.file
        home.server.routes[f"GET /Items/{TRACK}"] = middle.item
        home.works.wish(1, size=SCANNED)
        yield home


@pytest.fixture
def middle() -> Middle:
    return Middle()


@pytest.fixture
def home(world: World, tmp_path: Path, middle: Middle) -> Iterator[House]:
    with fetching(world, tmp_path, middle) as built:
        yield built


def use_up_all_tries(home: House) -> None:
    for wait in (5, 15, 45, 0):
        assert home.works.worker.step()
        home.world.clock.advance(wait)


def on_the_stick(home: House) -> bytes:
    there = home.works.now()
    assert there.status is Status.COMPLETED
    return home.path(there).read_bytes()


def test_a_shorter_file_that_proves_whole_arrives(home: House, middle: Middle) -> None:
    middle.verdict = Verdict.WHOLE

    home.works.worker.step()

    assert on_the_stick(home) == BODY
    assert middle.asked == [None, "bytes=0-0"]
    assert middle.looked_into == [(BODY, "flac")]


@pytest.mark.parametrize("verdict", [Verdict.CUT, Verdict.UNKNOWN])
def test_one_that_does_not_waits_then_fails_with_both_lengths(
    home: House, middle: Middle, verdict: Verdict
) -> None:
    middle.verdict = verdict

    use_up_all_tries(home)

    failed = home.works.now()
    assert (failed.status, failed.error_code) == (Status.FAILED, "unproved")
    assert failed.error_message == (
        "The server sends 120 kB, its library says 340 kB: scan the library, or accept it as it is"
    )
    assert failed.retry_next_at == home.world.clock.now() + timedelta(hours=1)
    # The whole file came once; after that only its end was compared.
    assert middle.asked.count(None) == 1


def test_of_a_file_that_is_larger_than_known_and_does_not_fit_not_one_byte_comes(
    home: House, middle: Middle
) -> None:
    middle.body = BODY * 9
    middle.verdict = Verdict.WHOLE

    home.works.worker.step()

    waiting = home.works.now()
    assert (waiting.status, waiting.error_code) == (Status.PENDING, "larger")
    assert waiting.error_message == (
        "The server sends 1.1 MB, its library says 340 kB, and the device has no space for it: "
        "scan the library, or free some space"
    )
    part = home.works.registry.get(STICK).folder.part(waiting.id)
    assert (part.size() or 0, part.read_allocated()) == (0, 0)

    # Once the library says so, too, it is what it is: larger than the limit of 1 MB.
    middle.scanned = len(middle.body)
    home.world.clock.advance(10)
    home.works.worker.step()
    refused = home.works.now()
    assert (refused.status, refused.error_code) == (Status.FAILED, "too-big")
    assert not part.size()


def test_a_file_that_is_larger_than_known_comes_if_it_fits(home: House, middle: Middle) -> None:
    middle.body = BODY * 6

    home.works.worker.step()

    assert on_the_stick(home) == middle.body


def test_a_file_whose_size_only_the_answer_says_comes_only_if_it_fits(
    home: House, middle: Middle
) -> None:
    with home.world.db.write():
        home.world.db.execute_sql("UPDATE downloads SET expected_size = NULL RETURNING id", [])
    middle.body, middle.scanned = BODY * 9, 0

    home.works.worker.step()

    refused = home.works.now()
    assert (refused.status, refused.error_code) == (Status.FAILED, "too-big")
    assert not home.works.registry.get(STICK).folder.part(refused.id).size()


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.WHOLE])
def test_what_is_to_be_converted_is_looked_into_before(
    home: House, middle: Middle, verdict: Verdict
) -> None:
    middle.verdict = verdict
    with home.world.db.write():
        home.world.db.execute_sql("UPDATE downloads SET format = 'opus-128k' RETURNING id", [])

    home.works.worker.step()

    came = home.works.now()
    assert middle.looked_into == [(BODY, "flac")]
    assert (came.status is Status.COMPLETED) is (verdict is Verdict.WHOLE)
    assert (came.error_code == "unproved") is (verdict is Verdict.UNKNOWN)


def test_a_200_that_is_said_twice_proves_nothing(home: House, middle: Middle) -> None:
    middle.ranges, middle.verdict = False, Verdict.WHOLE

    home.works.worker.step()

    assert home.works.now().error_code == "unproved"
    assert middle.looked_into == []


def test_a_file_that_grew_is_believed_unless_it_shows_that_it_is_cut(
    home: House, middle: Middle
) -> None:
    middle.body = BODY * 3
    middle.verdict = Verdict.CUT
    home.works.worker.step()
    assert home.works.now().error_code == "unproved"

    home.world.clock.advance(5)
    middle.verdict = Verdict.UNKNOWN
    home.works.worker.step()

    assert on_the_stick(home) == BODY * 3


def test_once_the_library_was_scanned_again_it_comes_by_itself(home: House, middle: Middle) -> None:
    use_up_all_tries(home)
    middle.scanned = len(BODY)

    failed = home.works.now()
    home.world.downloads.transitions.retry(failed)
    home.works.worker.step()

    assert on_the_stick(home) == BODY
    assert home.works.now().expected_size == len(BODY)


@pytest.mark.parametrize("tries", [1, 4])
def test_a_person_who_may_retry_it_accepts_it_as_it_is(
    home: House, middle: Middle, tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    middle.ranges = False
    for wait in (5, 15, 45, 0)[:tries]:
        home.works.worker.step()
        home.world.clock.advance(wait if tries > 1 else 0)
    caplog.set_level("INFO")

    with pytest.raises(NotVisible):
        home.do(Ben, home.works.now(), ACCEPT)
    outcome = home.do(Ann, home.works.now(), ACCEPT)

    assert outcome.result is ResultKind.DONE
    assert "ann accepted Tone 1 as it is: 120000 bytes" in caplog.text
    home.works.worker.step()
    assert on_the_stick(home) == BODY


@pytest.mark.parametrize(
    ("body", "modified"), [(BODY[:-1], MODIFIED), (BODY, LATER)], ids=["length", "date"]
)
def test_only_what_was_accepted_is_believed(
    home: House, middle: Middle, body: bytes, modified: str
) -> None:
    middle.ranges = False
    home.works.worker.step()
    home.do(Ann, home.works.now(), ACCEPT)
    middle.body, middle.modified = body, modified

    home.works.worker.step()

    assert home.works.now().error_code == "unproved"


def test_there_is_nothing_to_accept_before(home: House) -> None:
    outcome = home.do(Ann, home.works.now(), ACCEPT)

    assert (outcome.result, outcome.code) == (ResultKind.REFUSED, "nothing-to-accept")


def test_an_empty_file_waits_until_there_is_something_in_it(home: House, middle: Middle) -> None:
    middle.body = b""
    use_up_all_tries(home)

    waits = home.works.now()
    assert (waits.status, waits.error_code) == (Status.PENDING, "empty")
    assert "empty on the server" in (waits.error_message or "")
    assert waits.retry_next_at == home.world.clock.now() + timedelta(minutes=5)
    assert not home.works.worker.step()

    middle.body, middle.scanned = BODY, len(BODY)
    home.world.clock.advance(300)
    home.works.worker.step()
    assert on_the_stick(home) == BODY


def test_on_a_line_that_breaks_often_a_small_file_goes_on_where_it_was(
    home: House, middle: Middle
) -> None:
    middle.body = BODY * 6
    middle.scanned = len(middle.body)
    middle.breaks_after = 300_000

    held = []
    for _ in range(6):
        if home.works.now().status is Status.COMPLETED:
            break
        home.works.worker.step()
        held.append(home.works.now().bytes_downloaded)
        home.world.clock.advance(60)

    assert on_the_stick(home) == middle.body
    assert held == [300_000, 534_464, 720_000]


def test_a_file_that_was_accepted_stays_accepted_after_a_restart(
    home: House, middle: Middle
) -> None:
    middle.ranges = False
    home.works.worker.step()
    home.do(Ann, home.works.now(), ACCEPT)

    row = home.world.downloads.queries.by_item(STICK, TRACK)

    assert row is not None
    assert row.accepted == row.validator
