"""What a process has found counts as long as it lives and nobody has settled it."""

from __future__ import annotations

from sidecar.store.database import Database
from sidecar.store.findings import FindingKey, Findings
from sidecar.store.processes import Processes
from tests.fakes.clock import FakeClock
from tests.store.devices.test_machines import become


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
    assert {*findings.list_keys()} == {
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
    left = [one for one in findings.list_keys() if one.kind == "question"]
    assert [(one.subject, one.process_id) for one in left] == [
        ("one", "car"),
        ("two", "car"),
        ("two", "nas"),
    ]
    findings.drop("question", ["one", "two"], of_all=True)
    assert {(one.kind, one.process_id) for one in findings.list_keys()} == {
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
    assert list(findings.list_keys()) == []
    db.process_id = "car"
    assert not findings.has_lease()
    assert not findings.put("problem", 2, {"server": "away"})
