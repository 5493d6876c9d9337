"""Reads playlists that people made or changed on a device, and says what changed.

    bytes of a list ──▶ lines ──▶ files of the device, in order
    as we wrote it, as it is there, as Jellyfin has it ──▶ added, removed, moved; in conflict or not

What a list names that is no file of the device is counted and otherwise left alone. What Jellyfin's
list holds beside the files of the device keeps its place.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from sidecar.domain.files.naming import make_path_key

MOST_BYTES = 1024 * 1024
MOST_ENTRIES = 5000
LONGEST_LINE = 4096
# In any language of the page: lists of these names are hearts.
HEARTS = frozenset({"hearts", "herzen", "favourites", "favorites", "favoriten"})
_DRIVE = re.compile(r"^[A-Za-z]:")
_ADDRESS = re.compile(r"^(?!file:)[A-Za-z][A-Za-z0-9+.-]+://")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A path of one part names a file only beside the list or in the root; else any of that name would.
FEWEST_PARTS = 2
# Only so many of the last parts are tried: a line of thousands would mean thousands of paths.
MOST_PARTS = 16


@dataclass(frozen=True, slots=True)
class ListedFiles:
    """What a list names: files of the device, by their paths there, and how much else."""

    paths: tuple[str, ...]
    unknown: int


@dataclass(frozen=True, slots=True)
class ListChanges:
    """What differs between two lists.

    Attributes:
        is_reordered: What both have is in another order.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    is_reordered: bool

    @property
    def is_any(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.is_reordered)


def is_hearts(name: str) -> bool:
    """Whether a list of this name means hearts."""
    return name.strip().casefold() in HEARTS


def read_lines(content: bytes) -> Iterator[str]:
    """Yield the lines of a list that name something, whatever its encoding and line ends."""
    text = _decode(content[:MOST_BYTES])
    number = 0
    for line in re.split(r"[\r\n]+", text):
        told = line.strip("\ufeff \t\x00")
        if not told or told.startswith("#") or len(told) > LONGEST_LINE:
            continue
        number += 1
        if number > MOST_ENTRIES:
            return
        yield told


def find_files(
    lines: Iterable[str], folder: str, look_up: Callable[[Collection[str]], Mapping[str, str]]
) -> ListedFiles:
    """Return the files that lines of a list name.

    Args:
        lines: From `read_lines`.
        folder: Where the list is; "" for the root.
        look_up: Returns the paths of the device's files with these keys, by key; asked once.
    """
    named = [_keys(line, folder) for line in lines]
    files = look_up({key for keys in named for key in keys})
    found = [next((files[key] for key in keys if key in files), None) for keys in named]
    paths = tuple(one for one in found if one is not None)
    return ListedFiles(paths, len(found) - len(paths))


def index_paths(paths: Iterable[str]) -> dict[str, str]:
    """Return paths by their keys, as `find_files` needs them."""
    return {make_path_key(one): one for one in paths}


def compare(before: Sequence[str], after: Sequence[str]) -> ListChanges:
    """Return what was added to a list, removed from it and moved in it."""
    fewer, more = Counter(before) - Counter(after), Counter(after) - Counter(before)
    return ListChanges(
        added=tuple(_pick(after, more)),
        removed=tuple(_pick(before, fewer)),
        is_reordered=_without(before, fewer) != _without(after, more),
    )


def is_conflict(base: Sequence[str], there: Sequence[str], server: Sequence[str]) -> bool:
    """Whether a list was changed both on the device and in Jellyfin, and not to the same.

    What Jellyfin's list has beside what was written to the device is no change: much of it may just
    not be on the device.
    """
    known = set(base)
    kept = [one for one in server if one in known]
    if kept == list(base) or list(there) == list(base):
        return False
    return [one for one in server if one in known | set(there)] != list(there)


def merge(base: Sequence[str], there: Sequence[str], server: Sequence[str]) -> list[str]:
    """Return Jellyfin's list with what was changed on the device.

    Args:
        base: As it was written to the device.
        there: As it is on the device now.
        server: As Jellyfin has it.
    """
    removed = set(base) - set(there)
    # What Jellyfin took away meanwhile does not come back by itself.
    taken_away = set(base) - set(server)
    result = [one for one in there if one not in taken_away]
    of_device = set(there) | removed
    before: str | None = None
    for one in server:
        if one not in of_device:
            at = _last_index(result, before) + 1 if before is not None else 0
            result.insert(at, one)
        if one in result:
            before = one
    return result


def plan_moves(current: Sequence[str], target: Sequence[str]) -> list[tuple[str, int]]:
    """Return the fewest moves that bring entries into another order: which, and to what index.

    An index counts without the entry itself. Entries that are there twice cannot be told apart:
    then nothing is moved.
    """
    if len(set(target)) != len(target) or sorted(current) != sorted(target):
        return []
    place = {one: at for at, one in enumerate(target)}
    staying = _longest_rising([place[one] for one in current])
    now, moves = list(current), []
    for at, one in enumerate(target):
        if at in staying:
            continue
        now.remove(one)
        index = now.index(target[at - 1]) + 1 if at else 0
        now.insert(index, one)
        moves.append((one, index))
    return moves


def _decode(content: bytes) -> str:
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        # What Windows' programs write without saying so.
        return content.decode("cp1252", "replace")


def _keys(line: str, folder: str) -> list[str]:
    """Return the keys of the paths that a line may mean, the likeliest first."""
    if _ADDRESS.match(line):
        return []
    if line.startswith("file:"):
        line = unquote(line.removeprefix("file:"))
    line = _DRIVE.sub("", line.replace("\\", "/"))
    beside = None if line.startswith("/") else _normalise(f"{folder}/{line}")
    whole = _normalise(line)
    parts = (whole or "").split("/")
    most = len(parts) - FEWEST_PARTS + 1
    ends = ("/".join(parts[start:]) for start in range(max(1, len(parts) - MOST_PARTS), most))
    # No file has a name with a NUL in it, and no database finds one.
    return [make_path_key(one) for one in (beside, whole, *ends) if one and "\0" not in one]


def _normalise(path: str) -> str | None:
    """Return a path without empty parts, `.` and `..`; leading `..` are dropped."""
    parts: list[str] = []
    for one in path.split("/"):
        if one == "..":
            del parts[-1:]
        elif one not in {"", "."}:
            parts.append(one)
    return "/".join(parts) or None


def _pick(entries: Sequence[str], wanted: Counter[str]) -> Iterator[str]:
    """Yield so many of each entry, the last ones of those that are there more often."""
    left, found = Counter(wanted), []
    for one in reversed(entries):
        if left[one] > 0:
            left[one] -= 1
            found.append(one)
    yield from reversed(found)


def _without(entries: Sequence[str], gone: Counter[str]) -> list[str]:
    left, kept = Counter(gone), []
    for one in reversed(entries):
        if left[one] > 0:
            left[one] -= 1
        else:
            kept.append(one)
    return kept[::-1]


def _last_index(entries: Sequence[str], one: str) -> int:
    return len(entries) - 1 - entries[::-1].index(one)


def _longest_rising(numbers: Sequence[int]) -> Collection[int]:
    """Return the values of a longest rising subsequence of different numbers."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for one in numbers:
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if ends[middle] < one else (low, middle)
        before[one] = ends[low - 1] if low else None
        ends[low : low + 1] = [one]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
