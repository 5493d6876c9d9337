"""Creates the services for accounts and for the Jellyfin server that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.assembly.base import Base
from sidecar.assembly.store import account_service
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.auto_sign_in import AutoSignIn
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.permissions import PermissionRefresh
from sidecar.services.jellyfin_status import JellyfinStatus
from sidecar.services.problems import Problems


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountServices:
    """The accounts and the Jellyfin server that they belong to."""

    problems: Problems
    service: AccountService
    server: JellyfinStatus
    permissions: PermissionRefresh
    unattended: AutoSignIn
    ownership: Ownership


def make_accounts(base: Base) -> AccountServices:
    """Create the services for accounts.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
    """
    problems = Problems(base.bus)
    service = account_service(base.settings, base.store, problems, base.bus, base.clock)
    server = JellyfinStatus(service.anonymous, problems, base.clock)
    return AccountServices(
        problems=problems,
        service=service,
        server=server,
        permissions=PermissionRefresh(service, server, base.clock),
        unattended=AutoSignIn(
            base.settings.jellyfin.username,
            base.settings.jellyfin.password,
            accounts=service,
            server=server,
            problems=problems,
            clock=base.clock,
        ),
        ownership=Ownership(base.store, accounts=service.all),
    )
