"""A password of its own for each machine that joins, which *Remove* takes back.

    joins ─▶ a PostgreSQL role and a Redis user for it alone ─▶ removed ─▶ both are gone, at once

Where the installation's own user may not make others, machines share its password: none can be
locked out alone. What a machine has read it keeps, also the key of the sign-ins.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from pydantic import SecretStr

from sidecar.config import Settings
from sidecar.domain.processes.machines import write_plainly
from sidecar.errors import SidecarError
from sidecar.store.dialects.machine_roles import MachineRoles
from sidecar.store.dialects.postgresql import PostgresqlAddress

log = logging.getLogger(__name__)

PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a machine finds the database and Redis, with the passwords."""

    database: SecretStr
    redis: SecretStr | None


class MachineKeys:
    """Makes and takes back the passwords of machines. Safe for many threads."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    def may_give(self) -> bool:
        """Whether this process has the installation's own password, and not that of a machine."""
        url = self._settings().database.url
        return url is not None and not PostgresqlAddress(url.get_secret_value()).is_of_machine

    def are_possible(self) -> bool:
        """Whether a machine that joins gets a password of its own.

        Raises:
            DatabaseError: The database cannot be used.
        """
        roles = self._roles()
        return roles is not None and roles.may_make()

    def make(self, machine: str) -> Addresses:
        """Return the addresses for a machine that joins: with a password of its own if possible.

        Raises:
            DatabaseError: The database cannot be used.
            SidecarError: Redis cannot be used.
        """
        settings, roles = self._settings(), self._roles()
        url, redis_url, name = settings.database.url, settings.redis.url, write_plainly(machine)
        if url is None or roles is None or not roles.may_make():
            return Addresses(url or SecretStr(""), redis_url)
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        if redis_url is not None:
            own = _users().make_user(redis_url, name, password)
            if own is None:
                log.warning("Redis makes no user for %s: it shares the installation's", machine)
            redis_url = own or redis_url
        # Last: with it the machine counts as one that can be locked out.
        return Addresses(SecretStr(roles.make(name, password)), redis_url)

    def list_joined(self) -> Mapping[str, datetime]:
        """Return the machines that have a password of their own, with the time of joining.

        By their plain names. Also those that were never heard of since, or have taken themselves
        off every table.

        Raises:
            DatabaseError: The database cannot be used.
        """
        roles = self._roles()
        return {} if roles is None else roles.list_joined()

    def take_back(self, machine: str) -> None:
        """Lock a machine out of the database and of Redis, if it has a password of its own.

        Raises:
            DatabaseError: The database cannot be used, or does not let us.
        """
        roles, name, redis_url = self._roles(), write_plainly(machine), self._settings().redis.url
        if roles is None or not roles.lock_out(name):
            return
        log.warning("%s is locked out of the database", machine)
        if redis_url is None:
            return
        try:
            _users().remove_user(redis_url, name)
        except SidecarError as trouble:
            # Events alone say nothing without the database.
            log.warning("%s may still hear events: %s", machine, trouble)

    def _roles(self) -> MachineRoles | None:
        url = self._settings().database.url
        return None if url is None else MachineRoles(url.get_secret_value())


def _users() -> Any:  # noqa: ANN401 - a module, loaded only where the settings name a Redis
    return import_module("sidecar.shared_events.machine_users")
