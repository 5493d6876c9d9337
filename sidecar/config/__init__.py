"""Settings: what can be set (`settings`) and where it is read from (`loading`)."""

from __future__ import annotations

from sidecar.config.loading import load
from sidecar.config.settings import (
    DeviceSettings,
    EngineName,
    FavouritesSettings,
    JellyfinSettings,
    LogSettings,
    RulesSettings,
    ServerSettings,
    Settings,
    TransferSettings,
)

__all__ = [
    "DeviceSettings",
    "EngineName",
    "FavouritesSettings",
    "JellyfinSettings",
    "LogSettings",
    "RulesSettings",
    "ServerSettings",
    "Settings",
    "TransferSettings",
    "load",
]
