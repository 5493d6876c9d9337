"""Stores what a first set-up has found: the address of Jellyfin, and its admin."""

from __future__ import annotations

from sidecar.assembly.store import (
    account_service,
    database_place,
    page_configuration,
    settings_with_page,
)
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.events import Bus
from sidecar.jellyfin.sign_in import SignedIn
from sidecar.services.accounts.sign_in import network_prefix
from sidecar.services.health.problems import Problems
from sidecar.store.stores import Stores


def keep_set_up(  # noqa: PLR0917 - some of them are given before the others
    settings: Settings, clock: Clock, url: str, found: SignedIn, device_id: str, address: str
) -> str:
    """Store the address and the first admin of a set-up; return a session of the page.

    Args:
        settings: Those of the file and the environment, which name no server.
        clock: The time.
        url: The address of Jellyfin.
        found: The admin, who has just signed in there.
        device_id: The device id of that sign-in.
        address: The browser's address.
    """
    bus = Bus()
    db = database_place(settings).open(clock)
    try:
        store = Stores(db, bus, clock)
        page_configuration(settings, store, bus).save({"jellyfin.url": url})
        now = settings_with_page(settings)
        account_service(now, store, Problems(bus), bus, clock).keep_quick_connect(found, device_id)
        return store.sessions.begin(found.user_id, address_prefix=network_prefix(address))
    finally:
        db.close()
