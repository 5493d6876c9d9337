"""File numbers: as many as the system lets us have, and how many of them connections may take."""

from __future__ import annotations

import resource
from contextlib import suppress

from sidecar.limits import CONNECTIONS, DESCRIPTORS_KEPT, FEWEST_CONNECTIONS, MOST_DESCRIPTORS


def raise_descriptors() -> int:
    """Take as many file numbers as the system lets us; return how many connections they allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may refuse what it says is the hard limit.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(CONNECTIONS, soft - DESCRIPTORS_KEPT))
