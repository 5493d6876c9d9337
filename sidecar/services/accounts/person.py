"""Who asks, and where a request comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sidecar.store.accounts.accounts import Account


def viewer(person: Person) -> str | None:
    """Return whose files are looked for; None for an admin, who sees all."""
    return None if person.is_admin else person.user_id


def ids_of(named: Iterable[str], accounts: Iterable[Account]) -> frozenset[str]:
    """Return the ids of the accounts that are named, by name in any case or by id."""
    wanted = {one.casefold() for one in named}
    return frozenset(one.user_id for one in accounts if wanted & {one.name.casefold(), one.user_id})


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a signed-in account."""

    user_id: str
    name: str
    is_admin: bool

    def may_see(self, user_id: str) -> bool:
        """Whether what belongs to an account is for this person to see."""
        return self.is_admin or self.user_id == user_id


@dataclass(frozen=True, slots=True)
class WebSession:
    """A session of the web page.

    Attributes:
        secret: The cookie's value; only its hash is stored.
        csrf: Bound to the session; every change must bring it.
        marks: What the browser keeps to be known again, of a session that has just begun.
    """

    secret: str
    csrf: str
    person: Person
    marks: str = ""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Where a request comes from: for the sign-in limiter and the log.

    Attributes:
        marks: Of a browser that has signed in before; whatever the request says.
    """

    address: str
    agent: str
    marks: str = ""


@dataclass(frozen=True, slots=True)
class QuickConnectCode:
    """A Quick Connect request: `code` is typed into another client, `ticket` is kept by ours."""

    code: str
    ticket: str
