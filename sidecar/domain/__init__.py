"""Pure decisions: values in, decisions with their reasons out. No input, no output, no clock."""

from __future__ import annotations
