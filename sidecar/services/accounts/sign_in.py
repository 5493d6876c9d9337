"""Signs people in and out of the web page, and finds the person behind a session or API key.

A password is passed on to Jellyfin once and not kept. The database stores only the hash of a
session's secret.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Event, Lock

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.domain.accounts.sign_in_limit import (
    CODE_LASTS_S,
    REFUSED_AFTER_S,
    Code,
    CodeLimiter,
    SignInLimiter,
    SignInWait,
    Try,
)
from sidecar.errors import JellyfinError, SignInRefused, TooManyTries
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.known_browsers import KnownBrowsers
from sidecar.services.accounts.person import ClientInfo, Person, QuickConnectCode, WebSession
from sidecar.services.accounts.quick_connect import QuickConnectCodes
from sidecar.store.accounts.accounts import Account
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import Sessions, derive_csrf_token

log = logging.getLogger(__name__)

ASKED_EVERY_S = 1.0
LOGGED_EVERY_S = 60.0
EXPIRED = msg("This Quick Connect code has expired: ask for another one")


class SignInService:
    """Begins, finds and ends web sessions. Safe for many threads."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        sessions: Sessions,
        api_keys: ApiKeys,
        browsers: KnownBrowsers,
        open_codes: QuickConnectCodes,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._api_keys = api_keys
        self._browsers = browsers
        self._clock = clock
        self._open_codes = open_codes
        # What this process knows of open codes, by their tickets.
        self._counted: dict[str, Code] = {}
        self._asked_at: dict[str, float] = {}
        self._limiter = SignInLimiter()
        self._codes = CodeLimiter()
        self._lock = Lock()
        self._logged_at = float("-inf")
        self._unlogged = 0

    def sign_in(self, name: str, password: str, caller: ClientInfo) -> WebSession:
        """Sign in with a Jellyfin name and password; exactly one try is passed on.

        Raises:
            errors.SignInRefused: Wrong or not allowed now.
            errors.TooManyTries: Too many tries; says how long to wait.
            errors.JellyfinError: The server cannot be asked.
        """
        one = self._count(name, caller)
        try:
            session = self._begin(
                lambda: self._accounts.with_password(name, SecretStr(password)), caller, name
            )
        except SignInRefused:
            # The wait blocks this thread; the limiter lets only a few tries run at once.
            took = self._clock.monotonic() - one.at
            self._clock.wait(Event(), max(0.0, REFUSED_AFTER_S - took))
            raise
        except BaseException:
            with self._lock:
                self._limiter.take_back(one)
            raise
        finally:
            with self._lock:
                self._limiter.end(one)
        with self._lock:
            self._limiter.record_success(one)
        return session

    def start_quick_connect(self, caller: ClientInfo) -> QuickConnectCode:
        """Ask Jellyfin for a code.

        Raises:
            errors.SignInRefused: Quick Connect is switched off, or too many codes are open.
            errors.JellyfinError: The server cannot be asked.
        """
        with self._lock:
            code = self._codes.begin(caller.address, self._clock.monotonic())
        if isinstance(code, SignInWait):
            self._log_refusal("a Quick Connect code", caller)
            text = msg(
                "Too many Quick Connect codes are open: try again in {time}, or sign in with a "
                "password",
                time=_in_words(code.seconds),
            )
            raise TooManyTries(text, wait_s=code.seconds)
        try:
            sign_in, device_id = self._accounts.quick_connect()
            given = sign_in.start_quick_connect()
        except JellyfinError:
            with self._lock:
                self._codes.end(code)
            raise
        ticket = self._open_codes.keep(given.secret, device_id)
        now = self._clock.monotonic()
        with self._lock:
            for old in [one for one, code in self._counted.items() if _is_over(code.at, now)]:
                del self._counted[old]
            self._counted[ticket] = code
        log.info("Quick Connect asked for from %s", caller.address)
        return QuickConnectCode(given.code, ticket)

    def finish_quick_connect(self, ticket: str, caller: ClientInfo) -> WebSession | None:
        """Return a new session once the code was approved elsewhere, None while it was not.

        Another process may have asked for the code.

        Raises:
            errors.SignInRefused: The code expired or is unknown.
        """
        found = self._open_codes.find(ticket)
        if found is None:
            raise SignInRefused(EXPIRED)
        if not self._may_ask(ticket):
            return None
        sign_in, device_id = self._accounts.quick_connect(found.device_id)
        if not sign_in.is_approved(found.secret):
            return None
        if not self._open_codes.take(ticket):
            raise SignInRefused(EXPIRED)
        with self._lock:
            if (code := self._counted.pop(ticket, None)) is not None:
                self._codes.end(code)

        def finish() -> Account:
            signed_in = sign_in.finish_quick_connect(found.secret)
            return self._accounts.keep_quick_connect(signed_in, device_id)

        return self._begin(finish, caller)

    def _may_ask(self, ticket: str) -> bool:
        """Whether Jellyfin may be asked after a code now; note that it is."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._asked_at.get(ticket, float("-inf")) < ASKED_EVERY_S:
                return False
            recent = {one: at for one, at in self._asked_at.items() if now - at < ASKED_EVERY_S}
            self._asked_at = recent | {ticket: now}
            return True

    def find_session(self, secret: str) -> WebSession | None:
        """Return the session of this cookie; None if it ended, expired or never existed."""
        session = self._sessions.find(secret)
        person = self._person(session.user_id) if session else None
        return WebSession(secret, derive_csrf_token(secret), person) if person else None

    def person_for_key(self, key: str) -> Person | None:
        """Return the person behind an API key; None if it is not valid, or they are signed out."""
        found = self._api_keys.find(key)
        return self._person(found.user_id) if found else None

    def person_for_page(self, key: str, origin: str) -> Person | None:
        """Return the person behind a key for the pages of an origin; None if it is not valid.

        They are no admin there: such a key is for what is their own.
        """
        found = self._api_keys.find(key, origin)
        person = self._person(found.user_id) if found else None
        return replace(person, is_admin=False) if person else None

    def signed_out_owner(self, key: str, origin: str | None = None) -> str | None:
        """Return the name of a valid key's owner if signed out of Jellyfin, else None."""
        found = self._api_keys.find(key, origin)
        account = self._accounts.get(found.user_id) if found else None
        return account.name if account and not account.is_signed_in else None

    def sign_out(self, secret: str) -> None:
        """End this session of the web page; the account goes on downloading."""
        self._sessions.end(secret)

    def _count(self, name: str, caller: ClientInfo) -> Try:
        browser = self._browsers.browser(caller.marks, name)
        with self._lock:
            answer = self._limiter.begin(
                name, caller.address, self._clock.monotonic(), browser=browser
            )
        if isinstance(answer, Try):
            return answer
        self._log_refusal("a sign-in", caller)
        if answer.is_busy:
            text = msg("Too many people are signing in at once: try again in a while")
        else:
            text = msg(
                "Too many sign-ins have failed: try again in {time}, or use Quick Connect",
                time=_in_words(answer.seconds),
            )
        raise TooManyTries(text, wait_s=answer.seconds)

    def _log_refusal(self, what: str, caller: ClientInfo) -> None:
        """Write at most one line a minute: anybody can cause them."""
        now = self._clock.monotonic()
        with self._lock:
            self._unlogged += 1
            if now - self._logged_at < LOGGED_EVERY_S:
                return
            count, self._unlogged, self._logged_at = self._unlogged, 0, now
        log.warning(
            "%s from %s was refused, there were too many: %d since this was last written",
            what,
            caller.address,
            count,
        )

    def _begin(
        self, sign_in: Callable[[], Account], caller: ClientInfo, name: str | None = None
    ) -> WebSession:
        try:
            account = sign_in()
        except SignInRefused as refused:
            log.warning("a sign-in from %s was refused: %s", caller.address, refused)
            raise
        prefix = network_prefix(caller.address)
        secret = self._sessions.begin(
            account.user_id, address_prefix=prefix, user_agent=caller.agent
        )
        log.info("%s opened a session from %s", account.name, caller.address)
        # By the name that was typed: with a directory service an account may have several.
        marks = self._browsers.remember(caller.marks, name or account.name)
        return WebSession(secret, derive_csrf_token(secret), _as_person(account), marks)

    def _person(self, user_id: str) -> Person | None:
        """Return the person; None if the account is signed out of Jellyfin."""
        account = self._accounts.get(user_id)
        return _as_person(account) if account and account.is_signed_in else None


def _as_person(account: Account) -> Person:
    return Person(account.user_id, account.name, account.is_admin, account.may_download)


def _in_words(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    return msg("a minute") if minutes == 1 else msg("{minutes} minutes", minutes=minutes)


def _is_over(began: float, now: float) -> bool:
    return now - began >= CODE_LASTS_S


def network_prefix(address: str) -> str:
    """Return the network part of an address, which does not identify a single machine."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return ""
    parts = parsed.exploded.split("." if parsed.version == 4 else ":")  # noqa: PLR2004 - IPv4
    return ".".join(parts[:3]) if parsed.version == 4 else ":".join(parts[:3])  # noqa: PLR2004
