"""Keeps every device within its limits by evicting files, and admits the downloads that fit.

    something changed ─▶ plan ─▶ removals ─▶ final refusals fail ─▶ what fits may be claimed
                                    │
                                    └ many at once: they wait for `confirm(device, plan id)`

Removals come before adds: a download that does not fit yet is held back from the workers. A device
with a problem is skipped, unless the problem is a lack of space. A file is evicted only if it is
still as it arrived and still may go; its cooldown is stored before it is deleted.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock, RLock
from typing import Any

from sidecar.clock import Clock
from sidecar.config import DeviceSettings
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.space.budget import DeviceRoom, RunningDownload
from sidecar.domain.space.eviction import REST, Stored, sort_for_eviction
from sidecar.domain.space.plan import NOTHING_LEFT_OUT, Plan, PlanRest, PlanStep, RefusedAdd, plan
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.wishes import EvictionClass
from sidecar.errors import DeviceError, SidecarError
from sidecar.events import (
    Bus,
    DeviceChanged,
    DownloadChanged,
    Event,
    HoldsChanged,
    NewsMissed,
    WorkArrived,
)
from sidecar.messages import Size, counted, msg
from sidecar.process.heap import return_freed, taking_turns
from sidecar.process.threads import attempt
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.store.downloads.inventory import FEW_FILES, Holdings
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

# Other programs may fill a device at any time.
LOOK_AGAIN_S = 60.0
LOOK_AGAIN = timedelta(seconds=LOOK_AGAIN_S)
# A plan that failed is made again after so long.
TRY_AGAIN_S = 5.0
MOST_NEXT = 100
# Lines of each kind; a page shows fewer.
MOST_TOLD = 500
FREE_STEPS = 500
# A plan of a hundred thousand files takes seconds, and while files arrive something changes all
# the time: so much of the time may go into planning a device anew.
SHARE_OF_TIME = 0.1
# Codes of problems that removals solve.
CURED_BY_ROOM = frozenset({"full", "budget"})

Outlook = Callable[[str], "DevicePlanState"]
"""Returns the plan of a device; raises `DeviceError` if there is none."""
InUse = Callable[[], Collection[str]]


@dataclass(frozen=True, slots=True)
class EvictionBlock:
    """Downloads whose files may not be evicted now; `text` says why, as the end of a sentence."""

    files: frozenset[int]
    text: str


Awaited = Callable[[str], EvictionBlock | None]


def no_block(_device_id: str) -> EvictionBlock | None:
    """Return None: nothing blocks evictions without Syncthing."""
    return None


_FOR_LIMIT = msg(
    "{text} on {name}: everything on it has the same or a higher priority. "
    "Unpin something, or have the limit raised"
)
_FULL = msg(
    "{text} on {name}: the drive is full, and everything downloaded to it has the same or a "
    "higher priority. Unpin something or delete other files there"
)


def space_problem(
    name: str, found: Plan, waits: str | None = None, room: DeviceRoom | None = None
) -> Problem | None:
    """Return the problem that a plan has; None if it has none.

    Args:
        name: Name of the device.
        found: Its plan.
        waits: What removals wait for, as the end of a sentence; None if they do not wait.
        room: Its limits. With less free than should be, no other limit helps.
    """
    if room is not None and room.keeps_all_free:
        text = msg(
            "{name} holds {total} in all and is to keep {kept} free, so nothing is downloaded to "
            "it: lower Keep free in its settings",
            name=name,
            total=Size(room.space.total),
            kept=Size(room.kept),
        )
        return Problem("over", text)
    # What only fills the rest waits for room without a word: nobody has asked for it.
    waiting = sum(not one.is_final and not one.is_filling for one in found.refusals)
    if found.needs_confirmation:
        text = counted(
            "{count} file would be removed from {name}",
            "{count} files would be removed from {name}",
            len(found.removals),
            name=name,
        )
        return Problem("confirm", msg("{text}: look at the plan and confirm it", text=text))
    if found.over:
        is_full = room is not None and room.space.free < room.kept
        return _tell_over(name, waits, is_full=is_full)
    if waiting:
        text = counted("{count} download doesn't fit", "{count} downloads don't fit", waiting)
        if waits is not None:
            return Problem(
                "waits",
                msg("{text} on {name}: {waits}", text=text, name=name, waits=waits),
            )
        sentence = _FOR_LIMIT if any(one.code == "budget" for one in found.refusals) else _FULL
        return Problem("no-room", sentence.format(text=text, name=name))
    return None


def _tell_over(name: str, waits: str | None, *, is_full: bool) -> Problem:
    if is_full:
        text = msg("{name} has less free space than it should keep", name=name)
    else:
        text = msg("{name} is over its storage limit", name=name)
    if waits is not None:
        return Problem("waits", f"{text}: {waits}")
    text = msg("{text}; everything on it is kept", text=text)
    if is_full:
        text = msg("{text}: unpin something or delete other files there", text=text)
    else:
        text = msg("{text}: raise the limit or unpin something", text=text)
    return Problem("over", text)


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class DevicePlanState:
    """A device's limits, what its files take, and its plan, as they were at some time.

    Attributes:
        made_at: That time.
        files: How many files and waiting downloads were looked at.
        bytes: What the files that are there take, in whole blocks.
        bytes_lasting: The sizes of those of them that stay: for good, or as they play just now.
        next_to_go: The first files that would be evicted.
        may_go: The downloads whose files may be evicted at all; the first ones, if it was told.
        files_may_go, bytes_may_go: How many they are, and their size.
        rest: What is left out of the plan, if it was told.
        seen: What else the plan depends on; another one makes it an old plan.
    """

    limits: DeviceRoom
    plan: Plan
    made_at: datetime = field(compare=False)
    files: int
    bytes: int
    bytes_lasting: int
    next_to_go: tuple[Stored, ...]
    may_go: tuple[int, ...]
    files_may_go: int
    bytes_may_go: int
    rest: PlanRest = NOTHING_LEFT_OUT
    seen: Any = field(default=None, compare=False)

    @property
    def room_left(self) -> int:
        """Bytes that are left within the limits before anything else comes or goes."""
        of_budget = self.limits.most - self.limits.aside - self.bytes
        return min(of_budget, self.limits.space.free - self.limits.kept)

    def shorten(self) -> DevicePlanState:
        """Return as much of it as other machines are told: of a plan its first lines."""
        short, rest = self.plan.shorten(MOST_TOLD)
        return replace(self, plan=short, rest=rest, may_go=self.may_go[:MOST_NEXT], seen=None)


@dataclass(frozen=True, slots=True)
class WaitingForRoom:
    """The downloads of a device that wait for room.

    Attributes:
        reasons: All that there are, for people.
        reason_of: Which of them each download has, by its id.
    """

    reasons: tuple[str, ...] = ()
    reason_of: Mapping[int, int] = field(default_factory=dict)

    def why(self, download_id: int) -> str | None:
        """Return why a download has to wait; None if it does not have to."""
        place = self.reason_of.get(download_id)
        return None if place is None else self.reasons[place]


def _list_waiting(refusals: Collection[RefusedAdd]) -> WaitingForRoom:
    reasons = dict.fromkeys(one.reason for one in refusals)
    place_of = {reason: place for place, reason in enumerate(reasons)}
    return WaitingForRoom(
        tuple(place_of), {one.download_id: place_of[one.reason] for one in refusals}
    )


class PlanChanged(SidecarError):
    """A person confirmed a plan that has changed since."""


class SpacePlanner:
    """Makes plans and carries out their removals. Thread-safe; one thread calls `step`.

    The last plan of each device is kept for people to see. When something has happened since, a
    device with few files is planned anew as soon as somebody looks; one with many is planned by the
    next step, and until then its last plan is shown with its time.

    `in_use` returns the items that play or come next in a queue, for all accounts. `awaited`
    returns the files that must stay on a device until other devices have those that came later.
    `is_over` ends a plan that is being made, for a large device takes seconds: `Stopped` is raised.
    """

    def __init__(
        self,
        *,
        stores: Stores,
        registry: DeviceRegistry,
        problems: Problems,
        bus: Bus,
        in_use: InUse,
        clock: Clock,
        awaited: Awaited = no_block,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._db = stores.db
        self._registry = registry
        self._downloads = stores.downloads
        self._problems = problems
        self._bus = bus
        self._in_use = in_use
        self._awaited = awaited
        self._is_over = is_over
        self._clock = clock
        self._inventory = stores.inventory
        self._rests = stores.rests
        self._lock = Lock()
        # One plan is made at a time: a large one needs much memory, and who waits gets the same.
        self._planning = RLock()
        self._looked_at: dict[str, float] = {}
        self._rests_until: dict[str, float] = {}
        self._hurried: set[str] = set()
        self._confirmed: dict[str, tuple[PlanStep, ...]] = {}
        self._held_back: dict[str, WaitingForRoom] = {}
        self._let_in: dict[str, frozenset[int]] = {}
        self._asked: defaultdict[str, set[int]] = defaultdict(set)
        self._in_vain: set[int] = set()
        self._odd: set[int] = set()
        self._shown: dict[str, DevicePlanState] = {}
        self._outdated: set[str] = set()
        bus.subscribe(self.hear)

    def plan(self, device_id: str) -> Plan:
        """Return what should happen on a device now.

        Raises:
            errors.DeviceError: The device is not there.
        """
        return self._worked_out(self._registry.get(device_id)).plan

    def look_at(self, device_id: str) -> tuple[DeviceRoom, Holdings]:
        """Return the limits of a device, on whatever machine, and what is there and waits.

        Of one on another machine that is what it told last, and what the database says.

        Raises:
            errors.DeviceError: The device is not there, on no machine.
        """
        there = self._registry.on_other_machine(device_id)
        if there is None or there.state.space is None:
            return self._situation(self._registry.get(device_id))
        settings = self._registry.attached_anywhere()[device_id]
        limits = DeviceRoom(
            name=settings.name,
            space=there.state.space,
            aside=there.state.aside,
            budget=settings.budget,
            reserve=settings.reserve,
            running=tuple(
                RunningDownload(one.size, one.held)
                for one in self._inventory.list_running(device_id)
            ),
        )
        return limits, self._list_holdings(device_id, settings)

    def outlook(self, device_id: str) -> DevicePlanState:
        """Return the last plan of a device with what it is about; it may be some seconds old.

        Raises:
            errors.DeviceError: The device is not there.
        """
        device = self._registry.get(device_id)
        with self._lock:
            shown, is_old = self._shown.get(device_id), device_id in self._outdated
        if shown is None:
            with self._planning:
                # It may have been made while this waited.
                return self._shown.get(device_id) or self._worked_out(device)
        is_old = is_old or (shown.seen, self._clock.now() - shown.made_at < LOOK_AGAIN) != (
            self._circumstances(device),
            True,
        )
        return self._worked_out(device) if is_old and shown.files <= FEW_FILES else shown

    def last_plan(self, device_id: str) -> DevicePlanState | None:
        """Return the last plan of a device, shortened; None if none was made yet."""
        with self._lock:
            shown = self._shown.get(device_id)
        return shown.shorten() if shown else None

    def confirm(self, device_id: str, plan_id: str) -> int:
        """Confirm the removals of a plan; the next `step` carries out exactly those.

        Returns:
            How many they are.

        Raises:
            PlanChanged: The plan has changed since.
            errors.DeviceError: The device is not there.
        """
        found = self.plan(device_id)
        if found.id != plan_id or not found.removals:
            raise PlanChanged(msg("The plan has changed meanwhile: look at it again"))
        with self._lock:
            self._confirmed[device_id] = found.removals
            self._hurry(device_id)
        return len(found.removals)

    def step(self) -> None:
        """Plan every device where something changed; cheap if nothing did."""
        gone = set(self._problems.all_of(ProblemKind.ROOM)) - {*self._registry.attached_anywhere()}
        for device_id in gone:
            self._problems.clear(ProblemKind.ROOM, device_id)
        for device in self._registry.all():
            attempt(partial(self._look_at, device), f"planning {device.settings.name}")

    def held_back(self) -> Collection[int]:
        """Return the downloads that must not be claimed now, as there is no room for them yet."""
        with self._lock:
            held_back = (one.reason_of for one in self._held_back.values())
            return frozenset().union(*self._asked.values(), *held_back)

    def waiting_for_room(self, device_id: str) -> WaitingForRoom | None:
        """Return which downloads of a device wait for room, and why; None if none does."""
        with self._lock:
            found = self._held_back.get(device_id)
        return found if found and found.reason_of else None

    def make_room(self, download: Download) -> bool:
        """Hold back a download for which a worker found no room, and plan its device soon.

        Returns:
            False if plans have admitted it repeatedly without success: another plan will not help.
        """
        with self._lock:
            if download.id in self._let_in.get(download.device_id, frozenset()):
                if download.id in self._in_vain:
                    return False
                # Another download may have taken the room first.
                self._in_vain.add(download.id)
            self._asked[download.device_id].add(download.id)
            self._hurry(download.device_id)
            return True

    def hear(self, event: Event) -> None:
        """Listen to the bus: a device where something changed is planned in the next step.

        Where that takes long, changes of files are gathered for a while.
        """
        match event:
            case DownloadChanged(download=download, was=was, now=now):
                if was is now is Status.DOWNLOADING:
                    return
                self._odd.discard(download.id)
                if now is not Status.PENDING and now is not Status.DOWNLOADING:
                    self._in_vain.discard(download.id)
                device_id = download.device_id
            case HoldsChanged(device_id=device_id) | DeviceChanged(device_id=device_id):
                pass
            case NewsMissed():
                with self._lock:
                    self._looked_at.clear()
                    self._outdated.update(self._shown)
                return
            case _:
                return
        with self._lock:
            self._looked_at.pop(device_id, None)
            self._outdated.add(device_id)
            if isinstance(event, DeviceChanged):
                self._hurry(device_id)

    # -- inside

    def _hurry(self, device_id: str) -> None:
        """Have a device planned in the next step, however long that takes; under the lock."""
        self._looked_at.pop(device_id, None)
        self._hurried.add(device_id)

    def _is_due(self, device_id: str) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            looked_at = self._looked_at.get(device_id)
            rests_until = self._rests_until.get(device_id, now)
            is_hurried = device_id in self._hurried
        if looked_at is None:
            return is_hurried or now >= rests_until
        return now - looked_at >= LOOK_AGAIN_S

    def _look_at(self, device: AttachedDevice) -> None:
        trouble = self._problems.of(ProblemKind.DEVICE, device.id)
        if not self._is_due(device.id) or (trouble and trouble.code not in CURED_BY_ROOM):
            return
        try:
            # Once for all plans of this look, and not counted as planning.
            with self._taking_turns(device.id):
                self._look(device)
        except DeviceError as found:
            self._registry.trouble(device.id, found)

    def _look(self, device: AttachedDevice) -> None:
        began = self._clock.monotonic()
        with self._lock:
            # What changes from now on is planned in the next step.
            self._looked_at[device.id] = began
            self._hurried.discard(device.id)
            confirmed = self._confirmed.pop(device.id, ())
        try:
            self._carry_out(device, confirmed)
        except BaseException:
            with self._lock:
                self._looked_at.pop(device.id, None)
                if confirmed:
                    self._confirmed.setdefault(device.id, confirmed)
            self._rest(device.id, began, least_s=TRY_AGAIN_S)
            raise
        self._rest(device.id, began)

    def _rest(self, device_id: str, began: float, *, least_s: float = 0.0) -> None:
        ended = self._clock.monotonic()
        rest_s = max(least_s, (ended - began) * (1 / SHARE_OF_TIME - 1))
        with self._lock:
            self._rests_until[device_id] = ended + rest_s

    def _carry_out(self, device: AttachedDevice, confirmed: Iterable[PlanStep]) -> None:
        self._remove(device, confirmed)
        found = self._planned(device)
        if found.removals and not found.needs_confirmation:
            self._remove(device, found.removals)
            found = self._planned(device)
        self._give_up(device, found.refusals)
        self._let(device.id, self._without_removals(device, found) if found.removals else found)
        self._tell(device, found)
        if self._may_be_large(device.id):
            return_freed()

    def _planned(self, device: AttachedDevice) -> Plan:
        return self._worked_out(device).plan

    def _without_removals(self, device: AttachedDevice, wanted: Plan) -> Plan:
        """Plan a device as it is; what waits only for a confirmation says so."""
        limits, found = self._situation(device)
        now = plan(limits, found.stored, found.waiting, may_remove=False)
        if not wanted.needs_confirmation:
            return now
        reason = counted(
            "It fits once somebody confirms that {count} file is removed from {name}",
            "It fits once somebody confirms that {count} files are removed from {name}",
            len(wanted.removals),
            name=limits.name,
        )
        coming = {one.download_id for one in wanted.adds}
        return replace(
            now,
            refusals=tuple(
                replace(one, reason=reason) if one.download_id in coming else one
                for one in now.refusals
            ),
        )

    def _taking_turns(self, device_id: str) -> AbstractContextManager[object]:
        """Wait for others that need much memory if this device may be large; no page waits."""
        may_be_large = self._may_be_large(device_id)
        return taking_turns(is_over=self._is_over) if may_be_large else nullcontext()

    def _may_be_large(self, device_id: str) -> bool:
        """Whether a plan of a device may need much memory, as far as is known."""
        with self._lock:
            shown = self._shown.get(device_id)
        return shown is None or shown.files > FEW_FILES

    def _worked_out(self, device: AttachedDevice) -> DevicePlanState:
        """Plan a device and keep the plan for people to see."""
        with self._planning:
            try:
                return self._work_out(device)
            except BaseException:
                with self._lock:
                    self._outdated.add(device.id)
                raise

    def _work_out(self, device: AttachedDevice) -> DevicePlanState:
        with self._lock:
            # What changes from now on makes the plan an old one.
            self._outdated.discard(device.id)
        now, circumstances = self._clock.now(), self._circumstances(device)
        limits, found = self._situation(device)
        going = sort_for_eviction(found.stored)
        there = [one for one in found.stored if not one.is_missing]
        made = DevicePlanState(
            limits=limits,
            plan=plan(limits, found.stored, found.waiting),
            made_at=now,
            files=len(found.stored) + len(found.waiting),
            bytes=sum(limits.takes(one.size) for one in there),
            bytes_lasting=sum(one.size for one in there if not one.may_go),
            next_to_go=tuple(going[:MOST_NEXT]),
            may_go=tuple(one.download_id for one in going),
            files_may_go=len(going),
            bytes_may_go=sum(one.size for one in going),
            seen=circumstances,
        )
        with self._lock:
            self._shown[device.id] = made
        return made

    def _circumstances(self, device: AttachedDevice) -> object:
        """Return what a plan depends on that no event tells."""
        space = device.folder.space()
        return (
            device.settings,
            space.total,
            # In steps: a little is written all the time.
            space.free * FREE_STEPS // max(space.total, 1),
            frozenset(self._in_use()),
            self._awaited(device.id),
            frozenset(self._odd),
            self._registry.reserved(device.id),
        )

    def _situation(self, device: AttachedDevice) -> tuple[DeviceRoom, Holdings]:
        found = self._list_holdings(device.id, device.settings)
        space = device.folder.space()
        limits = DeviceRoom(
            name=device.settings.name,
            space=space,
            aside=device.folder.own_files.count_bytes(space.block),
            budget=device.settings.budget,
            reserve=device.settings.reserve,
            # A download that was just claimed has not reserved its room yet.
            running=tuple(
                RunningDownload(one.size, device.taken_by(download_id), one.source or None)
                for download_id, one in self._registry.reserved(device.id).items()
            ),
        )
        return limits, found

    def _list_holdings(self, device_id: str, settings: DeviceSettings) -> Holdings:
        waiting = self._awaited(device_id)
        return self._inventory.list_holdings(
            device_id,
            self._clock.now(),
            in_use=self._in_use(),
            untouchable=self._odd | waiting.files if waiting else self._odd,
            keeps_originals=settings.keep_original,
            is_over=self._is_over,
        )

    def _remove(self, device: AttachedDevice, steps: Iterable[PlanStep]) -> None:
        """Evict the files of these steps that still may go."""
        for step in steps:
            waiting = self._awaited(device.id)
            if waiting is None or step.download_id not in waiting.files:
                self._evict(device, step.download_id)

    def _may_go(self, download: Download) -> bool:
        firm = self._inventory.get_eviction_class(download.device_id, download.item_id)
        return firm is not EvictionClass.LASTING and download.item_id not in self._in_use()

    def _evict(self, device: AttachedDevice, download_id: int) -> None:
        with self._db.write():
            # As it is now: it may be held since the plan, or be another item.
            download = self._downloads.queries.get(download_id)
            if download is None or download.status is not Status.COMPLETED:
                return
            if not self._may_go(download):
                return
            self._rests.put(device.id, download.item_id, self._clock.now() + REST)
        if not device.remove_file(download):
            self._leave(download)
            return
        log.info("%s makes room on %s", download.file_path, device.settings.name)
        with self._db.write():
            self._downloads.transitions.evict(download)
            gone = self._downloads.queries.get(download.id)
            if gone is not None and not self._may_go(gone):
                self._regret(gone)

    def _leave(self, download: Download) -> None:
        """Leave a file alone from now on, unless it only was renamed or replaced meanwhile."""
        with self._db.write():
            current = self._downloads.queries.get(download.id) or download
            self._rests.end(current.device_id, current.item_id)
            if self._downloads.queries.find_as_seen(download) is not None:
                log.warning("%s is not as it arrived: left alone", download.file_path)
                self._odd.add(download.id)

    def _regret(self, gone: Download) -> None:
        """Queue an evicted file again, because somebody came to want it for good meanwhile."""
        self._rests.end(gone.device_id, gone.item_id)
        if gone.status is Status.REMOVED:
            self._downloads.transitions.want_again(
                gone, user_id=gone.user_id, priority=gone.priority
            )

    def _give_up(self, device: AttachedDevice, refusals: Iterable[RefusedAdd]) -> None:
        """Fail the downloads that will never fit, with the reason."""
        for refused in refusals:
            if not refused.is_final:
                continue
            with self._lock:
                limits = self._shown[device.id].limits
            if (limits.budget, limits.reserve) != (device.settings.budget, device.settings.reserve):
                # Somebody has changed them since the plan: the next one decides.
                return
            waiting = self._downloads.queries.get(refused.download_id)
            if waiting is not None and waiting.status is Status.PENDING:
                log.info("%s will never fit on %s", waiting.title, device.settings.name)
                failure = Failure(FailureClass.REFUSED, refused.code, refused.reason)
                self._downloads.transitions.give_up(
                    waiting, until=None, failure=failure, retry_count=0
                )

    def _let(self, device_id: str, found: Plan) -> None:
        """Admit the downloads that fit, hold back the others, and wake the workers."""
        let_in = frozenset(one.download_id for one in found.adds)
        held_back = _list_waiting(found.refusals)
        with self._lock:
            before = {*self._asked[device_id]}
            if device_id in self._held_back:
                before |= self._held_back[device_id].reason_of.keys()
            self._let_in[device_id] = let_in
            self._held_back[device_id] = held_back
            # Downloads reported by workers meanwhile are not in this plan.
            self._asked[device_id] -= let_in | held_back.reason_of.keys()
            self._in_vain -= held_back.reason_of.keys()
        if before & let_in:
            self._bus.publish(WorkArrived())

    def _tell(self, device: AttachedDevice, found: Plan) -> None:
        waiting = self._awaited(device.id)
        with self._lock:
            shown = self._shown.get(device.id)
        note = space_problem(
            device.settings.name,
            found,
            waiting.text if waiting else None,
            shown.limits if shown else None,
        )
        if note is None:
            self._problems.clear(ProblemKind.ROOM, device.id)
        elif self._problems.note(ProblemKind.ROOM, device.id, note):
            log.info("%s", note.text)
