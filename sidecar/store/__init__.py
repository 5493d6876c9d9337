"""The SQLite database: the only code with SQL. Its tables are the queue and all other state."""

from __future__ import annotations
