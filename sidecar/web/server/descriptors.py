"""Raises the limit on file descriptors, and derives the number of connections from it."""

from __future__ import annotations

import resource
from contextlib import suppress

from sidecar.process.limits import (
    CONNECTIONS,
    DESCRIPTORS_KEPT,
    FEWEST_CONNECTIONS,
    MOST_DESCRIPTORS,
)


def raise_descriptors() -> int:
    """Raise the soft limit as far as possible; return how many connections it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may refuse even its own hard limit.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(CONNECTIONS, soft - DESCRIPTORS_KEPT))
