"""Names of the database and key files, and the account service, which the command line uses."""

from __future__ import annotations

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.problems import Problems
from sidecar.store.stores import Stores

DATABASE = "sidecar.db"
KEY_FILE = "token.key"


def account_service(
    settings: Settings, store: Stores, problems: Problems, bus: Bus, clock: Clock
) -> AccountService:
    """Create the service that signs accounts in and out.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
    """
    if settings.jellyfin.url is None:
        raise ConfigError("settings", "jellyfin.url", None, "must be given")
    return AccountService(
        settings.jellyfin.url,
        ca_file=settings.jellyfin.ca_file,
        stores=store,
        box=TokenBox(settings.server.data_dir / KEY_FILE),
        problems=problems,
        bus=bus,
        clock=clock,
    )
