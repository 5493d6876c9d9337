"""Signs accounts in and out and makes their Jellyfin clients; only here are tokens decrypted.

The first server that an account signs in to is *our* server from then on. If another one answers
at the address, everything stops until the right one is back or an admin has accepted the new one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from uuid import uuid4

from pydantic import SecretStr

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.errors import SignedOut, WrongServer
from sidecar.events import AccountChanged, Bus, DownloadsAllowed, Event, NewsMissed
from sidecar.jellyfin.address import Address
from sidecar.jellyfin.client import Jellyfin, wrong_server
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.models import Policy
from sidecar.jellyfin.sign_in import SignedIn, SignIn
from sidecar.jellyfin.tokens import TokenBox
from sidecar.messages import msg
from sidecar.services.accounts.sign_in_lease import SignInLease
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.store.accounts.accounts import Account
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

SERVER = "jellyfin"
SERVER_ID = "server_id"
LET_GO, YES = "let-go:", "yes"
SERVER_READ_EVERY_S = 1.0
SIGNED_OUT = "signed-out"
OUTSIDE_HOURS = "outside-hours"


@dataclass(frozen=True, slots=True)
class SignInElsewhere:
    """An account that has signed in to a server that is not ours yet, and its client."""

    account: SignedIn
    client: Jellyfin
    device_id: str


class AccountService:
    """Manages the accounts that the sidecar acts for. Safe for many threads."""

    def __init__(
        self,
        base_url: str,
        *,
        ca_file: Path | None,
        stores: Stores,
        box: TokenBox,
        problems: Problems,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._base_url = base_url
        self._ca_file = ca_file
        self._accounts = stores.accounts
        self._meta = stores.meta
        self._box = box
        self._problems = problems
        self._bus = bus
        self._clock = clock
        self._lease = SignInLease(stores.meta, clock)
        self._lock = Lock()
        self._clients: dict[str, Jellyfin] = {}
        # The sealed token that each client was made with.
        self._tokens: dict[str, bytes | None] = {}
        # The sealed token of each account at the last look; None before the first.
        self._seen: Mapping[str, bytes | None] | None = None
        self._last_server: tuple[float, str | None] | None = None

    @property
    def server_id(self) -> str | None:
        """The id of our server; None before the first sign-in."""
        return self._meta.get(SERVER_ID)

    def all(self) -> list[Account]:
        """Return every account, signed in or not."""
        return self._accounts.all()

    def get(self, user_id: str) -> Account | None:
        """Return one account; None if it never signed in."""
        return self._accounts.get(user_id)

    def by_name(self, name: str) -> Account | None:
        """Return the account of this name, whatever its case."""
        return self._accounts.by_name(name)

    def signed_in(self) -> list[Account]:
        """Return the accounts that are signed in."""
        return [one for one in self._accounts.all() if one.is_signed_in]

    def with_password(self, name: str, password: SecretStr) -> Account:
        """Sign in with a name and a password, sent once.

        Raises:
            errors.SignInRefused: Jellyfin refuses them.
            errors.JellyfinError: Jellyfin cannot be asked.
        """
        device_id = self._device_id_for(name)
        with self._lease.hold(device_id):
            return self._keep(self._sign_in(device_id).with_password(name, password), device_id)

    def quick_connect(self, begun_as: str | None = None) -> tuple[SignIn, str]:
        """Return the client that runs a Quick Connect sign-in, and its device id.

        Args:
            begun_as: The device id, if the sign-in has begun already.
        """
        device_id = begun_as or _new_device_id()
        return self._sign_in(device_id), device_id

    def keep_quick_connect(self, signed_in: SignedIn, device_id: str) -> Account:
        """Store an account that Quick Connect has signed in."""
        return self._keep(signed_in, device_id)

    def client(self, user_id: str) -> Jellyfin:
        """Return the client of an account.

        Raises:
            errors.SignedOut: The account must sign in again.
        """
        # Under one lock: a sign-in in between would leave a client with the old token here, and
        # the refusal of that token would sign the account out.
        with self._lock:
            client = self._clients.get(user_id)
            # The command line may have accepted another server meanwhile.
            if client is None or client.server_id != self._read_server_id():
                client = self._clients[user_id] = self._new_client(user_id)
            return client

    def _set_server_id(self, server_id: str) -> None:
        self._meta.set(SERVER_ID, server_id)
        self._last_server = None

    def _read_server_id(self) -> str | None:
        """Return the id of our server as it was within the last second: each file asks for it."""
        now = self._clock.monotonic()
        if self._last_server is None or now > self._last_server[0] + SERVER_READ_EVERY_S:
            self._last_server = now, self.server_id
        return self._last_server[1]

    def _new_client(self, user_id: str) -> Jellyfin:
        account = self._accounts.get(user_id)
        if account is None or not account.is_signed_in or account.token_encrypted is None:
            raise SignedOut(_must_sign_in(account.name if account else msg("This account")))
        self._tokens[user_id] = account.token_encrypted
        return Jellyfin(
            self._base_url,
            identity=_identity(account.jellyfin_device_id),
            token=self._box.decrypt(account.token_encrypted),
            user_id=user_id,
            server_id=self.server_id,
            ca_file=self._ca_file,
        )

    def anonymous(self, *, known: bool = True) -> Jellyfin:
        """Return a client without a token, which can ask for the server's public information.

        Args:
            known: Whether the client refuses any server but ours.
        """
        return Jellyfin(
            self._base_url,
            identity=_identity("sidecar-probe"),
            server_id=self.server_id if known else None,
            ca_file=self._ca_file,
        )

    def wrong_server(self) -> WrongServer:
        """Return the error to raise while another server answers at the address."""
        return WrongServer(wrong_server(Address.of(self._base_url)))

    def sign_in_elsewhere(self, name: str, password: SecretStr) -> SignInElsewhere:
        """Sign in with a name and a password at whatever server answers; store nothing.

        Raises:
            errors.SignInRefused: It refuses them.
            errors.JellyfinError: It cannot be asked.
        """
        device_id = self._device_id_for(name)
        identity = _identity(device_id)
        found = SignIn(self._base_url, identity, ca_file=self._ca_file).with_password(
            name, password
        )
        client = Jellyfin(
            self._base_url,
            identity=identity,
            token=found.token,
            user_id=found.user_id,
            server_id=found.server_id,
            ca_file=self._ca_file,
        )
        return SignInElsewhere(found, client, device_id)

    def move_to(self, elsewhere: SignInElsewhere, user_ids: Mapping[str, str]) -> None:
        """Make another server ours; all accounts but the one given must sign in again.

        Args:
            elsewhere: The account that stays signed in.
            user_ids: The new id of each account that exists there, by the old one.
        """
        server_id = elsewhere.account.server_id
        with self._lock:
            self._clients.clear()
            self._accounts.move(server_id, user_ids)
            self._set_server_id(server_id)
        self._keep(elsewhere.account, elsewhere.device_id)
        for account in self._accounts.all():
            if not account.is_signed_in:
                self._problems.note(
                    ProblemKind.ACCOUNT,
                    account.user_id,
                    Problem(SIGNED_OUT, _must_sign_in(account.name)),
                )
            self._bus.publish(AccountChanged(account.user_id))

    def signed_out(self, client: Jellyfin) -> bool:
        """Sign out the account whose token is refused; False if a newer client is in use.

        A sign-in that is under way may have ended the token: it is waited for.
        """
        user_id = client.user_id or ""
        known = self._accounts.get(user_id)
        if known is not None:
            self._lease.wait_for_end(known.jellyfin_device_id)
        with self._lock:
            if self._clients.get(user_id) is not client:
                return False
            del self._clients[user_id]
            account = self._accounts.get(user_id)
            refused = self._tokens[user_id]
            if account is not None and not self._accounts.mark_signed_out(user_id, token=refused):
                # Another process has signed it in meanwhile.
                return False
        name = account.name if account else msg("an account")
        log.warning("%s is signed out: Jellyfin no longer accepts the token", name)
        self._problems.note(ProblemKind.ACCOUNT, user_id, Problem(SIGNED_OUT, _must_sign_in(name)))
        self._bus.publish(AccountChanged(user_id))
        return True

    def read_again(self) -> None:
        """Look for sign-ins in other processes, whose news may not have come.

        The command line is one as well.
        """
        accounts, seen = self._accounts.all(), self._seen
        self._seen = {one.user_id: one.token_encrypted for one in accounts}
        for account in accounts:
            token, user_id = account.token_encrypted, account.user_id
            with self._lock:
                is_other = self._tokens.get(user_id, token) != token
            problem = self._problems.of(ProblemKind.ACCOUNT, user_id)
            waits = problem is not None and problem.code == SIGNED_OUT
            is_other |= seen is not None and seen.get(user_id) != token
            if is_other or (waits and account.is_signed_in):
                self._bus.receive(AccountChanged(user_id))

    def let_go(self, user_id: str) -> None:
        """Note that a person signs an account out: auto sign-in, wherever it is, leaves it."""
        self._meta.set(f"{LET_GO}{user_id}", YES)

    def hear(self, event: Event) -> None:
        """Look again at accounts that another process has changed; a listener for the bus."""
        match event:
            case AccountChanged(user_id):
                changed = {user_id}
            case NewsMissed():
                changed = {one.user_id for one in self._accounts.all()}
            case _:
                return
        for user_id in changed:
            with self._lock:
                account = self._accounts.get(user_id)
                # What it is used for goes on with the same one: only of that a refusal counts.
                if account is None or self._tokens.get(user_id) != account.token_encrypted:
                    self._clients.pop(user_id, None)
                    self._tokens.pop(user_id, None)
            known = self._problems.of(ProblemKind.ACCOUNT, user_id)
            if account is None or account.is_signed_in:
                if known is not None and known.code == SIGNED_OUT:
                    self._problems.clear(ProblemKind.ACCOUNT, user_id)
            else:
                self.must_sign_in(user_id)

    def is_let_go(self, user_id: str) -> bool:
        """Whether a person signed this account out, and nobody signed it in."""
        return self._meta.read(f"{LET_GO}{user_id}") is not None

    def forget_let_go(self, user_id: str) -> None:
        """Forget that a person signed this account out."""
        self._meta.take(f"{LET_GO}{user_id}", YES)

    def must_sign_in(self, user_id: str) -> None:
        """Note that an account is signed out, so that its work waits: unknown after a start."""
        account = self._accounts.get(user_id)
        name = account.name if account else msg("an account")
        trouble = Problem(SIGNED_OUT, _must_sign_in(name))
        if account is not None and account.is_signed_in:
            return
        self._problems.note(ProblemKind.ACCOUNT, user_id, trouble)
        account = self._accounts.get(user_id)
        if account is not None and account.is_signed_in:
            # It signed in meanwhile.
            self._problems.clear(ProblemKind.ACCOUNT, user_id)

    def outside_hours(self, user_id: str) -> None:
        """Note that Jellyfin refuses the account for now: its work waits, its token stays valid."""
        account = self._accounts.get(user_id)
        name = account.name if account else msg("an account")
        text = msg(
            "It is outside {name}'s hours in Jellyfin, or {name} may not be used from here: what "
            "is {name}'s waits, and goes on by itself",
            name=name,
        )
        if self._problems.note(ProblemKind.ACCOUNT, user_id, Problem(OUTSIDE_HOURS, text)):
            log.info("%s", text)

    def outside_their_hours(self) -> list[Account]:
        """Return the accounts that Jellyfin refuses for now, as far as it was met here."""
        refused = self._problems.all_of(ProblemKind.ACCOUNT)
        return [
            one
            for one in self.signed_in()
            if one.user_id in refused and refused[one.user_id].code == OUTSIDE_HOURS
        ]

    def within_hours(self, user_id: str) -> None:
        """Note that Jellyfin answers the account again: its work goes on."""
        found = self._problems.of(ProblemKind.ACCOUNT, user_id)
        if found is not None and found.code == OUTSIDE_HOURS:
            self._problems.clear(ProblemKind.ACCOUNT, user_id)

    def note_rights(self, user_id: str, policy: Policy) -> None:
        """Store the rights that Jellyfin gives an account now; publish a change."""
        before = self._accounts.get(user_id)
        if self._accounts.may(
            user_id,
            is_admin=policy.is_administrator,
            may_download=policy.enable_content_downloading,
        ):
            log.info("what an account may was changed in Jellyfin")
            self._bus.publish(AccountChanged(user_id))
            self._tell_if_allowed(before, may_download=policy.enable_content_downloading)

    def _tell_if_allowed(self, before: Account | None, *, may_download: bool) -> None:
        if before is not None and may_download and not before.may_download:
            self._bus.publish(DownloadsAllowed(before.user_id))

    def _sign_in(self, device_id: str) -> SignIn:
        return SignIn(
            self._base_url,
            _identity(device_id),
            server_id=self.server_id,
            ca_file=self._ca_file,
        )

    def _device_id_for(self, name: str) -> str:
        """Return the known device id of an account: Jellyfin then replaces its old token."""
        known = self.by_name(name)
        return known.jellyfin_device_id if known else _new_device_id()

    def _keep(self, signed_in: SignedIn, device_id: str) -> Account:
        account = Account(
            user_id=signed_in.user_id,
            name=signed_in.name,
            server_id=signed_in.server_id,
            is_admin=signed_in.is_admin,
            may_download=signed_in.may_download,
            jellyfin_device_id=device_id,
            token_encrypted=self._box.encrypt(signed_in.token),
            is_signed_in=True,
            signed_in_at=self._clock.now(),
        )
        before = self._accounts.get(signed_in.user_id)
        with self._lock:
            self._give_another_device_id(account)
            self._accounts.save(account)
            self._clients.pop(signed_in.user_id, None)
        self.forget_let_go(signed_in.user_id)
        if self.server_id is None:
            self._set_server_id(signed_in.server_id)
        self._problems.clear(ProblemKind.ACCOUNT, signed_in.user_id)
        log.info("%s signed in", signed_in.name)
        self._bus.publish(AccountChanged(signed_in.user_id))
        self._tell_if_allowed(before, may_download=signed_in.may_download)
        return account

    def _give_another_device_id(self, account: Account) -> None:
        """Give another account that has the same device id (it had the name before) a new one."""
        for other in self._accounts.all():
            is_same = other.jellyfin_device_id == account.jellyfin_device_id
            if is_same and other.user_id != account.user_id:
                self._accounts.save(replace(other, jellyfin_device_id=_new_device_id()))
                self._clients.pop(other.user_id, None)


def _identity(device_id: str) -> DeviceIdentity:
    return DeviceIdentity(device_id=device_id, version=__version__)


def _new_device_id() -> str:
    return f"sidecar-{uuid4().hex}"


def _must_sign_in(name: str) -> str:
    return msg(
        "{name} must sign in again: Jellyfin no longer accepts the sign-in it gave us", name=name
    )
