"""Plans as people see them: what comes, what goes and what waits on the devices they use.

All users of a device see how much would come and go there, but titles only of what they may see
elsewhere. A device that a person does not use is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from threading import Lock
from weakref import ReferenceType, ref

from sidecar.domain.downloads.shares import NO_FILES, Share
from sidecar.domain.space.plan import NOTHING_LEFT_OUT, Plan, PlanRest, PlanStep, RefusedAdd
from sidecar.domain.space.reformat import Cost, describe_cost
from sidecar.errors import DeviceError, NotVisible
from sidecar.messages import counted, msg
from sidecar.process.threads import attempt
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person, viewer
from sidecar.services.devices.access import DeviceAccess, Management
from sidecar.services.devices.registry import odd_text
from sidecar.services.devices.views import DeviceView
from sidecar.services.space.planner import DevicePlanState, Outlook, PlanChanged, SpacePlanner
from sidecar.services.transfers.finishing.formats import DeviceFormats
from sidecar.sizes import rough_size
from sidecar.store.downloads.activity import ActivityLog
from sidecar.store.downloads.inventory import Inventory

DIGITS_OF_A_FILE = 2
# A plan of a large device has thousands of lines.
MOST_KEPT = 8


# Not frozen: there may be very many, and each would take twice as long to make.
@dataclass(slots=True)
class PlanLine:
    """One file of a plan as a person sees it.

    Attributes:
        download_id, item_id, title: None if the person may not see the file.
        bytes: What it takes on the device; rounded if the person may not see the file.
        reason: Why it comes, goes or waits, for people.
        code: Stable code for why it does not come; None for what comes or goes.
        is_final: Whether it will never fit with the current settings.
    """

    download_id: int | None
    item_id: str | None
    title: str | None
    bytes: int
    reason: str
    code: str | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceView:
    """How the space of a device is used, in bytes.

    Attributes:
        lasting: Files of the sidecar that stay.
        passing: Files of the sidecar that may be evicted.
        others: Everything that is not the sidecar's.
        reserve: What must stay free.
        free: What is free beyond the reserve.
        most: What the sidecar's files may take in all.
        keeps_all_free: So much must stay free that nothing fits.
    """

    total: int
    lasting: int
    passing: int
    others: int
    reserve: int
    free: int
    most: int
    keeps_all_free: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reformat:
    """Files in another format than the one that is set now, and what it costs to replace them.

    Attributes:
        format: Name of the new format, which a manager confirms.
        files: How many files have to be fetched again.
        whose: Whose files these are.
        bytes_to_fetch: Bytes over the network.
        bytes_now, bytes_after: What the files take on the device now, and afterwards.
        is_confirmed: Whether a manager has confirmed it: then it runs, a few files at a time.
        text: A sentence for people.
    """

    format: str
    files: int
    whose: Share
    bytes_to_fetch: int
    bytes_now: int
    bytes_after: int
    is_confirmed: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """A device and its plan.

    Attributes:
        is_built_in: It is on a disk that nobody takes out.
        is_paused: Nothing comes or goes until a manager resumes it.
        trouble: A sentence if the device cannot be read; then there is no plan.
        made_at: When the plan was made; it is kept until something changes. None without a plan.
        plan_id: What a manager confirms; None without a plan.
        files, missing: How many files should be there, and how many the last scan missed.
        management: Who may confirm.
        needs_confirmation: Whether the removals wait for a manager's confirmation.
        whose: Whose files would go.
        over: Bytes by which the device stays over its limits, because all files left are to stay.
        adds, removals, refusals: The files of the plan, or the first of them.
        rest: How many of these there are besides.
        reformat: Files in another format than the one that is set; None if there are none.
        machine: The other machine that has it and tells the plan; None if it is here, or nowhere.
        told_at: When that machine was heard of last.
    """

    id: str
    name: str
    trouble: str | None
    management: Management
    machine: str | None = None
    told_at: datetime | None = None
    is_built_in: bool = False
    is_unplugged: bool = False
    is_paused: bool = False
    files: int = 0
    missing: int = 0
    space: SpaceView | None = None
    made_at: datetime | None = None
    plan_id: str | None = None
    needs_confirmation: bool = False
    over: int = 0
    adds: tuple[PlanLine, ...] = ()
    removals: tuple[PlanLine, ...] = ()
    whose: Share = NO_FILES
    refusals: tuple[PlanLine, ...] = ()
    rest: PlanRest = NOTHING_LEFT_OUT
    reformat: Reformat | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing comes, goes, is missing or does not fit."""
        moves = self.files_added or self.files_removed or self.files_refused or self.missing
        return not (moves or self.trouble or self.over or self.reformat)

    @property
    def files_added(self) -> int:
        """How many files come."""
        return len(self.adds) + self.rest.adds

    @property
    def bytes_added(self) -> int:
        """Bytes that they take."""
        return sum(one.bytes for one in self.adds) + self.rest.bytes_added

    @property
    def files_removed(self) -> int:
        """How many files go."""
        return len(self.removals) + self.rest.removals

    @property
    def bytes_removed(self) -> int:
        """Bytes that this frees."""
        return sum(one.bytes for one in self.removals) + self.rest.bytes_removed

    @property
    def files_refused(self) -> int:
        """How many files do not fit."""
        return len(self.refusals) + self.rest.refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """What all files of a plan come to, as one person sees them.

    Attributes:
        of: The plan, as long as it is the last one.
        gone: What of it does not count: it was cancelled since.
        whose: Whose files would go.
    """

    of: ReferenceType[DevicePlanState]
    gone: frozenset[int]
    bytes_added: int
    bytes_removed: int
    whose: Share


class PlanService:
    """Shows and confirms the plans of devices. Thread-safe."""

    def __init__(
        self,
        *,
        access: DeviceAccess,
        ownership: Ownership,
        devices: Callable[[Person], Sequence[DeviceView]],
        room: SpacePlanner,
        outlook: Outlook,
        inventory: Inventory,
        activity: ActivityLog,
        formats: DeviceFormats,
    ) -> None:
        self._activity = activity
        self._access = access
        self._ownership = ownership
        self._devices = devices
        self._room = room
        self._outlook = outlook
        self._inventory = inventory
        self._formats = formats
        self._lock = Lock()
        self._kept: dict[tuple[Person, str], _Sums] = {}

    def all(self, person: Person, most: int | None = None) -> Sequence[DevicePlan]:
        """Return the plans of the devices that this person uses; an admin sees all.

        Args:
            person: Who asks.
            most: So many lines of each kind are read; None means all that there are.
        """
        return self._show(person, self._devices(person), most)

    def one(self, person: Person, device_id: str, most: int | None = None) -> DevicePlan:
        """Return the plan of one device, with so many lines of each kind.

        Raises:
            errors.NotVisible: This person does not use the device.
        """
        for device in self._devices(person):
            if device.id == device_id:
                return self._show(person, [device], most)[0]
        raise NotVisible

    def confirm(self, person: Person, device_id: str, plan_id: str) -> None:
        """Confirm the removals of a plan.

        Raises:
            errors.NotVisible: This person does not use the device.
            errors.NotAManager: This person does not manage the device.
            PlanChanged: The plan has changed since.
            errors.DeviceError: The device is not there.
        """
        self._access.managed(person, device_id)
        going = self._room.confirm(device_id, plan_id)
        text = counted("{count} file may be removed", "{count} files may be removed", going)
        self._activity.confirm(person.user_id, device_id, text)

    def reformat(self, person: Person, device_id: str, name: str) -> None:
        """Confirm that the files of a device are replaced by files in another format.

        Raises:
            errors.NotVisible: This person does not use the device.
            errors.NotAManager: This person does not manage the device.
            PlanChanged: Another format is set by now.
        """
        self._access.managed(person, device_id)
        if not self._formats.confirm(device_id, name):
            raise PlanChanged(msg("Meanwhile another format is set: look at the plan again"))
        text = msg("Its files may be replaced by files in another format")
        self._activity.confirm(person.user_id, device_id, text)

    def _show(
        self, person: Person, devices: Sequence[DeviceView], most: int | None
    ) -> Sequence[DevicePlan]:
        """Return the plans of devices; an unexpected error at one does not hide the others.

        What all of them need is read at once.
        """
        found = {
            device.id: attempt(
                partial(self._find, device.id),
                f"the plan of {device.name}",
                partial(odd_text, device.name),
            )
            for device in devices
        }
        plans = {one: state.plan for one, state in found.items() if not isinstance(state, str)}
        lines = [line.download_id for plan in plans.values() for line in _list_lines(plan, most)]
        seen = self._inventory.read_titles(lines, viewer(person))
        # A plan of very many files is made anew seldom: what was cancelled since is in none.
        unseen = frozenset(lines) - seen.keys()
        gone = unseen if person.is_admin else self._inventory.list_gone(unseen)
        costs: Mapping[str, Cost] = {}
        if plans:
            costs = attempt(partial(self._formats.costs, plans), "other formats of devices", dict)

        def view(device: DeviceView) -> DevicePlan:
            state = found[device.id]
            if isinstance(state, str):
                return self._without_plan(person, device, state)
            plan = self._view(person, device, state, most, seen=seen, gone=gone)
            return replace(plan, reformat=self._reformat(person, device.id, costs.get(device.id)))

        return [
            attempt(
                partial(view, device),
                f"the plan of {device.name}",
                partial(self._without_plan, person, device, odd_text(device.name)),
            )
            for device in devices
        ]

    def _find(self, device_id: str) -> DevicePlanState | str:
        """Return the plan of a device, or why there is none."""
        try:
            return self._outlook(device_id)
        except DeviceError as trouble:
            return str(trouble)

    def _without_plan(self, person: Person, device: DeviceView, trouble: str) -> DevicePlan:
        return DevicePlan(
            id=device.id,
            name=device.name,
            management=self._access.management_of(person, device.id),
            trouble=device.trouble or trouble,
            is_unplugged=device.is_unplugged,
            files=device.files,
            missing=device.missing,
            machine=device.machine,
            told_at=device.told_at,
        )

    def _view(
        self,
        person: Person,
        device: DeviceView,
        found: DevicePlanState,
        most: int | None,
        *,
        seen: Mapping[int, tuple[str, str]],
        gone: frozenset[int],
    ) -> DevicePlan:
        plan = found.plan
        is_whole = most is None or max(len(plan.adds), len(plan.removals)) <= most
        if gone:
            gone &= {one.download_id for one in _list_lines(plan, most)}
        sums = self._sum_up(person, device.id, found, seen if is_whole else None, gone)
        added, removed, refused = plan.adds[:most], plan.removals[:most], plan.refusals[:most]
        adds = tuple(_line(one, seen) for one in added if one.download_id not in gone)
        removals = tuple(_line(one, seen) for one in removed if one.download_id not in gone)
        refusals = tuple(_refusal(one, seen) for one in refused if one.download_id not in gone)
        space, over, rest = _space(found, device), plan.over, found.rest
        if not self._access.sees_all(person, self._access.settings(person, device.id)):
            space, over, rest = _rough(space), rough_size(over), _rough_rest(rest)
        return DevicePlan(
            id=device.id,
            name=device.name,
            management=self._access.management_of(person, device.id),
            whose=sums.whose,
            trouble=device.trouble,
            is_built_in=device.is_built_in,
            is_paused=device.is_paused,
            files=device.files,
            missing=device.missing,
            space=space,
            made_at=found.made_at,
            plan_id=plan.id,
            needs_confirmation=plan.needs_confirmation,
            over=over,
            adds=adds,
            removals=removals,
            refusals=refusals,
            rest=PlanRest(
                adds=rest.adds + len(plan.adds) - len(added),
                bytes_added=rest.bytes_added + sums.bytes_added - _sum_bytes(adds),
                removals=rest.removals + len(plan.removals) - len(removed),
                bytes_removed=rest.bytes_removed + sums.bytes_removed - _sum_bytes(removals),
                refusals=rest.refusals + len(plan.refusals) - len(refused),
            ),
            machine=device.machine,
            told_at=device.told_at,
        )

    def _sum_up(
        self,
        person: Person,
        device_id: str,
        found: DevicePlanState,
        seen: Container[int] | None,
        gone: frozenset[int],
    ) -> _Sums:
        """Return what all lines of a plan come to for this person; kept as long as the plan is.

        `seen` are the files among them that the person may see; None if that is not known yet.
        """
        known = self._kept.get((person, device_id))
        if known is not None and known.of() is found and known.gone == gone:
            return known
        adds = [one for one in found.plan.adds if one.download_id not in gone]
        removals = [one for one in found.plan.removals if one.download_id not in gone]
        going = [one.download_id for one in removals]
        if person.is_admin:
            seen = None
        elif seen is None:
            ids = [*(one.download_id for one in adds), *going]
            seen = self._inventory.list_visible_to(person.user_id, ids)
        sums = _Sums(
            of=ref(found),
            gone=gone,
            bytes_added=sum(_tell_bytes(one, seen) for one in adds),
            bytes_removed=sum(_tell_bytes(one, seen) for one in removals),
            whose=self._ownership.shares(person, going),
        )
        with self._lock:
            self._kept.pop((person, device_id), None)
            self._kept[person, device_id] = sums
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return sums

    def _reformat(self, person: Person, device_id: str, cost: Cost | None) -> Reformat | None:
        if cost is None or not cost.anew:
            return None
        whose = self._ownership.shares(person, cost.anew)
        if whose.hidden:
            cost = replace(
                cost,
                bytes_to_fetch=rough_size(cost.bytes_to_fetch),
                bytes_now=rough_size(cost.bytes_now),
                bytes_after=rough_size(cost.bytes_after),
            )
        return Reformat(
            format=cost.format,
            files=len(cost.anew),
            whose=whose,
            bytes_to_fetch=cost.bytes_to_fetch,
            bytes_now=cost.bytes_now,
            bytes_after=cost.bytes_after,
            is_confirmed=self._formats.is_confirmed(device_id, cost.format),
            text=describe_cost(cost),
        )


def _list_lines(plan: Plan, most: int | None) -> Iterator[PlanStep | RefusedAdd]:
    """Yield the lines of a plan that are shown."""
    for some in (plan.adds, plan.removals, plan.refusals):
        yield from some[:most]


def _line(step: PlanStep, seen: Mapping[int, tuple[str, str]]) -> PlanLine:
    known = seen.get(step.download_id)
    if known is None:
        return PlanLine(None, None, None, _tell_bytes(step, seen), step.reason)
    return PlanLine(step.download_id, *known, step.bytes, step.reason)


def _refusal(refused: RefusedAdd, seen: Mapping[int, tuple[str, str]]) -> PlanLine:
    known = seen.get(refused.download_id)
    if known is not None:
        return PlanLine(
            refused.download_id,
            *known,
            refused.bytes,
            refused.reason,
            refused.code,
            refused.is_final,
        )
    # The original sentence tells the exact size.
    reason = msg("It is too large for this device") if refused.is_final else refused.reason
    size = _tell_bytes(refused, seen)
    return PlanLine(None, None, None, size, reason, refused.code, refused.is_final)


def _tell_bytes(line: PlanStep | RefusedAdd, seen: Container[int] | None) -> int:
    """Return what a file takes on the device, rounded if it is not seen; None sees all."""
    is_seen = seen is None or line.download_id in seen
    return line.bytes if is_seen else rough_size(line.bytes, DIGITS_OF_A_FILE)


def _sum_bytes(lines: Iterable[PlanLine]) -> int:
    return sum(one.bytes for one in lines)


def _space(found: DevicePlanState, device: DeviceView) -> SpaceView:
    """Return how the space of a device is used; `device.used` is told on every page."""
    space, limits = found.limits.space, found.limits
    reserve, lasting = min(limits.kept, space.free), min(found.bytes_lasting, device.used)
    return SpaceView(
        total=space.total,
        lasting=lasting,
        passing=device.used - lasting,
        others=max(0, space.total - space.free - device.used),
        reserve=reserve,
        free=space.free - reserve,
        most=limits.reach(device.used) if device.most is None else device.most,
        keeps_all_free=limits.keeps_all_free,
    )


def _rough_rest(rest: PlanRest) -> PlanRest:
    return replace(
        rest,
        bytes_added=rough_size(rest.bytes_added),
        bytes_removed=rough_size(rest.bytes_removed),
    )


def _rough(space: SpaceView) -> SpaceView:
    used = rough_size(space.lasting + space.passing)
    lasting = min(rough_size(space.lasting), used)
    return SpaceView(
        total=space.total,
        lasting=lasting,
        passing=used - lasting,
        others=rough_size(space.others),
        reserve=rough_size(space.reserve),
        free=rough_size(space.free),
        most=rough_size(space.most),
        keeps_all_free=space.keeps_all_free,
    )
