"""The only code that knows SQL. The database is the queue and says what is true."""

from __future__ import annotations
