"""Where the demo keeps what it has: for `run`, and for the commands that look at it."""

from __future__ import annotations

from pathlib import Path

from sidecar.assembly.store import database_place, settings_with_page
from sidecar.config import DeviceSettings, Settings
from sidecar.config.settings import DatabaseSettings, RedisSettings


def demo_place(settings: Settings) -> Path:
    """Return the folder of everything that the demo has."""
    return settings.server.data_dir / "demo"


def demo_settings(settings: Settings) -> Settings:
    """Return settings with a separate data folder, and a demo device if none is configured."""
    place = demo_place(settings)
    devices = settings.devices or (DeviceSettings(name="Demo stick", path=place / "stick"),)
    # What is tried out is kept apart, also if the real database is on a server.
    apart = {"devices": devices, "database": DatabaseSettings(), "redis": RedisSettings()}
    return settings.model_copy(update=apart).with_demo("server", data_dir=place / "sidecar")


def settings_in_use(settings: Settings) -> Settings:
    """Return the settings for a command, with what the page sets; needs no sidecar to run.

    Where no Jellyfin is configured and the demo has run, they are those of the demo.
    """
    found = settings_with_page(settings)
    demo = demo_settings(settings)
    if found.jellyfin.url is None and database_place(demo).exists():
        return settings_with_page(demo)
    return found
