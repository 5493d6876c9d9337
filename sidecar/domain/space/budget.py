"""The space budget of a device during planning: downloads take from it, evictions give back.

Only less wanted files are evicted, and as few as possible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sidecar.domain.space.eviction import EvictionOrder, Stored
from sidecar.domain.space.space import (
    Space,
    SpaceRefusal,
    check_space,
    compute_default_reserve,
    round_to_blocks,
    sum_in_blocks,
)
from sidecar.domain.wishes import EvictionClass
from sidecar.messages import msg


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A download that waits.

    Attributes:
        size: Bytes of the whole file; None if unknown.
        held: Bytes of it that are in a part file already.
        place: In the queue, among those of the same priority; smaller is earlier.
        standing: Its eviction class.
        is_own: A person asked for it themself.
        source: Bytes of the original that the file is made from, beside it until it is made; None
            if the file is what is fetched.
    """

    download_id: int
    item_id: str
    size: int | None
    standing: EvictionClass
    held: int = 0
    priority: int = 0
    place: int = 0
    is_own: bool = False
    source: int | None = None

    @property
    def to_write(self) -> int:
        """Bytes that are still to be written until the file is whole."""
        if self.source is None:
            return max(0, (self.size or 0) - self.held)
        return max(0, self.source - self.held) + (self.size or 0)


@dataclass(frozen=True, slots=True)
class RunningDownload:
    """A running download.

    Attributes:
        size: Bytes of the whole file.
        held: Bytes in its part files.
        source: As for `WantedFile`.
    """

    size: int
    held: int
    source: int | None = None

    @property
    def to_write(self) -> int:
        """Bytes that are still to be written until the file is whole."""
        return max(0, self.size + (self.source or 0) - self.held)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRoom:
    """The limits of a device.

    Attributes:
        name: For messages.
        budget: The most that our files may take; None means all but the reserve.
        reserve: Bytes that stay free; None means the default.
        aside: Bytes of our generated files.
    """

    name: str
    space: Space
    budget: int | None
    reserve: int | None
    aside: int = 0
    running: tuple[RunningDownload, ...] = ()

    @property
    def kept(self) -> int:
        """Bytes that stay free."""
        return compute_default_reserve(self.space.total) if self.reserve is None else self.reserve

    @property
    def most(self) -> int:
        """Bytes that our files may take at most."""
        return max(0, self.space.total - self.kept) if self.budget is None else self.budget

    @property
    def keeps_all_free(self) -> bool:
        """Whether so much stays free that nothing fits, even if nothing else is on the device."""
        return self.kept >= self.space.total

    def reach(self, used: int) -> int:
        """Return the bytes that our files, which take `used` now, can come to with what is free."""
        return min(self.most, used + max(0, self.space.free - self.kept))

    def takes(self, size: int) -> int:
        """Return the bytes that a file takes on the device, in whole blocks."""
        return round_to_blocks(size, self.space.block)


class SpaceBudget:
    """The rest of the budget and of the free space during planning."""

    def __init__(
        self, room: DeviceRoom, stored: Collection[Stored], may_go: Iterable[Stored]
    ) -> None:
        running = sum(room.takes(one.size) for one in room.running)
        coming = sum(room.takes(one.to_write) for one in room.running)
        self._room = room
        block = room.space.block
        taken = sum_in_blocks([one.size for one in stored], block)
        self._budget = room.most - room.aside - running - taken
        self._free = room.space.free - room.kept - coming
        self._going = EvictionOrder(may_go)
        self._could_give = [
            sum_in_blocks([one.size for one in files], block) for files in self._going.by_class
        ]
        self._refusals: dict[bool, SpaceRefusal] = {}

    @property
    def excess(self) -> int:
        """Bytes by which the device is over its limits."""
        return max(-self._budget, -self._free, 0)

    def evict_excess(self) -> list[Stored]:
        """Evict until the device is within its limits, or all that may be evicted."""
        return self._take(min(self.excess, sum(self._could_give)))

    def admit(self, wanted: WantedFile) -> list[Stored] | SpaceRefusal:
        """Reserve space for a download; return what is evicted for it, or why it does not fit."""
        size = wanted.size or 0
        refusal = self._refuse_too_large(size)
        if refusal is not None:
            return refusal
        whole, remaining = self._room.takes(size), self._room.takes(wanted.to_write)
        short_of_budget, short_of_free = whole - self._budget, remaining - self._free
        short = max(short_of_budget, short_of_free, 0)
        if short > sum(self._could_give[: wanted.standing]):
            of_budget = short_of_budget >= short_of_free
            if of_budget not in self._refusals:
                self._refusals[of_budget] = self._refuse_for_space(of_budget=of_budget)
            return self._refusals[of_budget]
        victims = self._take(short)
        self._budget -= whole
        # Originals exist only during conversion, a few at a time.
        self._free -= remaining if wanted.source is None else whole
        return victims

    def _take(self, needed: int) -> list[Stored]:
        """Evict as few files as possible, in order; the caller has checked that they suffice."""
        looked_at: list[Stored] = []
        gained = 0
        while gained < needed:
            looked_at.append(self._going.pop())
            gained += self._room.takes(looked_at[-1].size)
        gone: list[Stored] = []
        spared: list[Stored] = []
        for one in reversed(looked_at):
            size = self._room.takes(one.size)
            if gained - size >= needed:
                gained -= size
                spared.append(one)
            else:
                self._could_give[one.eviction_class] -= size
                gone.append(one)
        self._going.put_back(spared)
        self._budget += gained
        self._free += gained
        return gone[::-1]

    def _refuse_too_large(self, size: int) -> SpaceRefusal | None:
        room = self._room
        refusal = check_space(
            remaining=0,
            size=size,
            space=room.space,
            used=0,
            promised=0,
            budget=room.budget,
            reserve=room.reserve,
            name=room.name,
        )
        return refusal if refusal is not None and refusal.is_final else None

    def _refuse_for_space(self, *, of_budget: bool) -> SpaceRefusal:
        name = self._room.name
        if of_budget:
            text = msg(
                "The storage limit of {name} is used up by files with the same or a "
                "higher priority",
                name=name,
            )
            return SpaceRefusal(
                "budget", msg("{text}: it waits for space", text=text), is_final=False
            )
        text = msg("{name} is full, and nothing on it can be removed for this", name=name)
        return SpaceRefusal("full", msg("{text}: it waits for space", text=text), is_final=False)
