"""The order in which people count: 2 comes before 10, whatever stands around it. Pure."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"(\d+)", re.ASCII)


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Return what texts are sorted by so that the numbers in them count as numbers."""
    # Texts are at the even places and numbers at the odd ones: like is compared with like.
    parts = _NUMBERS.split(text)
    return tuple(
        (int(part), "") if place % 2 else (0, part.casefold()) for place, part in enumerate(parts)
    )
