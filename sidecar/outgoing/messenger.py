"""Sends short messages by Apprise, which may not be installed. Nothing of an address is logged."""

from __future__ import annotations

import logging
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from apprise import NotifyBase

APPRISE = "apprise"
# Of its plugin for ntfy, if it speaks to the public server.
CLOUD = "cloud"


def is_installed() -> bool:
    """Whether messages can be sent at all."""
    return find_spec(APPRISE) is not None


def name_service(url: SecretStr) -> str | None:
    """Return the name of the service of an address; None if it cannot be read, or no Apprise."""
    plugin = _plugin(url)
    return None if plugin is None else str(plugin.service_name)


def is_public(url: SecretStr) -> bool:
    """Whether an address of a service that can be self-hosted means the public one."""
    return getattr(_plugin(url), "mode", CLOUD) == CLOUD


def send(url: SecretStr, title: str, body: str) -> bool:
    """Send a message; return whether the service has taken it."""
    plugin = _plugin(url)
    if plugin is None:
        return False
    # A plugin is a foreign program: whatever it raises, the message did not arrive.
    with suppress(Exception):
        return bool(plugin.notify(body=body, title=title))
    return False


def _plugin(url: SecretStr) -> NotifyBase | None:
    if not is_installed():
        return None
    from apprise import Apprise, AppriseAsset, PersistentStoreMode  # noqa: PLC0415 - optional

    # They log addresses and what was answered there.
    for name in (APPRISE, "requests", "urllib3", "urllib3.connectionpool"):
        library = logging.getLogger(name)
        library.setLevel(max(logging.INFO, library.getEffectiveLevel()))
    ours = logging.getLogger(APPRISE)
    ours.propagate, ours.disabled = False, True
    asset = AppriseAsset(
        app_id="Jellyfin Sidecar",
        app_desc="Jellyfin Sidecar",
        app_url="",
        plugin_paths=[],
        secure_logging=True,
        storage_mode=PersistentStoreMode.MEMORY,
    )
    made = Apprise.instantiate(url.get_secret_value(), asset=asset, suppress_exceptions=True)
    return made or None
