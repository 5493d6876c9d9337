"""A device in memory: what is on it, and what a night's plan changes there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sidecar.domain.replay.figures import Figures
from sidecar.domain.space.budget import DeviceRoom, WantedFile
from sidecar.domain.space.eviction import REST, Stored
from sidecar.domain.space.plan import plan
from sidecar.domain.space.space import Space
from sidecar.domain.wishes import EvictionClass

# Far more than any budget: only the budget is a limit.
DISK = 2**60
# Of what can find no room, so many are tried all the same: a small one may fit into a gap.
TRIED = 50


class PastDevice:
    """The files of a device with a budget, changed by the plans of the product alone."""

    def __init__(self, figures: Figures, ids: Sequence[str], sizes: Sequence[int]) -> None:
        self.figures = figures
        self.files: dict[int, Stored] = {}
        self._ids = ids
        self._sizes = sizes
        self._used = 0
        self._evicted: dict[int, int] = {}
        self._evicted_unplayed: set[int] = set()
        self._places: dict[int, int] = {}
        self._place = 0

    def use(self, item: int, number: int) -> None:
        """Note that a file was played: it is now used later than all others."""
        self._evicted_unplayed.discard(item)
        known = self.files.get(item)
        if known is not None:
            # It becomes the last one: then the order of evictions is nearly that of the files.
            del self.files[item]
            self.files[item] = replace(known, last_used=number)

    def resting(self, day: int) -> Collection[int]:
        """Return what was evicted so shortly before that no rule fetches it again."""
        self._evicted = {
            item: then for item, then in self._evicted.items() if day < then + REST.days
        }
        return self._evicted

    def resting_unplayed(self, day: int) -> set[int]:
        """Return what rests and was not played since: what was, `fill` may fetch again."""
        return self._evicted_unplayed & set(self.resting(day))

    def update(
        self,
        day: int,
        standing: Mapping[int, EvictionClass],
        wanted: Iterable[tuple[int, int]],
    ) -> None:
        """Carry out the plan of a night.

        Args:
            day: The day before which the device is updated.
            standing: The eviction class of each item that is held.
            wanted: What is wanted, with priorities, those wanted first at first.
        """
        self._stand(standing)
        waiting = self._wait(day, standing, wanted)
        if not waiting and self._used <= self.figures.budget:
            return
        self._carry_out(day, standing, waiting)

    def _stand(self, standing: Mapping[int, EvictionClass]) -> None:
        nothing = EvictionClass.NOTHING
        changed = [
            (file, stands)
            for item, file in self.files.items()
            if (stands := standing.get(item, nothing)) is not file.eviction_class
        ]
        for file, stands in changed:
            self.files[file.download_id] = replace(file, eviction_class=stands)

    def _wait(
        self,
        day: int,
        standing: Mapping[int, EvictionClass],
        wanted: Iterable[tuple[int, int]],
    ) -> list[WantedFile]:
        resting = self.resting(day)
        queue = {
            item: priority
            for item, priority in wanted
            if item not in self.files
            and (item not in resting or self._may_return(item, standing[item]))
        }
        places: dict[int, int] = {}
        for item in queue:
            known = self._places.get(item)
            if known is None:
                known = self._place = self._place + 1
            places[item] = known
        self._places = places
        waiting = sorted(
            ((-standing[item], -priority, places[item], item) for item, priority in queue.items())
        )
        return [
            WantedFile(
                download_id=item,
                item_id=self._ids[item],
                size=self._sizes[item],
                standing=standing[item],
                priority=-priority,
                place=place,
            )
            for _, priority, place, item in self._leave_out(waiting)
        ]

    def _may_return(self, item: int, standing: EvictionClass) -> bool:
        is_filling = standing is EvictionClass.FILLING
        return is_filling and item not in self._evicted_unplayed

    def _leave_out(
        self, waiting: Iterable[tuple[int, int, int, int]]
    ) -> Iterator[tuple[int, int, int, int]]:
        """Leave out most of what the plan would refuse for certain, which is only slow.

        Args:
            waiting: The class and the priority, both negative, the place and the item, in order.
        """
        used = [0] * len(EvictionClass)
        for file in self.files.values():
            used[file.eviction_class] += file.size
        # What is held as firmly does not give way.
        firm = [sum(used[place:]) for place in range(len(used))]
        admitted = tried = 0
        for one in waiting:
            size = self._sizes[one[3]]
            if size > self.figures.budget - firm[-one[0]] - admitted:
                tried += 1
                if tried > TRIED:
                    continue
            else:
                admitted += size
            yield one

    def _carry_out(
        self, day: int, standing: Mapping[int, EvictionClass], waiting: Iterable[WantedFile]
    ) -> None:
        budget = self.figures.budget
        space = Space(total=DISK, free=DISK, block=1, largest_file=None)
        room = DeviceRoom(name="", space=space, budget=budget, reserve=0)
        found = plan(room, list(self.files.values()), waiting)
        for step in found.removals:
            del self.files[step.download_id]
            self._evicted[step.download_id] = day
            self._evicted_unplayed.add(step.download_id)
        for step in found.adds:
            self.files[step.download_id] = Stored(
                download_id=step.download_id,
                item_id=self._ids[step.download_id],
                size=step.bytes,
                last_used=0,
                eviction_class=standing[step.download_id],
            )
            self._places.pop(step.download_id, None)
        self._used += found.bytes_added - found.bytes_removed
        self.figures.count_bytes(found.bytes_added, found.bytes_removed)
