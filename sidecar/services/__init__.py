"""The use cases: where the layers below meet."""

from __future__ import annotations
