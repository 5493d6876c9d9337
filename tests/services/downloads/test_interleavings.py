"""People, workers, crashes and time in any order, over a real store and a real folder.

The suite takes a few hundred steps. By night: `STEERING_STEPS=10000 pytest
tests/services/downloads/test_interleavings.py`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag

import xxhash
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import MOVES, Download, Status, Validator
from sidecar.domain.transfers.failures import Failure, FailureClass, TransferFailed
from sidecar.events import DownloadChanged, Event
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.commands import DownloadCommand, ResultKind, Selection
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.transitions import WholeFile
from tests.device.examples import remove
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK, opened, track
from tests.services.rules.steered import Ann, Ben, Eve, House, house

STEPS = int(os.environ.get("STEERING_STEPS", "600"))
STEPS_EACH = 50
BODY = b"the whole file of any of them"
HASH = xxhash.xxh3_128_hexdigest(BODY)
ALL = DownloadFilter()
NUMBERS = st.integers(1, 4)
PEOPLE = st.sampled_from([Ann, Ben, Eve])
ORDERS = st.builds(
    DownloadCommand,
    action=st.sampled_from(Action),
    from_zero=st.booleans(),
    keep_part=st.booleans(),
    priority=st.integers(0, 100),
    before=st.integers(1, 6),
    force=st.booleans(),
    for_everyone=st.booleans(),
)
FAILURES = st.sampled_from(
    [
        Failure(FailureClass.TRANSIENT, "reset", "The line broke"),
        Failure(FailureClass.REFUSED, "refused", "Jellyfin refuses it"),
        Failure(FailureClass.CHANGED, "changed", "It is another file now"),
        Failure(FailureClass.BLOCKED, "blocked", "A login page came"),
    ]
)


@dataclass
class Running:
    """A worker's download, and how far the worker has come."""

    download: Download
    stop: Flag
    is_open: bool = False
    is_final: bool = False
    is_renamed: bool = False


class Interleavings(RuleBasedStateMachine):
    """A worker's step is taken apart, so that anything may come between its parts.

    Unlike a real worker the one here hears of a stop only between its steps, and may ignore it
    for as long as it likes.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        self.states: dict[int, Status] = {}
        self.odd: list[Event] = []
        self.start()

    def start(self) -> None:
        self.stack = ExitStack()
        self.world = self.stack.enter_context(opened(self.folder, self.clock))
        self.world.bus.subscribe(self.hear)
        self.home: House = self.stack.enter_context(house(self.world, self.folder))
        self.downloads, self.claims = self.world.downloads, self.home.works.claims
        self.running: dict[int, Running] = {}
        self.home.works.engine.body = BODY

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()
            shutil.rmtree(self.folder)

    def hear(self, event: Event) -> None:
        if not isinstance(event, DownloadChanged):
            return
        number, was, now = event.download.id, event.was, event.now
        legal = {to for (before, _), to in MOVES.items() if before is was}
        is_cancel = now is None and was not in {Status.COMPLETED, Status.REMOVED}
        # A listener that raises is only logged.
        if self.states.get(number) is not was or not (
            was in {None, now} or is_cancel or now in legal
        ):
            self.odd.append(event)
        self.states.pop(number, None)
        if now is not None:
            self.states[number] = now

    # -- people

    @rule(person=PEOPLE, number=NUMBERS)
    def press_a_heart(self, person: Person, number: int) -> None:
        item = track(number, size=len(BODY))
        tombstones = self.home.tombstones.items(person.user_id, STICK)
        if item.id not in tombstones or self.downloads.queries.by_item(STICK, item.id):
            self.home.hold(person, number)

    @rule(person=PEOPLE, number=NUMBERS)
    def ask_for(self, person: Person, number: int) -> None:
        item = track(number, size=len(BODY))
        self.home.planning.pin(person.user_id, STICK, item, lambda _ids: {item.id: item})
        assert self.downloads.queries.by_item(STICK, item.id) is not None

    @rule(person=PEOPLE, number=NUMBERS, order=ORDERS)
    def act(self, person: Person, number: int, order: DownloadCommand) -> None:
        row = self.downloads.queries.by_item(STICK, track(number).id)
        (outcome,) = self.home.actions.act_on(person, [row.id if row else 999], order)
        now = self.downloads.queries.by_item(STICK, track(number).id)
        assert outcome.text
        if outcome.result in {ResultKind.REFUSED, ResultKind.UNCHANGED, ResultKind.NOT_FOUND}:
            assert now == row

    @rule(person=PEOPLE, order=ORDERS)
    def act_on_all(self, person: Person, order: DownloadCommand) -> None:
        self.home.actions.act_on_all(person, Selection(), order)

    # -- a worker, step by step

    @rule(at_most=st.integers(1, 3))
    def claim(self, at_most: int) -> None:
        taken = self.claims.take_next(
            lambda busy: self.downloads.queue.claim_together(
                self.clock.now(), NotNow(downloads=busy), at_most=at_most
            )
        )
        if taken is not None:
            assert taken[0].id not in self.running, "two workers at one part file"
            self.running[taken[0].id] = Running(*taken)

    @rule()
    def give_back(self) -> None:
        self.claims.give_back()

    @rule(pick=st.integers(0, 3), held=st.integers(0, len(BODY)))
    def write(self, pick: int, held: int) -> None:
        one = self.one_of(pick)
        if one is None or one.is_final:
            return
        part = self.home.works.registry.get(STICK).folder.part(one.download.id)
        with part.open() as file:
            file.write(BODY[:held])
        validator = Validator("Sun, 01 Nov 2026 10:00:00 GMT", len(BODY))
        if not one.is_open and not self.downloads.transitions.transfer_started(
            one.download.id, validator, 0
        ):
            self.end(one)
            return
        one.is_open = True
        self.downloads.transitions.record_synced(one.download.id, held)

    @rule(pick=st.integers(0, 3))
    def finalize(self, pick: int) -> None:
        one = self.one_of(pick)
        if one is None or not one.is_open or one.is_final:
            return
        part = self.home.works.registry.get(STICK).folder.part(one.download.id)
        with part.open() as file:
            file.write(BODY)
        [may_go_on] = self.downloads.transitions.mark_all_finalizing(
            [(one.download.id, WholeFile(len(BODY), HASH, None), {})]
        )
        if not may_go_on:
            self.end(one)
            return
        one.is_final = True

    @rule(pick=st.integers(0, 3))
    def rename(self, pick: int) -> None:
        one = self.one_of(pick)
        if one is None or not one.is_final or one.is_renamed:
            return
        folder = self.home.works.registry.get(STICK).folder
        folder.finish(folder.part(one.download.id), one.download.file_path)
        one.is_renamed = True

    @rule(pick=st.integers(0, 3))
    def arrive(self, pick: int) -> None:
        one = self.one_of(pick)
        if one is None or not one.is_renamed:
            return
        arrived = self.downloads.transitions.mark_arrived(
            one.download, size=len(BODY), content_hash=HASH, mime_type=None
        )
        assert arrived, "nothing may come between the rename and the arrival"
        self.end(one)

    @rule(pick=st.integers(0, 3), failure=FAILURES)
    def fail(self, pick: int, failure: Failure) -> None:
        one = self.one_of(pick)
        if one is None or one.is_final:
            return
        self.home.works.worker._failing.failed(one.download, TransferFailed(failure), None)
        self.end(one)

    @rule(pick=st.integers(0, 3))
    def obey(self, pick: int) -> None:
        one = self.one_of(pick)
        if one is not None and one.stop.is_set() and not one.is_final:
            self.end(one)

    def one_of(self, pick: int) -> Running | None:
        running = list(self.running.values())
        return running[pick % len(running)] if running else None

    def end(self, one: Running) -> None:
        self.home.works.worker._failing.stopped(one.download)
        del self.running[one.download.id]
        self.claims.end(one.download.id)

    # -- the rest of the world

    @rule(seconds=st.sampled_from([1, 20, 4000]))
    def time_goes_by(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds).total_seconds())
        self.home.planning.release_expired()
        for download in self.downloads.queries.failed_and_due(self.clock.now()):
            self.downloads.transitions.retry(download)

    @rule(number=NUMBERS)
    def make_room(self, number: int) -> None:
        row = self.downloads.queries.by_item(STICK, track(number).id)
        if row is not None and row.status is Status.COMPLETED:
            remove(self.home.works.registry.get(STICK).folder, row.file_path, size=len(BODY))
            self.downloads.transitions.evict(row)

    @rule()
    def crash(self) -> None:
        self.stack.close()
        before = set(self.states)
        self.start()
        assert set(self.states) == before, "a crash loses no row and makes none"
        assert Status.DOWNLOADING not in self.states.values()

    # -- what is always so

    @invariant()
    def the_rows_are_what_the_news_said(self) -> None:
        assert self.odd == [], "news must follow one another by the table of moves"
        rows, _ = self.downloads.queries.page(ALL, 1, 100)
        assert {row.id: row.status for row in rows} == self.states
        assert len({(row.device_id, row.item_id) for row in rows}) == len(rows)
        for row in rows:
            assert 0 <= row.bytes_downloaded <= len(BODY)
            assert not row.finalizing or row.status is Status.DOWNLOADING
            is_claimed = row.id in self.running or row.id in self.claims.busy()
            assert row.status is not Status.DOWNLOADING or is_claimed

    @invariant()
    def what_is_completed_is_there_and_nothing_else_is(self) -> None:
        rows, _ = self.downloads.queries.page(ALL, 1, 100)
        stick = self.home.works.stick
        renamed = [one.download.file_path for one in self.running.values() if one.is_renamed]
        expected = {row.file_path for row in rows if row.status is Status.COMPLETED}
        found = {
            str(one.relative_to(stick)) for one in stick.rglob("*.flac") if one.read_bytes() == BODY
        }
        assert found == expected | set(renamed)

    @invariant()
    def nothing_is_lost_that_somebody_holds(self) -> None:
        held = self.world.db.sql("SELECT DISTINCT item_id FROM holds")
        for (item_id,) in held:
            assert self.downloads.queries.by_item(STICK, item_id) is not None

    @invariant()
    def every_part_file_has_somebody_who_wants_it(self) -> None:
        finished = {
            number
            for number, status in self.states.items()
            if status in {Status.COMPLETED, Status.REMOVED}
        }
        parts = {int(one.removesuffix(".part")) for one in self.home.parts()} - set(self.running)
        assert not parts & (finished | self.downloads.queue.list_forgotten(parts))


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=max(1, STEPS // STEPS_EACH),
    stateful_step_count=STEPS_EACH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
