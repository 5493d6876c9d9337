"""Tells other processes what was found here, and those here what others have found.

    found here ─▶ `step`: written when it has changed ─▶ `findings` ─▶ `step` on every other process
                                                            ▲
    settled on whatever page ───────────────────────────────┘ deleted: who found it forgets it

What is known of devices may be long, and few ask for it: it is written some seconds apart and read
when somebody asks. With one process nothing is written, and nothing is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from sidecar.clock import Clock
from sidecar.events import Bus, DeviceChanged, NoticesChanged
from sidecar.process.threads import attempt
from sidecar.services.processes.known import Known
from sidecar.services.processes.told_values import read_value, write_value
from sidecar.store.findings import FindingKey, Findings

log = logging.getLogger(__name__)

# How often what is known of a device is written at most, and how many bytes of it a second: a large
# plan rests longer.
LEAST_REST_S = 5.0
BYTES_A_S = 20_000.0

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
    tell: Callable[[Sequence[Told[Any]]], object] = lambda _told: None
    is_notice: bool = True
    is_of_devices: bool = False
    known: Known[Any] | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written last, and until when nothing else is."""

    value: object
    rests_until: float


class SharedFindings:
    """Shares findings of several kinds. Safe for many threads; one of them calls `step`."""

    def __init__(self, store: Findings, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}
        self._written: dict[tuple[str, str], _Written] = {}
        self._written_by = store.own_id
        self._versions = 0
        self._others: frozenset[FindingKey] = frozenset()
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
        self._kinds[kind] = _Kind(name=kind, form=form, found=found, tell=tell, is_notice=is_notice)

    def share_questions(self, kind: str, form: type[T], known: Known[T]) -> None:
        """Share questions, which are settled on any process."""

        def tell(told: Sequence[Told[T]]) -> None:
            known.tell({one.subject: one.value for one in told})

        self._kinds[kind] = _Kind(name=kind, form=form, found=known.found, tell=tell, known=known)

    def share_of_devices(
        self, kind: str, form: type[T], found: Callable[[], Mapping[str, object]]
    ) -> Callable[[str], T | None]:
        """Share what is known of the devices here, by their ids.

        Returns:
            A function that returns what the process that has a device tells; None if none does.
        """
        self._kinds[kind] = _Kind(name=kind, form=form, found=found, is_of_devices=True)
        return partial(self._find, kind)

    def _find(self, kind: str, device_id: str) -> Any:  # noqa: ANN401 - a T
        for key in self._store.keys().get((kind, device_id), ()):
            if key.process_id != self._store.own_id and (told := self._told(key)) is not None:
                return told.value
        return None

    def step(self) -> None:
        """Write what has changed here, and tell those here what has changed elsewhere."""
        if self._written_by != self._store.own_id:
            # The lease of that process has ended, and its findings with it.
            self._written, self._written_by = {}, self._store.own_id
        for kind in self._kinds.values():
            attempt(partial(self._settle, kind), f"settling the {kind.name}")
            attempt(partial(self._write, kind), f"telling the {kind.name}")
        self._follow([key for keys in self._store.keys().values() for key in keys])

    def _settle(self, kind: _Kind) -> None:
        if kind.known is not None and (settled := kind.known.settled()):
            self._store.drop(kind.name, settled, of_all=True)
            kind.known.end_settled(settled)

    def _write(self, kind: _Kind) -> None:
        found, name, now = kind.found(), kind.name, self._clock.monotonic()
        before = {subject: one for (of, subject), one in self._written.items() if of == name}
        gone = before.keys() - found.keys()
        changed = {
            subject: one
            for subject, one in found.items()
            if (last := before.get(subject)) is None
            or (last.value != one and now >= last.rests_until)
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
            for subject, one in changed.items():
                rest_s = max(LEAST_REST_S, len(contents[subject]) / BYTES_A_S)
                rests_until = now + rest_s if kind.is_of_devices else now
                self._written[name, subject] = _Written(one, rests_until)

    def _follow(self, keys: Sequence[FindingKey]) -> None:
        own = {(one.kind, one.subject) for one in keys if one.process_id == self._written_by}
        settled = {
            (name, subject)
            for name, subject in self._written.keys() - own
            if self._kinds[name].known is not None
        }
        if settled and self._store.has_lease():
            for name, subject in settled:
                cast("Known[Any]", self._kinds[name].known).forget([subject])
                del self._written[name, subject]
        others = [one for one in keys if one.process_id != self._written_by]
        changed, self._others = self._others ^ {*others}, frozenset(others)
        # Other threads add to it meanwhile.
        self._read = {one: self._read[one] for one in others if one in self._read}
        concerned = {one.kind for one in changed} | {name for name, _ in settled}
        kinds = [one for name, one in self._kinds.items() if name in concerned]
        for kind in kinds:
            if not kind.is_of_devices:
                told = [self._told(one) for one in others if one.kind == kind.name]
                kind.tell([one for one in told if one is not None])
        of_devices = {one.name for one in kinds if one.is_of_devices}
        for device_id in {one.subject for one in changed if one.kind in of_devices}:
            self._bus.receive(DeviceChanged(device_id))
        if any(one.is_notice for one in kinds):
            self._bus.receive(NoticesChanged())

    def _told(self, key: FindingKey) -> Told[Any] | None:
        read = self._read
        if key not in read:
            read[key] = self._read_one(key)
        return read[key]

    def _read_one(self, key: FindingKey) -> Told[Any] | None:
        found, kind = self._store.read(key), self._kinds.get(key.kind)
        if found is None or kind is None:
            return None
        machine, content = found
        try:
            return Told(key.subject, machine, read_value(kind.form, content))
        except ValidationError:
            log.warning("what %s tells of a %s is of another version", machine, key.kind)
            return None
