"""Keeps what was found of many files in a tenth of the memory of a dictionary of values."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter

from sidecar.domain.files.removals import FileStat

_SECOND_NS = 10**9


class FileStats(Mapping[int, FileStat]):
    """What was found of files, by download id: 36 bytes each. Its values are made when asked for.

    A device may have a hundred thousand files, and between two looks only their stats are kept.
    """

    __slots__ = ("_ids", "_inodes", "_nanoseconds", "_seconds", "_sizes")

    def __init__(self, found: Iterable[tuple[int, FileStat]] = ()) -> None:
        """Keep these, each id once, in any order."""
        self._ids, self._sizes, self._inodes = array("q"), array("q"), array("Q")
        # Some file systems have times that are more nanoseconds than 64 bits can count.
        self._seconds, self._nanoseconds = array("q"), array("I")
        self.extend(found)

    def extend(self, found: Iterable[tuple[int, FileStat]]) -> None:
        """Keep these as well: their ids are greater than all that are kept."""
        for file_id, facts in sorted(found, key=itemgetter(0)):
            seconds, nanoseconds = divmod(facts.modified_ns, _SECOND_NS)
            self._ids.append(file_id)
            self._sizes.append(facts.size)
            self._inodes.append(facts.inode)
            self._seconds.append(seconds)
            self._nanoseconds.append(nanoseconds)

    def __getitem__(self, file_id: int) -> FileStat:
        """Return what was found of a file; raises KeyError."""
        place = bisect_left(self._ids, file_id)
        if place == len(self._ids) or self._ids[place] != file_id:
            raise KeyError(file_id)
        modified_ns = self._seconds[place] * _SECOND_NS + self._nanoseconds[place]
        return FileStat(self._sizes[place], modified_ns, self._inodes[place])

    def __iter__(self) -> Iterator[int]:
        """Return the ids, in order."""
        return iter(self._ids)

    def __len__(self) -> int:
        """Return how many files they are."""
        return len(self._ids)
