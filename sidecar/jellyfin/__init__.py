"""Everything that speaks to the Jellyfin server, except moving media bytes."""

from __future__ import annotations
