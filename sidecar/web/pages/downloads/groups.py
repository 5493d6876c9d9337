"""Groups the rows of a list that follow one another and are of one album on one device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sidecar.services.downloads.views import DownloadView

# Fewer rows are not worth a click.
LEAST_IN_GROUP = 3
# Shorter lists are shown row by row, unless a person wants it otherwise.
GROUPED_FROM = 25


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Some rows of a list.

    Attributes:
        key: Identifies the group on its page; empty for rows that stand alone.
    """

    key: str
    rows: Sequence[DownloadView]

    @property
    def first(self) -> DownloadView:
        """The first row, which names the album and its artist."""
        return self.rows[0]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows are in each state."""
        return Counter(str(one.status) for one in self.rows)

    @property
    def size(self) -> int:
        """The bytes of all its files, as far as they are known."""
        return sum(one.expected_size or one.bytes_downloaded for one in self.rows)

    @property
    def done(self) -> int:
        """The bytes of it that are there."""
        return sum(one.bytes_downloaded for one in self.rows)


def group_rows(rows: Sequence[DownloadView]) -> list[RowGroup]:
    """Return the rows in their order, those of an album on a device together."""
    groups: list[RowGroup] = []
    seen: Counter[str] = Counter()
    for (album, device), found in groupby(rows, lambda one: (one.album_id, one.device_id)):
        together = list(found)
        if not album or len(together) < LEAST_IN_GROUP:
            groups += [RowGroup("", [one]) for one in together]
            continue
        key = f"{album}-{device}"
        seen[key] += 1
        groups.append(RowGroup(f"{key}-{seen[key]}", together))
    return groups
