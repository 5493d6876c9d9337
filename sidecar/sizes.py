"""Formats sizes in bytes for people: decimal units, as on drives; one decimal from MB on."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEP = 1000
MEGABYTE = 1_000_000
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class ScaledSize:
    """A size in the unit that suits it.

    Attributes:
        amount: In that unit, rounded half up.
        unit: The index in `UNITS`.
        decimals: The number of decimals to show.
    """

    amount: float
    unit: int
    decimals: int


def scale_size(octets: float) -> ScaledSize:
    """Scale a number of bytes to the unit that suits it, as `numbers.js` does in the browser."""
    for unit in range(len(UNITS)):
        decimals = 1 if unit > 1 else 0
        amount = math.floor(max(octets, 0) / STEP**unit * 10**decimals + 0.5) / 10**decimals
        if amount < STEP:
            break
    return ScaledSize(amount, unit, decimals)


def format_size(octets: float) -> str:
    """Return a size in English: `99 bytes`, `482 kB`, `3.4 MB`, `12.0 GB`."""
    scaled = scale_size(octets)
    symbol = "byte" if not scaled.unit and scaled.amount == 1 else UNITS[scaled.unit]
    return f"{scaled.amount:,.{scaled.decimals}f} {symbol}"


def rough_size(octets: int, digits: int = 3) -> int:
    """Round a size that is shown to people who may not see the file.

    An exact size identifies a file: whoever has the same file recognises it by its length.
    """
    if octets <= 0:
        return 0
    step = max(MEGABYTE, int(10 ** max(0, len(str(octets)) - digits)))
    return max(step, (octets + step // 2) // step * step)
