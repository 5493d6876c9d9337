"""Plans one device: which files are fetched, evicted or refused, and why.

    on the device ──┐
    waits ──────────┼──▶ plan ──▶ adds, removals in eviction order, refusals
    room, budget ───┘

A plan is a fixed point: once it is carried out, the next one changes nothing. A file is removed
only if the device is over its limits, or for a file of a higher class, never for an equal one.
Messages name no other file: the reader may not be allowed to see that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from sidecar.domain.space.budget import DeviceRoom, SpaceBudget, WantedFile
from sidecar.domain.space.eviction import Stored, explain_eviction
from sidecar.domain.space.space import SpaceRefusal
from sidecar.domain.wishes import EvictionClass
from sidecar.messages import counted, msg

# More removals than this at once need a person's confirmation.
FEW = 5
FEW_OF_ALL = 0.2


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One file to be added or removed. A plan may have very many: their titles are read elsewhere.

    Attributes:
        bytes: Its bytes on the device.
        reason: A message for people.
    """

    download_id: int
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedAdd:
    """One file that does not fit.

    Attributes:
        code: `too-big`, `budget` or `full`.
        is_final: It will never fit with these settings; otherwise it waits for room.
        is_filling: It was only to fill the room that is left.
    """

    download_id: int
    bytes: int
    reason: str
    code: str
    is_final: bool
    is_filling: bool = False


@dataclass(frozen=True, slots=True)
class PlanRest:
    """How many lines are left out of a plan, and their bytes."""

    adds: int = 0
    bytes_added: int = 0
    removals: int = 0
    bytes_removed: int = 0
    refusals: int = 0


NOTHING_LEFT_OUT = PlanRest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What should happen; removals come before adds.

    Attributes:
        id: A hash of its removals: another id means other removals.
        needs_confirmation: So much is removed at once that a person has to confirm it.
        over: Bytes by which the device stays over its limits, since nothing else may be evicted.
    """

    id: str
    adds: tuple[PlanStep, ...] = ()
    removals: tuple[PlanStep, ...] = ()
    refusals: tuple[RefusedAdd, ...] = ()
    needs_confirmation: bool = False
    over: int = 0

    @property
    def bytes_added(self) -> int:
        """Bytes that will be taken."""
        return sum(one.bytes for one in self.adds)

    @property
    def bytes_removed(self) -> int:
        """Bytes that will be freed."""
        return sum(one.bytes for one in self.removals)

    @property
    def download_ids(self) -> list[int]:
        """The downloads of all its lines."""
        steps = [one.download_id for one in (*self.adds, *self.removals)]
        return steps + [one.download_id for one in self.refusals]

    def shorten(self, most: int) -> tuple[Plan, PlanRest]:
        """Return the plan with so many lines of each kind at most, and what that leaves out."""
        short = replace(
            self,
            adds=self.adds[:most],
            removals=self.removals[:most],
            refusals=self.refusals[:most],
        )
        return short, PlanRest(
            adds=len(self.adds) - len(short.adds),
            bytes_added=self.bytes_added - short.bytes_added,
            removals=len(self.removals) - len(short.removals),
            bytes_removed=self.bytes_removed - short.bytes_removed,
            refusals=len(self.refusals) - len(short.refusals),
        )


def plan(
    room: DeviceRoom,
    stored: Collection[Stored],
    waiting: Iterable[WantedFile],
    *,
    may_remove: bool = True,
) -> Plan:
    """Make the plan for one device; the order of the arguments' elements does not matter.

    Args:
        room: The device.
        stored: All our files on it.
        waiting: All downloads that wait for it.
        may_remove: False plans without removals.
    """
    balance = SpaceBudget(room, stored, stored if may_remove else ())
    # Made once, not for each of thousands of files.
    over = _reasons(msg("{name} is over its storage limit", name=room.name))
    outranked = _reasons(msg("something with a higher priority needs the space"))
    fits = msg("It fits")
    removals = [_plan_removal(room, one, over) for one in balance.evict_excess()]
    adds: list[PlanStep] = []
    refusals: list[RefusedAdd] = []
    for wanted in sorted(waiting, key=_wanted_key):
        victims = balance.admit(wanted)
        if isinstance(victims, SpaceRefusal):
            refusals.append(_refuse(room, wanted, victims))
            continue
        adds.append(_add(room, wanted, _after(victims) if victims else fits))
        removals += [_plan_removal(room, one, outranked) for one in victims]
    return Plan(
        id=_plan_id(removals),
        adds=tuple(adds),
        removals=tuple(removals),
        refusals=tuple(refusals),
        needs_confirmation=len(removals) > max(FEW, FEW_OF_ALL * len(stored)),
        over=balance.excess,
    )


def _wanted_key(wanted: WantedFile) -> tuple[int, bool, int, int, int]:
    return (
        -wanted.standing,
        not wanted.is_own,
        -wanted.priority,
        wanted.place,
        wanted.download_id,
    )


def _add(room: DeviceRoom, wanted: WantedFile, why: str) -> PlanStep:
    return PlanStep(wanted.download_id, room.takes(wanted.size or 0), why)


def _after(victims: Collection[Stored]) -> str:
    return counted(
        "It fits once another file is removed",
        "It fits once {count} other files are removed",
        len(victims),
    )


def _reasons(because: str) -> Mapping[EvictionClass, str]:
    """Return why a file goes, by its class."""
    return {
        one: msg("{why}, and {because}", why=explain_eviction(one), because=because)
        for one in EvictionClass
        if one is not EvictionClass.LASTING
    }


def _plan_removal(room: DeviceRoom, file: Stored, reasons: Mapping[EvictionClass, str]) -> PlanStep:
    return PlanStep(file.download_id, room.takes(file.size), reasons[file.eviction_class])


def _refuse(room: DeviceRoom, wanted: WantedFile, refusal: SpaceRefusal) -> RefusedAdd:
    return RefusedAdd(
        wanted.download_id,
        room.takes(wanted.size or 0),
        refusal.message,
        refusal.code,
        refusal.is_final,
        wanted.standing is EvictionClass.FILLING,
    )


def _plan_id(removals: Iterable[PlanStep]) -> str:
    told = ",".join(f"{one.download_id}:{one.bytes}" for one in sorted(removals, key=_step_id))
    return sha256(told.encode()).hexdigest()[:16]


def _step_id(step: PlanStep) -> int:
    return step.download_id
