"""How much a child process may take, and how it is started so."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may take.

    Attributes:
        nice: How much less urgent it is than we are.
        most_bytes: Of any file that it writes.
        most_memory: Bytes, of everything that it maps.
        most_seconds: Of the processor; 0 for no end.
    """

    nice: int
    most_bytes: int
    most_memory: int
    most_seconds: int = 0

    def command(self, program: Sequence[str]) -> list[str]:
        """Return what starts a program within these limits; it dies with the thread that does."""
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        limits = (os.getpid(), self.nice, self.most_bytes, self.most_memory, self.most_seconds)
        return [*launcher, *map(str, limits), *program]
