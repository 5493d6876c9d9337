"""The settings: their models (`settings`) and how they are read and checked (`loading`)."""

from __future__ import annotations

from sidecar.config.loading import find_file, load
from sidecar.config.rules import RulesSettings
from sidecar.config.settings import (
    Aria2Settings,
    BackupSettings,
    DeviceSettings,
    EngineName,
    JellyfinSettings,
    LogSettings,
    NetworkSettings,
    ServerSettings,
    Settings,
    SyncthingSettings,
    TransferSettings,
)

__all__ = [
    "Aria2Settings",
    "BackupSettings",
    "DeviceSettings",
    "EngineName",
    "JellyfinSettings",
    "LogSettings",
    "NetworkSettings",
    "RulesSettings",
    "ServerSettings",
    "Settings",
    "SyncthingSettings",
    "TransferSettings",
    "find_file",
    "load",
]
