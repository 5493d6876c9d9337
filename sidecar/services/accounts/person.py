"""The person who makes a request, their web session and their client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sidecar.store.accounts.accounts import Account


def viewer(person: Person) -> str | None:
    """Return the user id that limits what a person sees; None for an admin, who sees all."""
    return None if person.is_admin else person.user_id


def ids_of(named: Iterable[str], accounts: Iterable[Account]) -> frozenset[str]:
    """Return the ids of the named accounts, by id or by name in any case."""
    wanted = {one.casefold() for one in named}
    return frozenset(one.user_id for one in accounts if wanted & {one.name.casefold(), one.user_id})


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in account that makes a request.

    Attributes:
        may_download: Jellyfin lets it have files.
    """

    user_id: str
    name: str
    is_admin: bool
    may_download: bool = True

    def may_see(self, user_id: str) -> bool:
        """Whether this person may see what belongs to an account."""
        return self.is_admin or self.user_id == user_id


@dataclass(frozen=True, slots=True)
class WebSession:
    """A session of the web page.

    Attributes:
        secret: The cookie's value; only its hash is stored.
        csrf: The CSRF token of the session; every change must send it.
        marks: The browser's new marks (see `known_browsers`), only for a session that has just
            begun.
    """

    secret: str
    csrf: str
    person: Person
    marks: str = ""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Where a request comes from: for the sign-in limiter and the log.

    Attributes:
        marks: The marks that the browser sent (see `known_browsers`); not verified.
    """

    address: str
    agent: str
    marks: str = ""


@dataclass(frozen=True, slots=True)
class QuickConnectCode:
    """A Quick Connect request: `code` is typed into another client, our page keeps `ticket`."""

    code: str
    ticket: str
