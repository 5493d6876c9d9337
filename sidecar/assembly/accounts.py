"""Creates the services for accounts and for the Jellyfin server that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sidecar.assembly.base import Base
from sidecar.assembly.store import account_service
from sidecar.errors import SignedOut
from sidecar.events import Sender
from sidecar.jellyfin.client import Jellyfin
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.auto_sign_in import AutoSignIn
from sidecar.services.accounts.hidden_files import HiddenFilesService
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.permissions import PermissionRefresh
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import Problems
from sidecar.services.health.tasks import TaskRun, Tasks
from sidecar.services.processes.calls import TASK


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountServices:
    """The accounts and the Jellyfin server that they belong to."""

    problems: Problems
    tasks: Tasks
    service: AccountService
    server: JellyfinStatus
    permissions: PermissionRefresh
    unattended: AutoSignIn
    ownership: Ownership
    hidden: HiddenFilesService


def make_accounts(base: Base) -> AccountServices:
    """Create the services for accounts.

    Raises:
        errors.ConfigError: No Jellyfin server is set.
    """
    problems = Problems(base.bus, base.machine)
    tasks = Tasks(base.clock, partial(base.sharing.calls.make, TASK))
    base.sharing.calls.answer(TASK, tasks.act)
    base.sharing.findings.share(
        "task", TaskRun, found=tasks.found, tell=tasks.take, is_notice=False
    )
    service = account_service(base.settings, base.store, problems, base.bus, base.clock)
    base.bus.subscribe(service.hear, Sender.ELSEWHERE)
    server = JellyfinStatus(service.anonymous, problems, base.clock)
    hidden = HiddenFilesService(
        base.store, bus=base.bus, clock=base.clock, others=partial(_clients_of_others, service)
    )
    return AccountServices(
        problems=problems,
        tasks=tasks,
        service=service,
        server=server,
        permissions=PermissionRefresh(
            service,
            server,
            base.clock,
            whose=service.signed_in if base.roles.watches else service.outside_their_hours,
            look=hidden.look,
        ),
        unattended=AutoSignIn(
            base.settings.jellyfin.username,
            base.settings.jellyfin.password,
            accounts=service,
            server=server,
            problems=problems,
            clock=base.clock,
        ),
        ownership=Ownership(base.store, accounts=service.all, unused=base.unused_devices),
        hidden=hidden,
    )


def _clients_of_others(service: AccountService, user_id: str) -> Iterator[Jellyfin]:
    """Yield the clients of all accounts but one, admins first: they usually see everything."""
    for one in sorted(service.signed_in(), key=lambda account: not account.is_admin):
        if one.user_id != user_id:
            with suppress(SignedOut):
                yield service.client(one.user_id)
