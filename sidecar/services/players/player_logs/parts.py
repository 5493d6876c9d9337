"""What bringing states from a player and giving them to it have in common."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.jellyfin.client import Jellyfin
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.players.player_logs.listeners import Listeners
from sidecar.store.playback.imported_plays import ImportedPlays
from sidecar.store.playback.player_states import PlayerStates


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerParts:
    """What both work with.

    Attributes:
        access: Who may use a device.
        registry: The devices.
        listeners: Whose players they are.
        imported: Plays that logs have told.
        states: What was dealt with, and imports.
        client: Returns the Jellyfin client of an account, by its id.
        alone: Holds a device for one import at a time.
        clock: For dates, and for time limits.
    """

    access: DeviceAccess
    registry: DeviceRegistry
    listeners: Listeners
    imported: ImportedPlays
    states: PlayerStates
    client: Callable[[str], Jellyfin]
    alone: Callable[[str, str], AbstractContextManager[None]]
    clock: Clock
