from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from sidecar.domain.downloads.download import MOVES, Download, Status, Validator
from sidecar.errors import IllegalMove
from sidecar.events import Bus, DownloadChanged, Event
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queue import Downloads, WantedAgain
from sidecar.store.downloads.transitions import WholeFile
from tests.fakes.clock import START, FakeClock
from tests.store.examples import BEGIN, HASH, STICK, TIMED_OUT, wanted, with_tables

FAR = BEGIN + timedelta(days=365)
SOME_VALIDATOR = Validator("Sun, 01 Nov 2026 10:00:00 GMT", 1000)


def cancel(them: Downloads, one: Download) -> bool:
    return them.queue.cancel(one)


class Interleavings(RuleBasedStateMachine):
    """Several hands at one queue: each acts on a download as it saw it, however long ago.

    `seen` are such glimpses. The model is the state alone, told by the news.
    """

    seen: Bundle[Download] = Bundle("seen")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        self.db = Database.open(with_tables(self.folder / "sidecar.db"), clock=self.clock)
        Devices(self.db).save(Device(STICK, "Car stick", "/media/car", START))
        self.states: dict[int, Status] = {}
        bus = Bus()
        bus.subscribe(self.hear)
        self.downloads = Downloads(self.db, bus, self.clock)

    def teardown(self) -> None:
        self.db.close()
        shutil.rmtree(self.folder)

    def hear(self, event: Event) -> None:
        if not isinstance(event, DownloadChanged):
            return
        number = event.download.id
        assert self.states.get(number) is event.was, "news must follow one another"
        legal = {now for (was, _), now in MOVES.items() if was is event.was}
        assert event.was in {None, event.now} or event.now is None or event.now in legal
        if event.now is None:
            del self.states[number]
        else:
            self.states[number] = event.now

    @rule(target=seen, number=st.integers(0, 4), again=st.booleans(), priority=st.integers(0, 2))
    def enqueue(self, number: int, again: bool, priority: int) -> Download:
        asked, queue = wanted(number, priority=priority), self.downloads.queue
        there = self.downloads.queries.by_item(asked.device_id, asked.item.id)
        if there is None:
            return queue.add_all([asked])[0]
        if there.status is Status.REMOVED and again:
            queue.add_all([], again=[WantedAgain(there, there.user_id, priority, 0)])
        else:
            queue.prioritise(there, priority)
        found = self.downloads.queries.get(there.id)
        assert found is not None
        return found

    @rule(target=seen)
    def claim(self) -> Download:
        due = [one for one, status in self.states.items() if status is Status.PENDING]
        found = self.downloads.queue.claim_together(FAR, at_most=1)
        assert bool(found) == bool(due)
        return multiple(*found)  # type: ignore[return-value]

    @rule(target=seen, download=consumes(seen))
    def look_again(self, download: Download) -> Download:
        found = self.downloads.queries.get(download.id)
        return multiple() if found is None else multiple(found)  # type: ignore[return-value]

    def runs_here(self, download_id: int) -> bool:
        row = self.downloads.queries.get(download_id)
        return row is not None and row.claimed_by == self.db.process_id

    @rule(download=seen, held=st.integers(0, 1000))
    def note_progress(self, download: Download, held: int) -> None:
        runs = self.runs_here(download.id)
        assert (
            self.downloads.transitions.transfer_started(download.id, SOME_VALIDATOR, held) is runs
        )
        assert self.downloads.transitions.record_synced(download.id, held) is runs

    @rule(download=seen)
    def finalize(self, download: Download) -> None:
        runs = self.runs_here(download.id)
        [marked] = self.downloads.transitions.mark_all_finalizing(
            [(download.id, WholeFile(1000, HASH, None), {})]
        )
        assert marked is runs

    def is_as_seen(self, download: Download) -> bool:
        row = self.downloads.queries.get(download.id)
        seen = (download.status, download.claimed_by)
        return row is not None and (row.status, row.claimed_by) == seen

    @rule(
        download=seen,
        what=st.sampled_from(
            [
                lambda them, one: them.transitions.mark_arrived(
                    one, size=1000, content_hash=HASH, mime_type=None
                ),
                lambda them, one: them.transitions.postpone(
                    one, until=None, failure=TIMED_OUT, retry_count=1
                ),
                lambda them, one: them.transitions.give_up(
                    one, until=None, failure=TIMED_OUT, retry_count=3, from_zero=True
                ),
                lambda them, one: them.transitions.retry(one),
                lambda them, one: them.transitions.resume(one),
                lambda them, one: them.transitions.mark_missing(one),
                lambda them, one: them.transitions.evict(one),
                lambda them, one: them.transitions.delete(one),
                lambda them, one: them.transitions.mark_damaged(one, TIMED_OUT),
                lambda them, one: them.transitions.want_again(one, user_id="a" * 32),
            ]
        ),
    )
    def move(self, download: Download, what: object) -> None:
        is_as_seen = self.is_as_seen(download)
        try:
            moved = what(self.downloads, download)  # type: ignore[operator]
        except IllegalMove:
            return
        assert moved is is_as_seen

    @rule(
        download=seen,
        stop=st.sampled_from(
            [
                lambda them, one: them.transitions.pause(one),
                cancel,
            ]
        ),
    )
    def stop(self, download: Download, stop: object) -> None:
        row = self.downloads.queries.get(download.id)
        is_as_seen = row is not None and row.status is download.status
        # Whoever cancels need not know who is busy with it.
        is_as_seen &= stop is cancel or self.is_as_seen(download)
        try:
            stopped = stop(self.downloads, download)  # type: ignore[operator]
        except IllegalMove:
            return
        assert stopped is (is_as_seen and row is not None and not row.finalizing)

    @rule()
    def crash(self) -> None:
        self.db.close()
        self.db = Database.open(self.folder / "sidecar.db", clock=self.clock)
        bus = Bus()
        bus.subscribe(self.hear)
        self.downloads = Downloads(self.db, bus, self.clock)
        to_settle = self.downloads.queue.recover()
        running = [one for one, status in self.states.items() if status is Status.DOWNLOADING]
        assert sorted(one.id for one in to_settle) == sorted(running)
        assert all(one.finalizing for one in to_settle)

    @invariant()
    def the_rows_are_what_the_news_said(self) -> None:
        rows, total = self.downloads.queries.page(DownloadFilter(), 1, 100)
        assert {row.id: row.status for row in rows} == self.states
        counts = self.downloads.queries.counts(DownloadFilter())
        assert sum(counts.values()) == total == len(self.states)
        for row in rows:
            assert not row.finalizing or row.status is Status.DOWNLOADING
            assert (row.claimed_by is not None) is (row.status is Status.DOWNLOADING)
            assert row.status is not Status.COMPLETED or row.file_size == 1000
            assert (row.completed_at is not None) >= (row.status is Status.COMPLETED)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
