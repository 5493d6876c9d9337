"""A Redis user for each machine that joins: it may only send and hear events."""

from __future__ import annotations

import logging
from hashlib import sha256
from urllib.parse import quote, urlsplit, urlunsplit

import redis
from pydantic import SecretStr

from sidecar.domain.processes.machines import make_login
from sidecar.shared_events.bridge import CHANNEL, asking, describe

log = logging.getLogger(__name__)

RIGHTS = (
    "resetkeys",
    "resetchannels",
    f"&{CHANNEL}",
    "-@all",
    *(f"+{one}" for one in ("hello", "auth", "ping", "quit", "select", "info")),
    *(f"+{one}" for one in ("publish", "subscribe", "unsubscribe", "pubsub|numsub")),
)


def make_user(url: SecretStr, machine: str, password: str) -> SecretStr | None:
    """Give a machine a user with this password, or another password for the one that it has.

    Returns:
        The address of the Redis for it; None where Redis is too old, or does not let us.

    Raises:
        SidecarError: Redis cannot be used.
    """
    name = make_login(machine)
    # As it is kept there: the password itself is in no log.
    known_as = f"#{sha256(password.encode()).hexdigest()}"
    if not _change(url, "SETUSER", name, "reset", "on", known_as, *RIGHTS):
        return None
    parts = urlsplit(url.get_secret_value())
    host = parts.netloc.rpartition("@")[2]
    return SecretStr(urlunsplit(parts._replace(netloc=f"{name}:{quote(password, safe='')}@{host}")))


def remove_user(url: SecretStr, machine: str) -> None:
    """Remove the user of a machine, if it has one; that ends its connections.

    Raises:
        SidecarError: Redis cannot be used.
    """
    _change(url, "DELUSER", make_login(machine))


def _change(url: SecretStr, *what: str) -> bool:
    """Change who may use a Redis, and keep that over its restart; return whether it lets us."""
    with asking(url) as client:
        if not _is_done(client, "ACL", *what):
            return False
        # Where its users are kept: in a file of their own, or with its settings.
        if not _is_done(client, "ACL", "SAVE") and not _is_done(client, "CONFIG", "REWRITE"):
            log.warning(
                "The Redis at %s forgets its users when it restarts: give it an aclfile, or "
                "machines that have joined hear events a little later from then on",
                describe(url),
            )
    return True


def _is_done(client: redis.Redis, *command: str) -> bool:
    try:
        client.execute_command(*command)  # type: ignore[no-untyped-call]
    except redis.ResponseError:
        return False
    return True
