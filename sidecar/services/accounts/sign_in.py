"""Coming in and going out: sessions of the web page, Quick Connect, API keys.

A password is passed on once and dropped. A session lives in the database as a hash; what the
browser holds opens nothing once it has ended.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.domain.accounts.sign_in_limit import SignInLimiter, Try
from sidecar.errors import SignInRefused, TooManyTries
from sidecar.jellyfin.sign_in import SignIn
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.person import ClientInfo, Person, QuickConnectCode, WebSession
from sidecar.store.accounts.accounts import Account
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import Sessions, derive_csrf_token

log = logging.getLogger(__name__)

TICKET_LASTS_S = 660.0
MOST_TICKETS = 50


@dataclass(frozen=True, slots=True)
class _PendingQuickConnect:
    sign_in: SignIn
    device_id: str
    secret: SecretStr
    made_at: float


class SignInService:
    """Signs people in and out of the web page. Safe for many threads."""

    def __init__(
        self, *, accounts: AccountService, sessions: Sessions, api_keys: ApiKeys, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._api_keys = api_keys
        self._clock = clock
        self._tickets: dict[str, _PendingQuickConnect] = {}
        self._tickets_lock = Lock()
        self._limiter = SignInLimiter()
        self._limiter_lock = Lock()

    def sign_in(self, name: str, password: str, caller: ClientInfo) -> WebSession:
        """Sign in with a Jellyfin name and password; exactly one try is passed on.

        Raises:
            errors.SignInRefused: Wrong, not allowed now, or too many tries (says how long).
            errors.JellyfinError: The server cannot be asked.
        """
        one = self._count(name, caller)
        try:
            visit = self._begin(
                lambda: self._accounts.with_password(name, SecretStr(password)), caller
            )
        except SignInRefused:
            raise
        except BaseException:
            with self._limiter_lock:
                self._limiter.take_back(one)
            raise
        with self._limiter_lock:
            self._limiter.record_success(one)
        return visit

    def start_quick_connect(self, caller: ClientInfo) -> QuickConnectCode:
        """Ask Jellyfin for a code.

        Raises:
            errors.SignInRefused: Quick Connect is switched off, or too many tries.
        """
        sign_in, device_id = self._accounts.quick_connect()
        code = sign_in.start_quick_connect()
        ticket = secrets.token_urlsafe(32)
        now = self._clock.monotonic()
        with self._tickets_lock:
            for old in [key for key, one in self._tickets.items() if _is_over(one, now)]:
                del self._tickets[old]
            if len(self._tickets) >= MOST_TICKETS:
                raise SignInRefused(
                    msg("Too many people are signing in at once: try again in a while")
                )
            self._tickets[ticket] = _PendingQuickConnect(sign_in, device_id, code.secret, now)
        log.info("Quick Connect asked for from %s", caller.address)
        return QuickConnectCode(code.code, ticket)

    def finish_quick_connect(self, ticket: str, caller: ClientInfo) -> WebSession | None:
        """Return the visit once the code was approved elsewhere, None while it was not.

        Raises:
            errors.SignInRefused: The code expired or is unknown.
        """
        with self._tickets_lock:
            found = self._tickets.get(ticket)
        if found is None or _is_over(found, self._clock.monotonic()):
            raise SignInRefused(msg("This Quick Connect code has expired: ask for another one"))
        if not found.sign_in.is_approved(found.secret):
            return None
        with self._tickets_lock:
            self._tickets.pop(ticket, None)

        def finish() -> Account:
            signed_in = found.sign_in.finish_quick_connect(found.secret)
            return self._accounts.keep_quick_connect(signed_in, found.device_id)

        return self._begin(finish, caller)

    def visit(self, secret: str) -> WebSession | None:
        """Return the live session of this cookie; None if it ended, idled out or never was."""
        session = self._sessions.find(secret)
        person = self._person(session.user_id) if session else None
        return WebSession(secret, derive_csrf_token(secret), person) if person else None

    def person_for_key(self, key: str) -> Person | None:
        """Return the account behind an API key; None if it is unknown or revoked."""
        found = self._api_keys.find(key)
        return self._person(found.user_id) if found else None

    def sign_out(self, secret: str) -> None:
        """End this session of the web page; the account goes on downloading."""
        self._sessions.end(secret)

    def _count(self, name: str, caller: ClientInfo) -> Try:
        with self._limiter_lock:
            answer = self._limiter.begin(name, caller.address, self._clock.monotonic())
        if isinstance(answer, Try):
            return answer
        log.warning("a sign-in from %s came too soon after others that failed", caller.address)
        text = msg("Too many sign-ins have failed: try again in {time}", time=_in_words(answer))
        raise TooManyTries(text, wait_s=answer)

    def _begin(self, sign_in: Callable[[], Account], caller: ClientInfo) -> WebSession:
        try:
            account = sign_in()
        except SignInRefused as refused:
            log.warning("a sign-in from %s was refused: %s", caller.address, refused)
            raise
        prefix = _prefix(caller.address)
        secret = self._sessions.begin(account.user_id, address_prefix=prefix)
        log.info("%s came in from %s", account.name, caller.address)
        return WebSession(secret, derive_csrf_token(secret), _as_person(account))

    def _person(self, user_id: str) -> Person | None:
        """Who is signed out of Jellyfin is signed out of the page."""
        account = self._accounts.get(user_id)
        return _as_person(account) if account and account.is_signed_in else None


def _as_person(account: Account) -> Person:
    return Person(account.user_id, account.name, account.is_admin)


def _in_words(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    hours = math.ceil(minutes / 60)
    if minutes == 1:
        return msg("a minute")
    if minutes < 100:  # noqa: PLR2004 - as said
        return msg("{minutes} minutes", minutes=minutes)
    return msg("{hours} hours", hours=hours)


def _is_over(ticket: _PendingQuickConnect, now: float) -> bool:
    return now - ticket.made_at > TICKET_LASTS_S


def _prefix(address: str) -> str:
    """Return the network of an address: enough to recognise, too little to follow somebody."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return ""
    parts = parsed.exploded.split("." if parsed.version == 4 else ":")  # noqa: PLR2004 - IPv4
    return ".".join(parts[:3]) if parsed.version == 4 else ":".join(parts[:3])  # noqa: PLR2004
