"""A PostgreSQL role for each machine that joins, so that one can be locked out and others go on.

    make ─▶ CREATE ROLE, what work on devices needs ─▶ address with its own password
    lock_out ─▶ NOLOGIN, its connections end, DROP ROLE

Which machine has one only the server knows: nothing that a machine can write decides whom a removal
locks out. A role's name is made of the machine's, as that may be longer than names there; its
comment, which no machine may write, says which one it is, and when it joined.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from sidecar.domain.processes.machines import OF_MACHINE, make_login
from sidecar.store.dialects.driver import load_driver
from sidecar.store.dialects.postgresql import CONNECT_TIMEOUT_S, PostgresqlAddress
from sidecar.store.errors import translate_database_errors
from sidecar.store.schema.postgresql import VERSION_TABLE

log = logging.getLogger(__name__)

# What opens pages and programs: work on devices needs none of it.
OF_PAGES = ("sessions", "api_keys", "push_subscriptions")
# What only a process of the installation itself changes.
READ_ONLY = (VERSION_TABLE, "page_settings")
MAY_MAKE = """SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"""
WITH_ROLES = """SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles
    WHERE starts_with(rolname, %s) AND rolcanlogin"""
END_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"


class MachineRoles:
    """The roles of the machines of one database; connects anew for each call."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._address = PostgresqlAddress(url)

    def may_make(self) -> bool:
        """Whether our own role may make others.

        Raises:
            DatabaseError: The server cannot be used.
        """
        with self._connected() as run:
            return bool(run(MAY_MAKE)[0][0])

    def list_joined(self) -> Mapping[str, datetime]:
        """Return the machines that have a role, with the time at which each joined last.

        Raises:
            DatabaseError: The server cannot be used.
        """
        with self._connected() as run:
            said = {str(role): str(text) for role, text in run(WITH_ROLES, OF_MACHINE)}
        joined = {role: text.partition(" ") for role, text in said.items()}
        # The others belong to another database of the server.
        return {
            machine: datetime.fromisoformat(at)
            for role, (at, _, machine) in joined.items()
            if self._name(machine) == role
        }

    def make(self, machine: str, password: str) -> str:
        """Give a machine a role with this password, or another password for the one that it has.

        Returns:
            The address of the database for it.

        Raises:
            DatabaseError: The server cannot be used, or does not let us.
        """
        name = self._name(machine)
        with self._connected() as run:
            ((schema, now),) = run("SELECT current_schema(), now()")
            role, there = _quoted(name), _quoted(str(schema))
            # As the server keeps it: the password itself is in no log of it.
            known_as = run.encrypt(password, name)
            if run("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
                run(f"ALTER ROLE {role} LOGIN PASSWORD '{known_as}'")
            else:
                run(f"CREATE ROLE {role} LOGIN PASSWORD '{known_as}'")
                # Else we could not end its connections.
                run(f"GRANT {role} TO CURRENT_USER")
            run(f"COMMENT ON ROLE {role} IS {_as_text(f'{now.isoformat()} {machine}')}")
            run(f"GRANT USAGE ON SCHEMA {there} TO {role}")
            for rights, kind in (
                ("SELECT, INSERT, UPDATE, DELETE", "TABLES"),
                ("USAGE, SELECT", "SEQUENCES"),
            ):
                run(f"GRANT {rights} ON ALL {kind} IN SCHEMA {there} TO {role}")
                # Also on those that a newer version makes.
                run(
                    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {there} GRANT {rights} ON {kind} TO {role}"
                )
            run(f"REVOKE ALL ON {', '.join(OF_PAGES)} FROM {role}")
            # Whoever finds that Jellyfin refuses an account ends its sessions, and reads none.
            run(f"GRANT SELECT (user_id), DELETE ON sessions TO {role}")
            run(f"REVOKE INSERT, UPDATE, DELETE ON {', '.join(READ_ONLY)} FROM {role}")
            if not run("SELECT has_database_privilege(%s, current_database(), 'CONNECT')", name)[0][
                0
            ]:
                ((database,),) = run("SELECT current_database()")
                run(f"GRANT CONNECT ON DATABASE {_quoted(str(database))} TO {role}")
        return replace_user(self._url, name, password)

    def lock_out(self, machine: str) -> bool:
        """Drop the role of a machine and end its connections; return whether it had one.

        Raises:
            DatabaseError: The server cannot be used, or does not let us.
        """
        name = self._name(machine)
        role = _quoted(name)
        with self._connected() as run:
            if not run("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
                return False
            run(f"ALTER ROLE {role} NOLOGIN")
        # Committed: what is ended now cannot come back.
        with self._connected() as run:
            run(END_CONNECTIONS, name)
        driver: Any = load_driver()
        try:
            with self._connected() as run:
                run(f"DROP OWNED BY {role}")
                run(f"DROP ROLE {role}")
        except driver.errors.DependentObjectsStillExist:
            log.warning(
                "%s is locked out; its role %s stays, without a login, as it has made something in "
                "another database of the server",
                machine,
                name,
            )
        return True

    def _name(self, machine: str) -> str:
        database = str(self._address).rpartition("/")[2]
        return make_login(f"{database}/{machine}")

    @contextmanager
    def _connected(self) -> Iterator[_Runner]:
        """Connect, for one transaction."""
        driver: Any = load_driver()
        with (
            translate_database_errors(self._address),
            driver.connect(self._url, connect_timeout=CONNECT_TIMEOUT_S) as connection,
        ):
            yield _Runner(connection)


class _Runner:
    """Runs statements of one connection."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - psycopg's, loaded late
        self._connection = connection

    def __call__(self, text: str, *values: object) -> Sequence[tuple[Any, ...]]:
        cursor = self._connection.execute(text, values or None)
        found: Sequence[tuple[Any, ...]] = cursor.fetchall() if cursor.description else ()
        return found

    def encrypt(self, password: str, role: str) -> str:
        """Return a password as the server keeps it."""
        kept: bytes = self._connection.pgconn.encrypt_password(password.encode(), role.encode())
        return kept.decode()


def replace_user(url: str, user: str, password: str) -> str:
    """Return an address with another user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = [one for one in parse_qsl(parts.query) if one[0] not in {"user", "password"}]
    return urlunsplit(
        parts._replace(
            netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}",
            query=urlencode(query, safe="/"),
        )
    )


def _as_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
