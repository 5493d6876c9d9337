"""What a process has found and the others show: problems, questions, what it knows of its devices.

Each is JSON of a form that its kind names. It goes with the lease of its process, and before that
when whoever it is shown by says that it is settled. What is about a device counts as long as its
process holds that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import peewee

from sidecar.store.database import Database
from sidecar.store.schema.tables import DeviceMachineRow, FindingRow, ProcessRow


@dataclass(frozen=True, slots=True)
class FindingKey:
    """One state of one finding: another state has another key.

    Attributes:
        subject: What it is about, an id of its kind's own.
        version: Another number for each state that the process has put.
    """

    kind: str
    subject: str
    process_id: str
    version: int


class Findings:
    """Stores findings. Safe for many threads and processes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def own_id(self) -> str:
        """The process whose findings these are."""
        return self._db.process_id

    def put(self, kind: str, version: int, contents: Mapping[str, str]) -> bool:
        """Put findings of this process, by subject, in the places of those before.

        Returns:
            Whether they were put: not if this process has no lease.
        """
        row = FindingRow
        with self._db.write_lazily():
            if not self.has_lease():
                return False
            for subject, content in contents.items():
                changed = {"version": version, "content": content}
                self._db.execute(
                    row.insert(
                        kind=kind, subject=subject, process_id=self.own_id, **changed
                    ).on_conflict(
                        conflict_target=[row.kind, row.subject, row.process_id], update=changed
                    )
                )
        return True

    def drop(self, kind: str, subjects: Collection[str], *, of_all: bool = False) -> None:
        """Delete findings of this process, or of all."""
        row = FindingRow
        gone = (row.kind == kind) & row.subject.in_([*subjects])
        if not of_all:
            gone &= row.process_id == self.own_id
        with self._db.write_lazily():
            self._db.execute(peewee.ModelDelete(row).where(gone))

    def keys(self) -> Mapping[tuple[str, str], Sequence[FindingKey]]:
        """Return the keys of all findings that count, also of this process, by kind and subject."""
        return self._db.once(Findings, self._read_keys)

    def _read_keys(self) -> Mapping[tuple[str, str], Sequence[FindingKey]]:
        row, on_machine = FindingRow, DeviceMachineRow
        is_holder = (on_machine.device_id == row.subject) & (
            on_machine.process_id == row.process_id
        )
        query = (
            row.select(row.kind, row.subject, row.process_id, row.version)
            .join(on_machine, peewee.JOIN.LEFT_OUTER, on=is_holder)
            .where(
                on_machine.device_id.is_null(is_null=False)
                | row.subject.not_in(on_machine.select(on_machine.device_id))
            )
            .order_by(row.kind, row.subject, row.process_id)
        )
        found: defaultdict[tuple[str, str], list[FindingKey]] = defaultdict(list)
        for key in (FindingKey(**one) for one in self._db.rows(query)):
            found[key.kind, key.subject].append(key)
        return dict(found)

    def read(self, key: FindingKey) -> tuple[str, str] | None:
        """Return the machine and the content of a finding; None if it has changed or gone."""
        row = FindingRow
        which = (row.kind == key.kind) & (row.subject == key.subject)
        which &= (row.process_id == key.process_id) & (row.version == key.version)
        query = row.select(ProcessRow.host, row.content).join(
            ProcessRow, on=ProcessRow.id == row.process_id
        )
        found = self._db.row(query.where(which))
        return (found["host"], found["content"]) if found else None

    def has_lease(self) -> bool:
        """Whether this process may put any: its lease has not been ended."""
        return self._db.has_lease()
