"""Natural sorting: numbers in texts are compared as numbers, 2 before 10."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"(\d+)", re.ASCII)


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key in which the numbers of a text count as numbers."""
    # Texts are at even positions and numbers at odd ones, so only equal types are compared.
    parts = _NUMBERS.split(text)
    return tuple(
        (int(part), "") if place % 2 else (0, part.casefold()) for place, part in enumerate(parts)
    )
