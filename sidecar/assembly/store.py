"""Names of the database and key files, and the account service, which the command line uses."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.config.page import merge_valid
from sidecar.errors import ConfigError
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.configuration.service import ConfigurationService, open_sealed
from sidecar.services.health.problems import Problems
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.store.place import Place
from sidecar.store.stores import Stores

DATABASE = "sidecar.db"
KEY_FILE = "token.key"


def database_place(settings: Settings) -> Place:
    """Return where the database is that the settings mean."""
    url = settings.database.url
    return Place(
        settings.server.data_dir / DATABASE,
        None if url is None else PostgresqlAddress(url.get_secret_value()),
    )


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


def page_configuration(
    settings: Settings,
    store: Stores,
    bus: Bus,
    *,
    ignored: Collection[str] = (),
    restart: Callable[[], object] | None = None,
) -> ConfigurationService:
    """Create the service that adds what the page sets to the settings of file and environment."""
    return ConfigurationService(
        settings,
        store=store.page_settings,
        box=TokenBox(settings.server.data_dir / KEY_FILE),
        bus=bus,
        ignored=ignored,
        restart=restart,
    )


def settings_with_page(settings: Settings) -> Settings:
    """Return the settings for a command, with what the page sets; needs no sidecar to run."""
    data_dir = settings.server.data_dir
    stored = database_place(settings).read_page_settings()
    if not stored:
        return settings
    return merge_valid(settings, open_sealed(stored, TokenBox(data_dir / KEY_FILE)))[0]
