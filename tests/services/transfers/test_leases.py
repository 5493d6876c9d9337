"""Processes on one database: each has its own connection, clock, claims and file that it locks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from sidecar.domain.downloads.download import Download, Move, Status
from sidecar.domain.processes.leases import LEASE_S
from sidecar.events import Bus
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.leases import Leases
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.transitions import WholeFile
from sidecar.store.stores import Stores
from tests.fakes.clock import START, FakeClock
from tests.store.examples import HASH, STICK, wanted, with_tables

FILE = WholeFile(1000, HASH, None)


class OneProcess:
    """A process: what it has of its own, and what it does to a download."""

    def __init__(self, db: Database, folder: Path, clock: FakeClock, host: str = "nas") -> None:
        bus = Bus()
        self.db, self.clock, self.claims = db, clock, Claims()
        self.store = Stores(db, bus, clock)
        self.downloads = self.store.downloads
        bus.subscribe(self.claims.hear)
        self.losses = 0
        self.leases = Leases(
            self.store.processes,
            downloads=self.downloads,
            claims=self.claims,
            host=host,
            folder=folder,
            clock=clock,
            lost=self._lost,
        )

    def _lost(self) -> None:
        self.losses += 1

    def claim(self) -> tuple[Download, Event]:
        taken = self.try_claim()
        assert taken is not None
        return taken

    def try_claim(self) -> tuple[Download, Event] | None:
        return self.claims.take_next(
            lambda busy: self.downloads.queue.claim_together(
                self.clock.now(), NotNow(downloads=busy), at_most=1
            )
        )

    def finish(self, download: Download) -> bool:
        """Finish a file as a worker does; return whether it is recorded as arrived."""
        [may] = self.downloads.transitions.mark_all_finalizing([(download.id, FILE, {})])
        if not may:
            return False
        [is_done] = self.downloads.transitions.mark_all_arrived([(download, FILE)])
        return is_done

    def die(self) -> None:
        """End as by SIGKILL: the kernel drops the lock, and nothing else happens."""
        assert self.leases._lock is not None
        self.leases._lock.release()


@contextmanager
def opened(path: Path, *hosts: str) -> Iterator[list[OneProcess]]:
    """Open processes on one database, the first of which has made it."""
    clock = FakeClock()
    dbs = [Database.open(with_tables(path), clock=clock)]
    dbs += [Database.open_existing(path) for _ in hosts[1:]]
    all_of_them = [
        OneProcess(db, path.parent / host, clock, host) for db, host in zip(dbs, hosts, strict=True)
    ]
    all_of_them[0].store.devices.save(Device(STICK, "Car stick", "/media/car", START))
    for one in all_of_them:
        one.leases.begin(is_alone=False)
    yield all_of_them
    for one in reversed(all_of_them):
        one.leases.end()
        one.db.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sidecar.db"


def statuses(one: OneProcess) -> list[Status]:
    found = [one.downloads.queries.get(number) for number in range(1, 4)]
    return [row.status for row in found if row is not None]


def test_who_died_on_this_machine_is_found_at_once_and_its_download_goes_on_elsewhere(
    path: Path,
) -> None:
    with opened(path, "nas", "nas") as (left, other):
        for number in (1, 2):
            left.downloads.queue.add_all([wanted(number)])
        lost, _ = other.claim()
        kept, _ = left.claim()
        left.leases.step()
        assert statuses(left) == [Status.DOWNLOADING, Status.DOWNLOADING]

        other.die()
        left.leases.step()

        assert statuses(left) == [Status.PENDING, Status.DOWNLOADING]
        again, _ = left.claim()
        assert (again.id, again.claimed_by) == (lost.id, left.db.process_id)
        assert left.finish(again)
        assert left.finish(kept)


def test_what_one_left_claimed_that_ended_in_order_goes_on_elsewhere(path: Path) -> None:
    with opened(path, "nas", "car") as (nas, car):
        nas.downloads.queue.add_all([wanted(1)])
        nas.claim()

        # A worker hangs; the process ends without it.
        nas.leases.end()
        car.leases.step()

        assert statuses(car) == [Status.PENDING]
        assert car.try_claim() is not None
        car.leases.step()
        assert statuses(car) == [Status.DOWNLOADING]


def test_a_paused_process_of_another_machine_loses_its_lease_and_must_not_finish(
    path: Path,
) -> None:
    with opened(path, "nas", "car") as (nas, car):
        nas.downloads.queue.add_all([wanted(1)])
        asleep, stop = car.claim()
        nas.leases.step()
        nas.clock.advance(LEASE_S - 1)
        nas.leases.step()
        assert statuses(nas) == [Status.DOWNLOADING]

        nas.clock.advance(1)
        nas.leases.step()
        assert statuses(nas) == [Status.PENDING]

        # Awake again, before it has looked whether its lease is over.
        assert not car.finish(asleep)
        assert not car.downloads.transitions.record_synced(asleep.id, 500)
        again, _ = nas.claim()
        assert not car.finish(asleep)
        assert not car.downloads.transitions.move(asleep, Move.POSTPONE)
        assert not car.downloads.queue.hand_over(asleep, "b" * 32)
        before = car.db.process_id
        car.leases.step()

        assert stop.is_set()
        assert (nas.losses, car.losses) == (0, 1)
        assert car.db.process_id != before
        assert sorted(car.leases.living()) == sorted([nas.db.process_id, car.db.process_id])
        assert nas.finish(again)
        assert statuses(nas) == [Status.COMPLETED]


def test_a_heartbeat_that_comes_at_the_last_moment_keeps_the_lease(path: Path) -> None:
    with opened(path, "nas", "car") as (nas, car):
        nas.downloads.queue.add_all([wanted(1)])
        download, stop = car.claim()
        for _ in range(5):
            nas.leases.step()
            nas.clock.advance(LEASE_S - 1)
            car.leases.step()

        assert car.finish(download)
        assert not stop.is_set()


def test_who_starts_alone_takes_all_and_who_joins_takes_nothing_of_the_living(path: Path) -> None:
    with opened(path, "nas") as (first,):
        first.downloads.queue.add_all([wanted(1)])
        first.claim()
    with opened(path, "nas", "nas") as (second, third):
        assert statuses(second) == [Status.PENDING]
        second.claim()
        with_more = Database.open_existing(path)
        fourth = OneProcess(with_more, path.parent / "nas", second.clock)
        fourth.leases.begin(is_alone=False)

        assert statuses(third) == [Status.DOWNLOADING]
        assert len(third.leases.living()) == 3
        fourth.leases.end()
        assert len(third.leases.living()) == 2

        fourth.db.process_id = "alone"
        fourth.leases.begin(is_alone=True, is_sure=True)
        assert statuses(third) == [Status.PENDING]
        assert fourth.leases.living() == ["alone"]
        [before] = fourth.store.processes.all()
        fourth.clock.advance(LEASE_S)
        fourth.leases.step()
        assert fourth.store.processes.all() == [before], "nobody listens, so the disk may sleep"
        with_more.close()


def test_whose_place_was_taken_while_it_was_cut_off_lets_go_at_its_next_heartbeat(
    path: Path,
) -> None:
    with opened(path, "nas") as (cut_off,):
        cut_off.downloads.queue.add_all([wanted(1)])
        asleep, stop = cut_off.claim()
        db = Database.open_existing(path)
        standby = OneProcess(db, path.parent / "car", cut_off.clock, "car")
        standby.leases.begin(is_alone=True)
        again, _ = standby.claim()

        assert not cut_off.finish(asleep)
        cut_off.leases.step()

        assert stop.is_set()
        assert cut_off.losses == 1
        assert standby.finish(again)
        standby.leases.end()
        db.close()


def test_what_is_paused_in_another_process_stops_at_the_next_heartbeat(path: Path) -> None:
    with opened(path, "nas", "car") as (nas, car):
        nas.downloads.queue.add_all([wanted(1)])
        nas.downloads.queue.add_all([wanted(2)])
        paused, stop = car.claim()
        _, goes_on = car.claim()
        seen = nas.downloads.queries.get(paused.id)
        assert seen is not None
        assert nas.downloads.transitions.pause(seen)
        car.leases.step()

        assert stop.is_set()
        assert not goes_on.is_set()
        assert not car.finish(paused)


def test_who_cannot_reach_the_database_lets_go_when_its_lease_is_over(
    path: Path, tmp_path: Path
) -> None:
    with opened(path, "nas") as (alone,):
        alone.downloads.queue.add_all([wanted(1)])
        _, stop = alone.claim()
        path.rename(tmp_path / "away.db")
        alone.db.close_thread()
        alone.db.dialect.close()
        for seconds, is_let_go in ((LEASE_S - 1, False), (1.0, True)):
            alone.clock.advance(seconds)
            with pytest.raises(Exception, match=r"sidecar\.db"):
                alone.leases.step()
            assert stop.is_set() is is_let_go
        (tmp_path / "away.db").rename(path)


class TwoOwners:
    """Two processes that claim, finish, fail, sleep beyond their lease and wake up in any order."""

    def __init__(self, owners: Sequence[OneProcess], seed: int) -> None:
        self.owners = owners
        self.chance = random.Random(seed)
        self.hands: tuple[list[Download], list[Download]] = ([], [])
        self.sleeper: int | None = None
        self.arrivals: list[int] = []
        self.refused = 0

    def act(self) -> None:
        """Let one of them do something. Who sleeps wakes anywhere: before its heartbeat, too."""
        who, act = self.chance.randrange(2), self.chance.random()
        if act < 0.1:
            self.sleeper = None if self.sleeper == who else who
        elif act < 0.3:
            self.let_time_pass()
        elif act < 0.6:
            if (taken := self.owners[who].try_claim()) is not None:
                self.hands[who].append(taken[0])
        elif self.hands[who]:
            mine = self.hands[who]
            self.end(self.owners[who], mine.pop(self.chance.randrange(len(mine))))

    def let_time_pass(self) -> None:
        self.owners[0].clock.advance(LEASE_S / 2)
        for number, owner in enumerate(self.owners):
            if number != self.sleeper:
                owner.leases.step()

    def end(self, one: OneProcess, download: Download) -> None:
        row = one.downloads.queries.get(download.id)
        is_mine = row is not None and row.claimed_by == download.claimed_by
        self.refused += not is_mine
        if self.chance.random() < 0.3:
            assert one.downloads.transitions.move(download, Move.POSTPONE) is is_mine
        elif one.finish(download):
            assert is_mine
            self.arrivals.append(download.id)
        one.claims.end(download.id)


def test_whatever_becomes_of_two_owners_no_file_is_finished_twice_or_lost(path: Path) -> None:
    many, refused = 12, 0
    for seed in range(3):
        with opened(path.with_name(str(seed)) / "sidecar.db", "nas", "car") as owners:
            for number in range(many):
                owners[0].downloads.queue.add_all([wanted(number)])
            both = TwoOwners(owners, seed)
            for _ in range(300):
                both.act()
            both.sleeper = None
            while len(both.arrivals) < many:
                both.act()
            assert sorted(both.arrivals) == list(range(1, many + 1))
            refused += both.refused
    assert refused, "nobody slept for too long"
