"""Parses what the lists' view states have in common; invalid values are ignored."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.web.request.query_params import LAST_PAGE, LONGEST_TEXT, MOST_OWNERS


def parse_page(text: str) -> int:
    """Return a page number from 1 to `LAST_PAGE`; 1 if it is none."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 1  # noqa: PLR2004 - digits of LAST_PAGE
    return min(max(number, 1), LAST_PAGE)


def parse_owners(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of accounts without repetitions and empty ones."""
    return tuple([one[:LONGEST_TEXT] for one in dict.fromkeys(names) if one.strip()][:MOST_OWNERS])
