"""What a process has found counts as long as it lives and nobody has settled it."""

from __future__ import annotations

from sidecar.store.database import Database
from sidecar.store.devices.machines import DeviceMachines
from sidecar.store.findings import FindingKey, Findings
from sidecar.store.processes import Processes
from tests.fakes.clock import FakeClock
from tests.store.devices.test_machines import become
from tests.store.examples import CARD, STICK


def every(findings: Findings) -> list[FindingKey]:
    return [key for keys in findings.keys().values() for key in keys]


def test_findings_are_read_with_their_machine_until_they_change(
    db: Database, clock: FakeClock
) -> None:
    findings = Findings(db)
    become(db, clock, "car")
    assert findings.put("problem", 1, {"server": "away", "account": "signed out"})
    assert findings.put("problem", 2, {"server": "another one"})
    become(db, clock, "nas")
    assert findings.put("problem", 1, {"server": "away"})

    of_car = FindingKey("problem", "server", "car", 2)
    assert {*every(findings)} == {
        of_car,
        FindingKey("problem", "account", "car", 1),
        FindingKey("problem", "server", "nas", 1),
    }
    assert findings.read(of_car) == ("car", "another one")
    assert findings.read(FindingKey("problem", "server", "car", 1)) is None, "it has changed"


def test_findings_are_dropped_by_their_process_or_settled_for_all(
    db: Database, clock: FakeClock
) -> None:
    findings = Findings(db)
    for name in ("car", "nas"):
        become(db, clock, name)
        findings.put("question", 1, {"one": name, "two": name})
        findings.put("problem", 1, {"one": name})
    findings.drop("question", ["one"])
    left = [one for one in every(findings) if one.kind == "question"]
    assert [(one.subject, one.process_id) for one in left] == [
        ("one", "car"),
        ("two", "car"),
        ("two", "nas"),
    ]
    findings.drop("question", ["one", "two"], of_all=True)
    assert {(one.kind, one.process_id) for one in every(findings)} == {
        ("problem", "car"),
        ("problem", "nas"),
    }


def test_findings_go_with_the_lease_and_need_one(db: Database, clock: FakeClock) -> None:
    findings = Findings(db)
    become(db, clock, "car")
    findings.put("problem", 1, {"server": "away"})
    become(db, clock, "nas")
    assert findings.has_lease()

    assert Processes(db, clock).end("car")
    assert every(findings) == []
    db.process_id = "car"
    assert not findings.has_lease()
    assert not findings.put("problem", 2, {"server": "away"})


def test_what_is_known_of_a_device_counts_only_while_its_process_holds_it(
    db: Database, clock: FakeClock
) -> None:
    findings, machines = Findings(db), DeviceMachines(db, clock)
    for name, device in (("nas", CARD), ("car", STICK)):
        become(db, clock, name)
        assert machines.hold(device, name, f"/{name}")
    findings.put("plan", 1, {STICK: "of the car", CARD: "it is not there"})
    findings.put("problem", 2, {"server jellyfin": "away"})
    become(db, clock, "nas")
    problem = FindingKey("problem", "server jellyfin", "car", 2)
    plan = FindingKey("plan", STICK, "car", 1)
    assert findings.keys() == {("plan", STICK): [plan], (problem.kind, problem.subject): [problem]}
    assert findings.read(plan) == ("car", "of the car")

    become(db, clock, "car")
    machines.let_go(STICK, "unplugged", "Safe to remove")
    assert every(findings) == [problem]
    become(db, clock, "nas")
    assert machines.hold(STICK, "nas", "/nas")
    assert every(findings) == [problem], "another one holds it"
