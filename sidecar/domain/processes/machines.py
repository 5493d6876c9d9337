"""How a machine is called where only plain letters will do."""

from __future__ import annotations

from hashlib import sha256

LONGEST = 64
# How the names of users of PostgreSQL and Redis begin that belong to a machine that has joined.
OF_MACHINE = "jellyfin-sidecar-machine-"


def write_plainly(name: str) -> str:
    """Return the name of a machine in letters, digits, dots and dashes; it may be no other's."""
    plain = "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "-" for one in name
    )
    return plain[:LONGEST] or "machine"


def make_login(text: str) -> str:
    """Return the name of a user that belongs to a machine: as long for each text that names it."""
    return f"{OF_MACHINE}{sha256(text.encode()).hexdigest()[:16]}"
