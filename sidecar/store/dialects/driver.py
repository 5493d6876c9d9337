"""Loads psycopg, the driver of PostgreSQL, with the first database on a server: most have none.

It takes 9 MB and a twentieth of a start.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import peewee


def load_driver() -> ModuleType | None:
    """Return psycopg, and let peewee use it; None if this optional extra is not installed.

    Peewee looks for it when it is loaded itself, where `process.heap` has it left out.
    """
    try:
        import psycopg  # noqa: PLC0415 - see above
        from psycopg.pq import TransactionStatus  # noqa: PLC0415
        from psycopg.types.json import Json, Jsonb  # noqa: PLC0415
    except ImportError:
        return None
    their: Any = peewee  # What it names, and typeshed does not.
    if their.psycopg is None:
        their.psycopg, their.TransactionStatus = psycopg, TransactionStatus
        their.Json_pg3, their.Jsonb_pg3 = Json, Jsonb
        their.Psycopg3Adapter.txn_idle = TransactionStatus.IDLE
        their.Psycopg3Adapter.txn_inerror = TransactionStatus.INERROR
        their.Psycopg3Adapter.txn_unknown = TransactionStatus.UNKNOWN
    return psycopg
