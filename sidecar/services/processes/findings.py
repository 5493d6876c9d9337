"""Tells other processes what was found here, and those here what others have found.

    found here ─▶ `step`: written when it has changed ─▶ `findings` ─▶ `step` on every other process
                                                            ▲
    settled on whatever page ───────────────────────────────┘ deleted: who found it forgets it

With one process nothing is written, and nothing is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from sidecar.events import Bus, NoticesChanged
from sidecar.process.threads import attempt
from sidecar.services.processes.known import Known
from sidecar.services.processes.told_values import read_value, write_value
from sidecar.store.findings import FindingKey, Findings

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What a process on this machine has found about a subject."""

    subject: str
    machine: str
    value: T


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    name: str
    form: Any
    found: Callable[[], Mapping[str, object]]
    tell: Callable[[Sequence[Told[Any]]], object]
    is_notice: bool = True
    known: Known[Any] | None = None


class SharedFindings:
    """Shares findings of several kinds. One thread calls `step`."""

    def __init__(self, store: Findings, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._kinds: list[_Kind] = []
        self._written: dict[tuple[str, str], object] = {}
        self._written_by = store.own_id
        self._versions = 0
        self._read: dict[FindingKey, Told[Any] | None] = {}

    def share(
        self,
        kind: str,
        form: type[T],
        *,
        found: Callable[[], Mapping[str, T]],
        tell: Callable[[Sequence[Told[T]]], object],
        is_notice: bool = True,
    ) -> None:
        """Share findings that end when their process says so.

        Args:
            kind: Names them in the database.
            form: What one is: see `told_values`.
            found: Returns what was found here, by subject.
            tell: Takes what all other processes have found, whenever that has changed.
            is_notice: Whether pages tell people of it, and so look again at each change.
        """
        self._kinds.append(_Kind(name=kind, form=form, found=found, tell=tell, is_notice=is_notice))

    def share_questions(self, kind: str, form: type[T], known: Known[T]) -> None:
        """Share questions, which are settled on any process."""

        def tell(told: Sequence[Told[T]]) -> None:
            known.tell({one.subject: one.value for one in told})

        self._kinds.append(_Kind(name=kind, form=form, found=known.found, tell=tell, known=known))

    def step(self) -> None:
        """Write what has changed here, and tell those here what has changed elsewhere."""
        if self._written_by != self._store.own_id:
            # The lease of that process has ended, and its findings with it.
            self._written, self._written_by = {}, self._store.own_id
        for kind in self._kinds:
            attempt(partial(self._settle, kind), f"settling the {kind.name}")
            attempt(partial(self._write, kind), f"telling the {kind.name}")
        self._follow(self._store.list_keys())

    def _settle(self, kind: _Kind) -> None:
        if kind.known is not None and (settled := kind.known.settled()):
            self._store.drop(kind.name, settled, of_all=True)
            kind.known.end_settled(settled)

    def _write(self, kind: _Kind) -> None:
        found, name = kind.found(), kind.name
        before = {subject: one for (of, subject), one in self._written.items() if of == name}
        gone = before.keys() - found.keys()
        changed = {
            subject: one
            for subject, one in found.items()
            if subject not in before or before[subject] != one
        }
        if gone:
            self._store.drop(name, gone)
            for subject in gone:
                del self._written[name, subject]
        if not changed:
            return
        self._versions += 1
        contents = {subject: write_value(one) for subject, one in changed.items()}
        if self._store.put(name, self._versions, contents):
            self._written |= {(name, subject): one for subject, one in changed.items()}

    def _follow(self, keys: Collection[FindingKey]) -> None:
        own = {(one.kind, one.subject) for one in keys if one.process_id == self._written_by}
        taken = self._written.keys() - own
        if taken and self._store.has_lease():
            for kind in self._kinds:
                if kind.known is not None:
                    kind.known.forget([subject for of, subject in taken if of == kind.name])
            for one in taken:
                del self._written[one]
        others = {one for one in keys if one.process_id != self._written_by}
        if others == self._read.keys() and not taken:
            return
        changed = others ^ self._read.keys()
        self._read = {one: self._read.get(one) or self._read_one(one) for one in others}
        for kind in self._kinds:
            kind.tell(
                [
                    told
                    for key, told in sorted(self._read.items(), key=lambda it: it[0].process_id)
                    if told is not None and key.kind == kind.name
                ]
            )
        told_of = {one.name for one in self._kinds if one.is_notice}
        if taken or any(one.kind in told_of for one in changed):
            self._bus.receive(NoticesChanged())

    def _read_one(self, key: FindingKey) -> Told[Any] | None:
        forms = [one.form for one in self._kinds if one.name == key.kind]
        found = self._store.read(key)
        if found is None or not forms:
            return None
        machine, content = found
        try:
            return Told(key.subject, machine, read_value(forms[0], content))
        except ValidationError:
            log.warning("what %s tells of a %s is of another version", machine, key.kind)
            return None
