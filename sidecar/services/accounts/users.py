"""Lists accounts and their web sessions, ends sessions and signs accounts out.

Everybody sees and ends their own; an admin sees and ends all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.accounts.browser_names import name_browser, name_network
from sidecar.domain.downloads.shares import FORMER_ACCOUNT
from sidecar.errors import JellyfinError, NotPossible, NotVisible, SignedOut
from sidecar.events import AccountChanged, Bus
from sidecar.messages import msg
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.auto_sign_in import AutoSignIn
from sidecar.services.accounts.permissions import PermissionRefresh
from sidecar.services.accounts.person import Person
from sidecar.services.accounts.usage import KeptUsage
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.store.accounts.accounts import Account
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import ListedSession, Sessions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account, with its use of the page and of the devices.

    Attributes:
        last_seen_at: When a session of it was last used; None if it has none.
        files, bytes: What it holds on all devices.
        can_try_again: It waits, and Jellyfin can be asked at once whether it still has to.
    """

    user_id: str
    name: str
    is_admin: bool
    is_signed_in: bool
    signed_in_at: datetime
    last_seen_at: datetime | None
    files: int
    bytes: int
    can_try_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A browser in which somebody is signed in.

    Attributes:
        id: Not the session's secret.
        account: The account's name.
        browser: The browser, such as "Chrome on Android".
        network: What its network is to this machine, such as "home network".
        address: The network it began from.
        is_this: It is the session that makes the request.
    """

    id: str
    account: str
    created_at: datetime
    last_used_at: datetime
    browser: str
    network: str
    address: str
    is_this: bool


class UserService:
    """Lists accounts and sessions, and ends them. Safe for many threads."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        sessions: Sessions,
        api_keys: ApiKeys,
        belongings: KeptUsage,
        bus: Bus,
        permissions: PermissionRefresh,
        unattended: AutoSignIn,
        problems: Problems,
        try_elsewhere: Callable[[str], object] = lambda _user_id: None,
    ) -> None:
        """Prepare; `try_elsewhere` has all other processes ask for an account at once."""
        self._try_elsewhere = try_elsewhere
        self._permissions = permissions
        self._unattended = unattended
        self._problems = problems
        self._accounts = accounts
        self._sessions = sessions
        self._api_keys = api_keys
        self._belongings = belongings
        self._bus = bus

    def accounts(self, person: Person) -> Sequence[AccountView]:
        """List this person's account; for an admin, all."""
        held = self._belongings.measure()
        seen: dict[str, datetime] = {}
        for one in self._sessions.live():
            seen.setdefault(one.user_id, one.last_used_at)
        return [
            AccountView(
                user_id=one.user_id,
                name=one.name,
                is_admin=one.is_admin,
                is_signed_in=one.is_signed_in,
                signed_in_at=one.signed_in_at,
                last_seen_at=seen.get(one.user_id),
                files=held.get(one.user_id, (0, 0))[0],
                bytes=held.get(one.user_id, (0, 0))[1],
                can_try_again=self._waits(one)
                and (one.is_signed_in or self._unattended.is_for(one)),
            )
            for one in self._accounts.all()
            if person.may_see(one.user_id)
        ]

    def _waits(self, account: Account) -> bool:
        troubles = self._problems.known_of(ProblemKind.ACCOUNT)
        return account.user_id in troubles or not account.is_signed_in

    def try_again(self, person: Person, user_id: str) -> None:
        """Ask Jellyfin at once whether an account that waits still has to.

        Raises:
            errors.NotVisible: There is no such account that this person may see.
            errors.NotPossible: Only a person can sign it in.
            errors.JellyfinError: Jellyfin does not answer.
        """
        account = self._accounts.get(user_id)
        if account is None or not person.is_admin:
            raise NotVisible
        if not self._waits(account):
            return
        log.info("%s has %s tried again", person.name, account.name)
        if account.is_signed_in:
            self._permissions.look_at(account)
            self._try_elsewhere(account.user_id)
        elif self._unattended.is_for(account):
            self._unattended.try_now()
        else:
            raise NotPossible(
                msg(
                    "{name} must sign in here: the settings have no password of {name}",
                    name=account.name,
                )
            )

    def sessions(self, person: Person, secret: str | None) -> Sequence[SessionView]:
        """List this person's sessions, the last used first; for an admin, everybody's.

        Args:
            person: Who asks.
            secret: Of the session that makes the request; None for an API key.
        """
        names = {one.user_id: one.name for one in self._accounts.all()}
        this = self._sessions.id_of(secret) if secret else None
        return [
            SessionView(
                id=one.id,
                account=names.get(one.user_id, FORMER_ACCOUNT),
                created_at=one.created_at,
                last_used_at=one.last_used_at,
                browser=name_browser(one.user_agent),
                network=name_network(one.address_prefix),
                address=one.address_prefix,
                is_this=one.id == this,
            )
            for one in self._seen(person)
        ]

    def end_session(self, person: Person, session_id: str) -> None:
        """End a session.

        Raises:
            errors.NotVisible: There is none that this person may see.
        """
        found = next((one for one in self._seen(person) if one.id == session_id), None)
        if found is None:
            raise NotVisible
        self._sessions.end_listed(found)
        log.info("%s ended a session", person.name)
        self._bus.publish(AccountChanged(found.user_id))

    def end_sessions(self, person: Person) -> int:
        """End all sessions of this person, the present one too; return how many there were."""
        ended = self._sessions.end_all(person.user_id)
        log.info("%s signed out everywhere", person.name)
        self._bus.publish(AccountChanged(person.user_id))
        return ended

    def forget(self, person: Person, user_id: str) -> None:
        """Sign an account out of Jellyfin, and end its sessions and API keys.

        Its wishes and files stay; nothing new is fetched for it.

        Raises:
            errors.NotVisible: There is no such account that this person may see.
        """
        account = self._accounts.get(user_id)
        if account is None or not person.may_see(user_id):
            raise NotVisible
        self._sessions.end_all(user_id)
        self._api_keys.revoke_all(user_id)
        # Before its token ends: whoever meets the refusal of that would sign it in again.
        self._accounts.let_go(user_id)
        self._bus.publish(AccountChanged(user_id))
        try:
            client = self._accounts.client(user_id)
        except SignedOut:
            return
        _tried(client.logout)
        self._accounts.signed_out(client)
        log.info("%s forgot the account %s", person.name, account.name)

    def _seen(self, person: Person) -> list[ListedSession]:
        return [one for one in self._sessions.live() if person.may_see(one.user_id)]


def _tried(logout: Callable[[], None]) -> None:
    """Sign out of Jellyfin; an error is only logged, as the token is dropped here anyway."""
    try:
        logout()
    except JellyfinError as trouble:
        log.warning("a token could not be given back: %s", trouble)
