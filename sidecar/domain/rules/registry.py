"""All rules that are worked out anew from what is there, the most urgent first."""

from __future__ import annotations

from typing import Any

from sidecar.domain.rules import album_affinity, latest, next_up, playlists, queue_ahead
from sidecar.domain.rules.context import Rule

RULES: tuple[Rule[Any], ...] = (
    queue_ahead.RULE,
    playlists.RULE,
    album_affinity.RULE,
    next_up.RULE,
    latest.RULE,
)
