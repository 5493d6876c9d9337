"""Amounts of bytes for people: in thousands, as drives are labelled, one decimal from MB on."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEP = 1000
MEGABYTE = 1_000_000
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class ScaledSize:
    """An amount in the unit that suits it.

    Attributes:
        amount: Rounded already, halves up.
        unit: Its place in `UNITS`.
        decimals: How many are shown.
    """

    amount: float
    unit: int
    decimals: int


def scale_size(octets: float) -> ScaledSize:
    """Return an amount of bytes in its unit, as `numbers.js` does it in the browser."""
    for unit in range(len(UNITS)):
        decimals = 1 if unit > 1 else 0
        amount = math.floor(max(octets, 0) / STEP**unit * 10**decimals + 0.5) / 10**decimals
        if amount < STEP:
            break
    return ScaledSize(amount, unit, decimals)


def format_size(octets: float) -> str:
    """Return an amount of bytes in English: `99 bytes`, `482 kB`, `3.4 MB`, `12.0 GB`."""
    scaled = scale_size(octets)
    symbol = "byte" if not scaled.unit and scaled.amount == 1 else UNITS[scaled.unit]
    return f"{scaled.amount:,.{scaled.decimals}f} {symbol}"


def rough_size(octets: int, digits: int = 3) -> int:
    """Return an amount as it may be told to who may not know whose bytes they are.

    Exact sizes name a file: whoever has the same one recognises it by its length.
    """
    if octets <= 0:
        return 0
    step = max(MEGABYTE, int(10 ** max(0, len(str(octets)) - digits)))
    return max(step, (octets + step // 2) // step * step)
