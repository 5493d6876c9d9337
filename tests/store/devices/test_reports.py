"""What is told of devices counts as long as the process that told it holds them."""

from __future__ import annotations

import pytest

from sidecar.store.database import Database
from sidecar.store.devices.devices import Devices
from sidecar.store.devices.machines import DeviceMachines
from sidecar.store.devices.reports import ReportKey, Reports
from sidecar.store.processes import Processes
from tests.fakes.clock import FakeClock
from tests.store.devices.test_machines import become
from tests.store.examples import CARD, STICK


@pytest.fixture
def reports(db: Database, clock: FakeClock) -> Reports:
    """The car holds the stick, the nas the card; asked as the nas."""
    machines = DeviceMachines(db, clock)
    for name, device in (("car", STICK), ("nas", CARD)):
        become(db, clock, name)
        assert machines.hold(device, name, f"/{name}")
    return Reports(db)


def test_others_read_what_the_holder_put_last(
    db: Database, clock: FakeClock, reports: Reports
) -> None:
    reports.put(CARD, "plan", 1, "of the nas")
    become(db, clock, "car")
    reports.put(STICK, "plan", 1, "old")
    assert reports.put(STICK, "lost", 2, "six files")
    reports.put(STICK, "plan", 3, "new")
    become(db, clock, "nas")

    plan, lost = ReportKey(STICK, "plan", "car", 3), ReportKey(STICK, "lost", "car", 2)
    assert reports.of_others() == {(STICK, "plan"): plan, (STICK, "lost"): lost}
    assert reports.read(plan) == "new"
    assert reports.read(ReportKey(STICK, "plan", "car", 1)) is None, "it has changed since"

    reports.drop(STICK, "lost")
    assert reports.read(lost) == "six files", "it is not this process's"
    become(db, clock, "car")
    reports.drop(STICK, "lost")
    assert reports.read(lost) is None
    assert {*reports.of_others()} == {(CARD, "plan")}


def test_what_is_told_counts_only_while_its_process_holds_the_device(
    db: Database, clock: FakeClock, reports: Reports
) -> None:
    become(db, clock, "car")
    reports.put(STICK, "plan", 1, "of the car")
    reports.put(CARD, "plan", 2, "it is not there")
    become(db, clock, "nas")
    assert {*reports.of_others()} == {(STICK, "plan")}

    become(db, clock, "car")
    DeviceMachines(db, clock).let_go(STICK, "unplugged", "Safe to remove")
    become(db, clock, "nas")
    assert reports.of_others() == {}


def test_what_is_told_goes_with_the_lease_and_with_the_device(
    db: Database, clock: FakeClock, reports: Reports
) -> None:
    become(db, clock, "car")
    reports.put(STICK, "plan", 1, "of the car")
    become(db, clock, "nas")
    reports.put(CARD, "plan", 1, "of the nas")

    assert Processes(db, clock).end("car")
    assert reports.of_others() == {}
    assert db.sql("SELECT device_id FROM device_reports") == [(CARD,)]
    db.process_id = "car"
    assert not reports.put(STICK, "plan", 2, "whoever has no lease tells nothing")

    Devices(db).forget(CARD)
    assert db.sql("SELECT device_id FROM device_reports") == []
