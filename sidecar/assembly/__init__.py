"""Where the objects meet, each made with what it needs when it is first asked for. Starts nothing.

    store → ground → wanting → fetching → returning → counters, which is the whole `Assembly`

`runtime` owns the threads; the command line uses the parts it needs.
"""

from __future__ import annotations

from sidecar.assembly.counters import Assembly
from sidecar.assembly.store import DATABASE, Store, account_desk

__all__ = ["DATABASE", "Assembly", "Store", "account_desk"]
