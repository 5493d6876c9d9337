"""Space on a device: what a file needs, what a budget allows, what stays free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sidecar.domain.downloads.download import TOO_BIG
from sidecar.messages import Size, msg

SMALLEST_RESERVE = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Space:
    """The size and free space of a file system, in bytes.

    Attributes:
        free: For us, without what is reserved for root.
        block: The block size: files take whole blocks.
        largest_file: The most that one file may hold; None means no practical limit.
    """

    total: int
    free: int
    block: int
    largest_file: int | None


@dataclass(frozen=True, slots=True)
class SpaceRefusal:
    """Why a file does not fit.

    Attributes:
        code: `too-big`, `full` or `budget`.
        is_final: It will never fit with these settings; otherwise it may, once there is room.
    """

    code: str
    message: str
    is_final: bool


def round_to_blocks(size: int, block: int) -> int:
    """Return the bytes that a file of `size` takes in whole blocks."""
    return -(-size // block) * block


def sum_in_blocks(sizes: Iterable[int], block: int) -> int:
    """Return the bytes that many files take in whole blocks."""
    return sum([-(-one // block) for one in sizes]) * block


def compute_default_reserve(total: int) -> int:
    """Return what stays free by default: 1 %, at least 268 MB, at most a tenth."""
    return min(max(total // 100, SMALLEST_RESERVE), total // 10)


def check_space(
    *,
    remaining: int,
    size: int,
    space: Space,
    used: int,
    promised: int,
    budget: int | None,
    reserve: int | None,
    name: str,
) -> SpaceRefusal | None:
    """Return why a file may not be written, None if it may.

    Args:
        remaining: Bytes that are still to be written.
        size: Bytes of the whole file.
        space: The file system as it is.
        used: Bytes that our finished files take, and running downloads will take when finished.
        promised: Bytes that running downloads will still write.
        budget: The most that our files may take; None means all but the reserve.
        reserve: Bytes that stay free; None means the default.
        name: The device's name, for messages.
    """
    kept = compute_default_reserve(space.total) if reserve is None else reserve
    whole = round_to_blocks(size, space.block)
    if space.largest_file is not None and size > space.largest_file:
        return SpaceRefusal(
            TOO_BIG,
            msg("{name} cannot hold a file of {size}", name=name, size=Size(size)),
            is_final=True,
        )
    if budget is not None and whole > budget:
        text = msg(
            "It is larger ({size}) than the storage limit of {name} ({budget})",
            size=Size(size),
            name=name,
            budget=Size(budget),
        )
        return SpaceRefusal(TOO_BIG, text, is_final=True)
    if whole > space.total - kept:
        if whole > space.total or reserve is None:
            text = msg("It is larger ({size}) than {name}", size=Size(size), name=name)
        else:
            text = msg(
                "{name} ({total}) keeps {kept} free, so a file of {size} never fits: lower Keep "
                "free in its settings",
                name=name,
                total=Size(space.total),
                kept=Size(reserve),
                size=Size(size),
            )
        return SpaceRefusal(TOO_BIG, text, is_final=True)
    if budget is not None and used + whole > budget:
        text = msg(
            "The storage limit of {name} ({budget}) is used up: its queue waits for space",
            name=name,
            budget=Size(budget),
        )
        return SpaceRefusal("budget", text, is_final=False)
    if round_to_blocks(remaining, space.block) + promised > space.free - kept:
        text = msg(
            "{name} is full ({free} stay free): its queue waits for space",
            name=name,
            free=Size(kept),
        )
        return SpaceRefusal("full", text, is_final=False)
    return None
