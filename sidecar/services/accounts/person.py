"""Who asks, and where a request comes from."""

from __future__ import annotations

from dataclasses import dataclass


def viewer(person: Person) -> str | None:
    """Return whose files are looked for; None for an admin, who sees all."""
    return None if person.is_admin else person.user_id


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a signed-in account."""

    user_id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class WebSession:
    """A session of the web page.

    Attributes:
        secret: The cookie's value; only its hash is stored.
        csrf: Bound to the session; every change must bring it.
    """

    secret: str
    csrf: str
    person: Person


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Where a request comes from: for the sign-in limiter and the log."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class QuickConnectCode:
    """A Quick Connect request: `code` is typed into another client, `ticket` is kept by ours."""

    code: str
    ticket: str
