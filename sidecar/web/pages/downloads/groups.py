"""Makes the rows of a list of downloads, and groups those of an album that follow one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sidecar.domain.downloads.actions import GOES, Action
from sidecar.domain.downloads.download import MISSING, Status
from sidecar.services.downloads.views import DownloadView, ReasonView

# Fewer rows are not worth a click.
LEAST_IN_GROUP = 3
# Shorter lists are shown row by row, unless a person wants it otherwise.
GROUPED_FROM = 25
# The main action of a title on several devices: the first that goes for one of its downloads.
MAIN_ACTIONS = (
    (frozenset({Status.PENDING, Status.DOWNLOADING}), Action.PAUSE),
    (frozenset({Status.PAUSED}), Action.RESUME),
    (frozenset({Status.FAILED, Status.REMOVED}), Action.RETRY),
    (frozenset({Status.COMPLETED}), Action.DELETE),
)
# What needs somebody is seen first.
STATES_IN_TURN = (
    *(Status.FAILED, MISSING, Status.DOWNLOADING, Status.PENDING),
    *(Status.PAUSED, Status.COMPLETED, Status.REMOVED),
)
# So many devices have no room for a chip each on a phone.
MANY_DEVICES = 3


@dataclass(frozen=True, slots=True)
class TitleRow:
    """A row of a list: one title, with a download for each of its devices.

    Attributes:
        downloads: By the names of their devices; at least one.
    """

    downloads: Sequence[DownloadView]

    @property
    def first(self) -> DownloadView:
        """The download that names the title, its artist and its album."""
        return self.downloads[0]

    @property
    def is_shared(self) -> bool:
        """Whether it is on, or for, several devices."""
        return len(self.downloads) > 1

    @property
    def has_many(self) -> bool:
        """Whether it is on, or for, more devices than can be shown one by one."""
        return len(self.downloads) >= MANY_DEVICES

    @property
    def by_state(self) -> Sequence[Sequence[DownloadView]]:
        """Its downloads in each state, what needs somebody first."""
        in_turn = sorted(self.downloads, key=lambda one: STATES_IN_TURN.index(one.shown_status))
        return [list(some) for _, some in groupby(in_turn, key=lambda one: one.shown_status)]

    @property
    def key(self) -> str:
        """Identifies the row on its page, whatever becomes of its downloads."""
        one = self.first
        return f"title-{one.item_id}" if self.is_shared else f"download-{one.id}"

    @property
    def ids(self) -> str:
        """The ids of its downloads, as the box that selects it sends them."""
        return join_ids(self.downloads)

    @property
    def waiting(self) -> str:
        """The ids of those that have a place in the queue."""
        return join_ids(one for one in self.downloads if one.status is Status.PENDING)

    @property
    def unfinished(self) -> str:
        """The ids of those that can be cancelled."""
        possible = GOES[Action.CANCEL]
        return join_ids(one for one in self.downloads if one.status in possible)

    @property
    def shown_status(self) -> str:
        """The state that all of them share; else `several`."""
        states = {one.shown_status for one in self.downloads}
        return states.pop() if len(states) == 1 else "several"

    @property
    def reasons(self) -> Sequence[ReasonView]:
        """Why people want it, each reason once."""
        return list(dict.fromkeys(why for one in self.downloads for why in one.reasons))

    @property
    def told(self) -> DownloadView | None:
        """The first of which is to be told what went wrong."""
        return next((one for one in self.downloads if one.why_not_there), None)

    @property
    def main_action(self) -> tuple[Action, str] | None:
        """What its one button does, and with which of its downloads."""
        for statuses, action in MAIN_ACTIONS:
            found = [one for one in self.downloads if one.shown_status in statuses]
            if found:
                return action, join_ids(found)
        return None

    @property
    def size(self) -> int:
        """The bytes of all its files, as far as they are known."""
        return sum(one.expected_size or one.bytes_downloaded for one in self.downloads)

    def get_opened(self, opened: Collection[int]) -> int | None:
        """Return the download by which the row is open; None if it is closed."""
        return next((one.id for one in self.downloads if one.id in opened), None)


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Some rows of a list.

    Attributes:
        key: Identifies the group on its page; empty for rows that stand alone.
    """

    key: str
    rows: Sequence[TitleRow]

    @property
    def first(self) -> TitleRow:
        """The first row, which names the album, its artist and the devices."""
        return self.rows[0]

    @property
    def downloads(self) -> Sequence[DownloadView]:
        """The downloads of all rows."""
        return [one for row in self.rows for one in row.downloads]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many downloads are in each state."""
        return Counter(str(one.status) for one in self.downloads)

    @property
    def size(self) -> int:
        """The bytes of all its files, as far as they are known."""
        return sum(one.size for one in self.rows)

    @property
    def done(self) -> int:
        """The bytes of it that are there."""
        return sum(one.bytes_downloaded for one in self.downloads)


def group_rows(rows: Sequence[TitleRow]) -> list[RowGroup]:
    """Return the rows in their order, those of an album on the same devices together."""
    groups: list[RowGroup] = []
    seen: Counter[str] = Counter()
    for (album, devices), found in groupby(rows, _album_and_devices):
        together = list(found)
        if not album or len(together) < LEAST_IN_GROUP:
            groups += [RowGroup("", [one]) for one in together]
            continue
        key = "-".join((album, *devices))
        seen[key] += 1
        groups.append(RowGroup(f"{key}-{seen[key]}", together))
    return groups


def join_ids(downloads: Iterable[DownloadView]) -> str:
    """Return the ids of downloads as one value of a form."""
    return ",".join(str(one.id) for one in downloads)


def _album_and_devices(row: TitleRow) -> tuple[str | None, tuple[str, ...]]:
    return row.first.album_id, tuple(one.device_id for one in row.downloads)
