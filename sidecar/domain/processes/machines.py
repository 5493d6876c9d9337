"""How a machine is called where only plain letters will do."""

from __future__ import annotations

LONGEST = 64


def write_plainly(name: str) -> str:
    """Return the name of a machine in letters, digits, dots and dashes; it may be no other's."""
    plain = "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "-" for one in name
    )
    return plain[:LONGEST] or "machine"
