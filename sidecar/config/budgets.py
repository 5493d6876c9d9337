"""Reads the sizes of devices that a replay is made for: "32 GB", or "5 %" of the library."""

from __future__ import annotations

import re

from pydantic import TypeAdapter, ValidationError

from sidecar.config.base import Room
from sidecar.domain.replay.job import Budget

_SHARE = re.compile(r"(\d{1,3}(?:[.,]\d{1,3})?) ?%")


def read_budgets(text: str) -> list[Budget]:
    """Return the budgets in a list with commas between; each of them once.

    Raises:
        ValueError: One is no budget; `str()` is its text.
    """
    found: dict[Budget, None] = {}
    # A comma between two digits is part of a number.
    for part in re.split(r";|(?<!\d),|,(?!\d)", text):
        found[_read(part.strip())] = None
    return list(found)


def _read(text: str) -> Budget:
    share = _SHARE.fullmatch(text)
    if share is not None:
        return Budget(float(share[1].replace(",", ".")), is_share=True)
    try:
        return Budget(int(TypeAdapter[int](Room).validate_python(text)), is_share=False)
    except ValidationError:
        raise ValueError(text) from None
