"""Shows people what happened and the figures of it, each only what concerns them.

Who may see an entry is decided by whom it concerned when it was written; an admin sees all. Of a
device only its users see how full it is, rounded where that would tell of other people's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

from sidecar.clock import Clock
from sidecar.domain.downloads.shares import FORMER_ACCOUNT
from sidecar.messages import msg
from sidecar.services.accounts.person import Person, ids_of, viewer
from sidecar.services.activity.live_speed import LiveSpeed, LiveSpeedView
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.views import DeviceView
from sidecar.sizes import rough_size
from sidecar.store.accounts.accounts import Account
from sidecar.store.devices.samples import ALL, SLOT_S, SLOTS_KEPT, SpaceSample
from sidecar.store.downloads.activity import Activity, ActivityFilter, Happening
from sidecar.store.playback.plays import PlaysInPeriod
from sidecar.store.stores import Stores

__all__ = ["ActivityHistory", "ActivityPage", "ActivityQuery", "ActivityView", "Happening"]

WEEKS = 12
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class WhyView:
    """Whom an entry concerned, by name, and why the file was wanted; None if not known."""

    account: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityView:
    """Something that happened, as a person may see it.

    Attributes:
        title: Of the item; empty for what was confirmed.
        by: Who did it, if that is theirs to know; None also if it happened by itself.
        text: What happened, or why; None if the kind says it all.
        whys: These name other people only for an admin.
    """

    id: int
    at: datetime
    kind: Happening
    device_id: str
    device_name: str
    item_id: str | None
    title: str
    artist: str | None
    item_type: str | None
    bytes: int | None
    by: str | None
    text: str | None
    whys: tuple[WhyView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityQuery:
    """Which entries; None and empty mean any.

    Attributes:
        account: A name or id, for an admin; for others only their own has entries.
        text: Only about files with these words in their title, artist or album.
        before: Only entries older than this one.
    """

    device_id: str | None = None
    item_id: str | None = None
    account: str | None = None
    kinds: frozenset[Happening] = frozenset()
    text: str = ""
    before: int | None = None
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """Some entries, newest first; `older` is what to ask for next, None at the end."""

    items: Sequence[ActivityView]
    older: int | None


@dataclass(frozen=True, slots=True)
class SpeedPoint:
    """How fast was fetched on average in the time that began then, in bytes a second."""

    at: datetime
    speed: float


@dataclass(frozen=True, slots=True)
class SpaceHistory:
    """How full a device was, by days, the oldest first."""

    device_id: str
    device_name: str
    days: Sequence[SpaceSample]


@dataclass(frozen=True, slots=True)
class WeekOfPlays:
    """The plays of the week that began on that day."""

    begins: date
    plays: PlaysInPeriod


class ActivityHistory:
    """Lists what happened, and sums it up. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        accounts: Callable[[], Iterable[Account]],
        devices: Callable[[Person], Sequence[DeviceView]],
        access: DeviceAccess,
        live: LiveSpeed,
        zone: Callable[[], tzinfo],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            stores: The entries, the samples and the plays.
            accounts: Returns every account that ever signed in.
            devices: Lists the devices that a person uses.
            access: Decides who sees everything on a device.
            live: How fast was fetched in the last minutes.
            zone: Returns the time zone of days and weeks.
            clock: For "the last 24 hours".
        """
        self._activity = stores.activity
        self._samples = stores.samples
        self._plays = stores.plays
        self._devices_known = stores.devices
        self._accounts = accounts
        self._devices = devices
        self._access = access
        self._live = live
        self._zone = zone
        self._clock = clock

    def entries(self, person: Person, query: ActivityQuery) -> ActivityPage:
        """Return what happened, as far as this person may see it, newest first."""
        whose = viewer(person)
        if query.account is not None:
            named = ids_of([query.account], self._accounts())
            named &= named if person.is_admin else {person.user_id}
            if not named:
                return ActivityPage([], None)
            whose = min(named)
        which = ActivityFilter(
            viewer=whose,
            device_id=query.device_id,
            item_id=query.item_id,
            kinds=query.kinds,
            text=query.text,
            before=query.before,
        )
        found = self._activity.page(which, query.page_size + 1)
        shown = found[: query.page_size]
        older = shown[-1].id if len(found) > query.page_size else None
        names = {one.user_id: one.name for one in self._accounts()}
        devices = {one.id: one.name for one in self._devices_known.all()}
        return ActivityPage([_view(person, one, names, devices) for one in shown], older)

    def speed(self, person: Person) -> Sequence[SpeedPoint]:
        """Return how fast was fetched in the last 24 hours: for this person, for an admin in all.

        In steps of fifteen minutes, the oldest first.
        """
        now = int(self._clock.now().timestamp()) // SLOT_S
        first = now - SLOTS_KEPT + 1
        found = self._samples.speed(ALL if person.is_admin else person.user_id, first)
        together = 3
        points = []
        for begin in range(first, now + 1, together):
            octets = sum(found.get(one, 0) for one in range(begin, begin + together))
            at = datetime.fromtimestamp(begin * SLOT_S, self._zone())
            points.append(SpeedPoint(at, octets / (together * SLOT_S)))
        return points

    def speed_now(self, person: Person) -> LiveSpeedView:
        """Return how fast this person's files were fetched in the last minutes."""
        return self._live.of(person)

    def space(self, person: Person) -> Sequence[SpaceHistory]:
        """Return how full the devices were that this person uses."""
        histories = []
        devices = self._devices(person)
        found = self._samples.space(one.id for one in devices)
        for device in devices:
            days = found.get(device.id, ())
            settings = self._access.settings(person, device.id)
            if not self._access.sees_all(person, settings):
                days = [SpaceSample(one.day, rough_size(one.used), one.most) for one in days]
            if days:
                histories.append(SpaceHistory(device.id, device.name, days))
        return histories

    def plays(self, person: Person, account: str | None = None) -> Sequence[WeekOfPlays]:
        """Return the plays of the last twelve weeks of a person, for an admin of any account."""
        named = ids_of([account], self._accounts()) if account else frozenset({person.user_id})
        allowed = sorted(one for one in named if person.may_see(one))
        today = self._clock.now().astimezone(self._zone()).date()
        monday = today - timedelta(days=today.weekday())
        begins = [monday - back * WEEK for back in range(WEEKS - 1, -1, -1)]
        moments = [
            datetime(one.year, one.month, one.day, tzinfo=self._zone())
            for one in (*begins, monday + WEEK)
        ]
        periods = list(pairwise(moments))
        found = (
            self._plays.in_periods(allowed[0], periods)
            if allowed
            else [PlaysInPeriod(0, 0, 0)] * WEEKS
        )
        return [WeekOfPlays(*one) for one in zip(begins, found, strict=True)]


def _view(
    person: Person, one: Activity, names: Mapping[str, str], devices: Mapping[str, str]
) -> ActivityView:
    is_theirs = one.by_user is not None and person.may_see(one.by_user)
    return ActivityView(
        id=one.id,
        at=one.at,
        kind=one.kind,
        device_id=one.device_id,
        device_name=devices.get(one.device_id, msg("a device that is gone")),
        item_id=one.item_id,
        title=one.title,
        artist=one.artist,
        item_type=one.item_type,
        bytes=one.bytes,
        by=names.get(one.by_user or "", FORMER_ACCOUNT) if is_theirs else None,
        text=one.text,
        whys=tuple(
            WhyView(names.get(why.user_id, FORMER_ACCOUNT), why.text)
            for why in one.concerns
            if person.may_see(why.user_id)
        ),
    )
