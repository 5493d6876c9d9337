"""Computes what a new format for a device's music costs, and which files must be made anew.

    made for another format ─┬─▶ fits the new one already: stays
                             └─▶ fetched again: so many files, so many bytes

Nothing is changed before a person confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sidecar.domain.files.naming import get_extension
from sidecar.domain.formats.formats import Target, is_small_enough, read_target
from sidecar.messages import Size, counted, msg


@dataclass(frozen=True, slots=True)
class PresentFile:
    """A finished file that was made for another format than the one that is set now.

    Attributes:
        size: Bytes on the device.
        source_size: Bytes of the original that it was converted from; None if it is the original.
        original_size: Bytes of the kept original; None if none is kept.
    """

    download_id: int
    format: str
    path: str
    size: int | None
    source_size: int | None
    seconds: float | None
    original_size: int | None = None

    @property
    def source(self) -> int:
        """Bytes of the original."""
        return (self.source_size if self.source_size is not None else self.size) or 0

    @property
    def to_fetch(self) -> int:
        """Bytes to fetch."""
        return 0 if self.original_size is not None else self.source


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a new format for the existing files.

    Attributes:
        format: The name of the new one.
        anew: Downloads that have to be fetched again, oldest first.
        as_wanted: Downloads that fit the new format already.
        bytes_to_fetch: Over the network, for these.
        bytes_now: Of the files to be made anew.
        bytes_after: Of these files afterwards, estimated.
    """

    format: str
    anew: tuple[int, ...] = ()
    as_wanted: tuple[int, ...] = ()
    bytes_to_fetch: int = 0
    bytes_now: int = 0
    bytes_after: int = 0


def estimate_cost(name: str, target: Target | None, present: Iterable[PresentFile]) -> Cost:
    """Compute the cost of a new format.

    Args:
        name: Of the new format.
        target: What it converts to; None for the original.
        present: The files that were made for another one.
    """
    as_wanted: list[PresentFile] = []
    anew: list[PresentFile] = []
    for one in present:
        (as_wanted if _is_as_wanted(one, target) else anew).append(one)
    return Cost(
        format=name,
        anew=tuple(one.download_id for one in anew),
        as_wanted=tuple(one.download_id for one in as_wanted),
        bytes_to_fetch=sum(one.to_fetch for one in anew),
        bytes_now=sum(one.size or 0 for one in anew),
        bytes_after=sum(_size_after(one, target) for one in anew),
    )


def describe_cost(found: Cost) -> str:
    """Return the message about what a new format costs."""
    target = read_target(found.format)
    fetched, now, after = map(Size, (found.bytes_to_fetch, found.bytes_now, found.bytes_after))
    files = counted("{count} file is", "{count} files are", len(found.anew))
    wanted = target.title if target else msg("the original")
    if target is None:
        return msg(
            "{files} on it in another format than {format}: {fetched} would be "
            "downloaded again, and {now} become {after}",
            files=files,
            format=wanted,
            fetched=fetched,
            now=now,
            after=after,
        )
    return msg(
        "{files} on it in another format than {format}: {fetched} would be "
        "downloaded again, and {now} become about {after}",
        files=files,
        format=wanted,
        fetched=fetched,
        now=now,
        after=after,
    )


def _is_as_wanted(one: PresentFile, target: Target | None) -> bool:
    if one.source_size is not None:
        return False
    if target is None:
        return True
    return is_small_enough(
        target, extension=get_extension(one.path), size=one.size or 0, seconds=one.seconds
    )


def _size_after(one: PresentFile, target: Target | None) -> int:
    if target is None:
        return one.source
    return target.estimate(seconds=one.seconds, source_size=one.source) or 0
